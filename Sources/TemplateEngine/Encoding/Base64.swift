/// Base 64 and base 32 of RFC 4648.
enum Base64 {
  enum Alphabet { case standard, url }

  private static func digits(_ alphabet: Alphabet) -> [UInt8] {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return Array((letters + (alphabet == .url ? "-_" : "+/")).utf8)
  }

  static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard, padded: Bool = true) -> [UInt8] {
    encode(bytes, digits(alphabet), bits: 6, group: 4, padded: padded)
  }

  static func encode32(_ bytes: [UInt8]) -> [UInt8] {
    encode(bytes, Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8), bits: 5, group: 8, padded: true)
  }

  /// Throws `illegal base64 data at input byte N`.
  static func decode(_ text: [UInt8], _ alphabet: Alphabet = .standard, padded: Bool = true) throws -> [UInt8] {
    try decode(text, digits(alphabet), bits: 6, group: 4, padded: padded, name: "base64")
  }

  static func decode32(_ text: [UInt8]) throws -> [UInt8] {
    try decode(
      text, Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8), bits: 5, group: 8, padded: true, name: "base32")
  }

  private static func encode(_ bytes: [UInt8], _ digits: [UInt8], bits: Int, group: Int, padded: Bool) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 8 + bits - 1) / bits + group)
    var buffer = 0
    var filled = 0
    for byte in bytes {
      buffer = (buffer << 8 | Int(byte)) & 0xFFFF
      filled += 8
      while filled >= bits {
        filled -= bits
        out.append(digits[buffer >> filled & (1 << bits - 1)])
      }
    }
    if filled > 0 { out.append(digits[buffer << (bits - filled) & (1 << bits - 1)]) }
    while padded, out.count % group != 0 { out.append(UInt8(ascii: "=")) }
    return out
  }

  private static func decode(
    _ text: [UInt8], _ digits: [UInt8], bits: Int, group: Int, padded: Bool, name: String
  ) throws -> [UInt8] {
    func illegal(_ at: Int) -> FunctionFailure { FunctionFailure("illegal \(name) data at input byte \(at)") }
    var table = [UInt8](repeating: 0xFF, count: 256)
    for (value, digit) in digits.enumerated() { table[Int(digit)] = UInt8(value) }
    // Line ends are allowed anywhere; what follows the padding may be nothing else.
    let significant = text.enumerated().filter { $0.element != 0x0A && $0.element != 0x0D }
    var out: [UInt8] = []
    var buffer = 0
    var filled = 0
    var count = 0
    for (position, (offset, byte)) in significant.enumerated() {
      if byte == UInt8(ascii: "="), padded {
        let inGroup = count % group
        let allowed = bits == 6 ? [2, 3] : [2, 4, 5, 7]
        guard allowed.contains(inGroup) else { throw illegal(offset) }
        let needed = group - inGroup
        for extra in 0..<needed {
          guard position + extra < significant.count else { throw illegal(text.count) }
          guard significant[position + extra].element == UInt8(ascii: "=") else {
            throw illegal(significant[position + extra].offset)
          }
        }
        guard position + needed == significant.count else { throw illegal(significant[position + needed].offset) }
        return out
      }
      guard table[Int(byte)] != 0xFF else { throw illegal(offset) }
      buffer = (buffer << bits | Int(table[Int(byte)])) & 0xFFFF
      filled += bits
      count += 1
      if filled >= 8 {
        filled -= 8
        out.append(UInt8(buffer >> filled & 0xFF))
      }
    }
    let left = count % group
    if padded ? left != 0 : (bits == 6 && left == 1) {
      throw illegal(padded ? text.count - left : text.count)
    }
    return out
  }
}
