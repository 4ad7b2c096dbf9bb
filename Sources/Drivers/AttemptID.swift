public import Codec

/// The supervisor's name for one attempt of a task: `<allocation>.<attempt>.<task>`.
///
/// The supervisor allows letters, digits, "-", "_" and "." only, and 128 bytes; a task may be called anything. Other
/// bytes are written as "." and two hexadecimal digits; a name that gets too long is cut and ends in its hash.
public struct AttemptID: Hashable, Sendable, CustomStringConvertible {
  /// The allocation.
  public var allocation: Identifier
  /// The task's name in the supervisor's alphabet; equal names are equal tasks.
  public var encodedTask: String
  /// Which start of the task, from 1.
  public var attempt: Int

  /// Names an attempt.
  public init(allocation: Identifier, task: String, attempt: Int) {
    self.allocation = allocation
    self.attempt = attempt
    encodedTask = Self.encoded(task)
  }

  /// Reads a name that the supervisor lists; nil for one that is not of this kind.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let allocation = Identifier(parts[0]), !allocation.isNone, let attempt = Int(parts[1]),
      !parts[2].isEmpty
    else { return nil }
    self.allocation = allocation
    self.attempt = attempt
    encodedTask = String(parts[2])
  }

  /// The name as the supervisor knows it.
  public var description: String { "\(allocation).\(attempt).\(encodedTask)" }

  /// Whether this is an attempt of that task.
  public func isOf(task: String) -> Bool { encodedTask == Self.encoded(task) }

  private static let longest = 72

  private static func encoded(_ task: String) -> String {
    var text = ""
    for byte in task.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "." + hexadecimal(UInt64(byte), digits: 2)
      }
    }
    guard text.utf8.count > longest else { return text }
    return text.prefix(longest - 18) + ".." + hexadecimal(fnv1a(task.utf8), digits: 16)
  }

  private static func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text
  }

  /// FNV-1a, 64 bits: only told-apartness matters here, nobody attacks a name of their own task.
  private static func fnv1a(_ bytes: String.UTF8View) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }
}
