/// Finds the escape character in what a user types: at the beginning of a line it and "." end the session, twice it
/// stands for itself. Pure.
struct EscapeFilter: Sendable {
  /// nil: nothing is looked for.
  private let character: UInt8?
  private var isAtLineStart = true
  private var hasEscape = false

  /// - Parameter character: one ASCII character, or "none".
  init(character: String) throws(UsageError) {
    if character == "none" {
      self.character = nil
      return
    }
    guard character.utf8.count == 1, let byte = character.utf8.first else {
      throw UsageError("flag -e takes one character or \"none\", not \"\(character)\"")
    }
    self.character = byte
  }

  /// What of `bytes` goes to the command, and whether the user has ended the session after it.
  mutating func filter(_ bytes: [UInt8]) -> (bytes: [UInt8], ends: Bool) {
    guard let character else { return (bytes, false) }
    var result: [UInt8] = []
    for byte in bytes {
      if hasEscape {
        hasEscape = false
        if byte == UInt8(ascii: ".") { return (result, true) }
        // Anything else but the second of two was not meant for us.
        if byte != character { result.append(character) }
      } else if isAtLineStart, byte == character {
        hasEscape = true
        isAtLineStart = false
        continue
      }
      result.append(byte)
      isAtLineStart = byte == 0x0D || byte == 0x0A
    }
    return (result, false)
  }
}
