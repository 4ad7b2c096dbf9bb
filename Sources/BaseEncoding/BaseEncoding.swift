/// The encodings of bytes as letters and digits of RFC 4648: base 64, base 32 and base 16.
///
/// Each is a namespace of its own with `encode` and `decode`; what they share is here.
struct DigitTable: Sendable {
  /// The digits by their value.
  let digits: [UInt8]
  /// The values by their digit; 255 for what is none.
  let values: [UInt8]
  /// How many bits a digit carries.
  let bits: Int
  /// How many digits stand for a whole number of bytes.
  let group: Int
  /// How many digits of an incomplete group stand for whole bytes.
  let partial: [Int]

  init(_ digits: String, bits: Int, group: Int, partial: [Int]) {
    self.digits = Array(digits.utf8)
    self.bits = bits
    self.group = group
    self.partial = partial
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in self.digits.enumerated() { values[Int(digit)] = UInt8(value) }
    self.values = values
  }

  func encode(_ bytes: some Collection<UInt8>, padded: Bool) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 8 + bits - 1) / bits + group)
    var buffer: UInt32 = 0
    var filled = 0
    let mask = UInt32(1 << bits - 1)
    for byte in bytes {
      buffer = buffer << 8 | UInt32(byte)
      filled += 8
      while filled >= bits {
        filled -= bits
        out.append(digits[Int(buffer >> UInt32(filled) & mask)])
      }
    }
    if filled > 0 { out.append(digits[Int(buffer << UInt32(bits - filled) & mask)]) }
    while padded, out.count % group != 0 { out.append(UInt8(ascii: "=")) }
    return out
  }

  func decode(_ text: some Collection<UInt8>, padded: Bool) throws(IllegalDigit) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count * bits / 8)
    var buffer: UInt32 = 0
    var filled = 0
    var count = 0
    var padding = 0
    var offset = -1
    for byte in text {
      offset += 1
      if byte == 0x0A || byte == 0x0D { continue }
      if padding > 0 {
        // The padding fills the group, and nothing follows it.
        guard byte == UInt8(ascii: "="), (count + padding) % group != 0 else { throw IllegalDigit(offset: offset) }
        padding += 1
        continue
      }
      if byte == UInt8(ascii: "="), padded, partial.contains(count % group) {
        padding = 1
        continue
      }
      let value = values[Int(byte)]
      guard value != 255 else { throw IllegalDigit(offset: offset) }
      buffer = buffer << UInt32(bits) | UInt32(value)
      filled += bits
      count += 1
      if filled >= 8 {
        filled -= 8
        out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(filled)))
      }
    }
    let left = (count + padding) % group
    if left != 0 {
      if padding > 0 { throw IllegalDigit(offset: offset + 1) }
      if padded || !partial.contains(left) { throw IllegalDigit(offset: padded ? offset + 1 - left : offset + 1) }
    }
    return out
  }
}

/// A text is not what its encoding allows.
public struct IllegalDigit: Error, Hashable, Sendable {
  /// The offset in bytes of what is wrong; the length of the text when something is missing at its end.
  public let offset: Int
}

/// Base 64 (RFC 4648 §4 and §5).
public enum Base64 {
  /// Which characters stand for 62 and 63.
  public enum Alphabet: Sendable {
    /// `+` and `/` (§4).
    case standard
    /// `-` and `_`, for URLs and file names (§5).
    case url
  }

  private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  private static let standard = DigitTable(letters + "+/", bits: 6, group: 4, partial: [2, 3])
  private static let url = DigitTable(letters + "-_", bits: 6, group: 4, partial: [2, 3])

  private static func table(_ alphabet: Alphabet) -> DigitTable { alphabet == .url ? url : standard }

  /// The digits of some bytes, in one line.
  /// - Parameter padded: whether `=` fills the last group of four.
  public static func encode(
    _ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard, padded: Bool = true
  ) -> [UInt8] {
    table(alphabet).encode(bytes, padded: padded)
  }

  /// The same as a string.
  public static func text(
    _ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard, padded: Bool = true
  ) -> String {
    String(decoding: encode(bytes, alphabet, padded: padded), as: UTF8.self)
  }

  /// The bytes that a text stands for. Line ends in it are passed over.
  /// - Parameter padded: whether the last group of four must be filled by `=`; if not, there must be none.
  /// - Throws: `IllegalDigit` at the first byte that can't be there.
  public static func decode(
    _ text: some Collection<UInt8>, _ alphabet: Alphabet = .standard, padded: Bool = true
  ) throws(IllegalDigit) -> [UInt8] {
    try table(alphabet).decode(text, padded: padded)
  }
}

/// Base 32 (RFC 4648 §6), padded.
public enum Base32 {
  private static let table = DigitTable(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 8, partial: [2, 4, 5, 7])

  /// The digits of some bytes, in one line.
  public static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] { table.encode(bytes, padded: true) }

  /// The bytes that a text stands for. Line ends in it are passed over.
  /// - Throws: `IllegalDigit` at the first byte that can't be there.
  public static func decode(_ text: some Collection<UInt8>) throws(IllegalDigit) -> [UInt8] {
    try table.decode(text, padded: true)
  }
}

/// Base 16, which is hexadecimal (RFC 4648 §8): two digits a byte.
public enum Base16 {
  /// Lower-case digits.
  public static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      out.append(digit(byte >> 4))
      out.append(digit(byte & 15))
    }
    return out
  }

  /// The same as a string.
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: encode(bytes), as: UTF8.self)
  }

  /// The bytes that digits of either case stand for; nil for an odd number of digits and for anything that is none.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 2)
    var high: UInt8?
    for byte in text {
      guard let value = value(byte) else { return nil }
      if let first = high {
        out.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? out : nil
  }

  /// The lower-case digit of a value below 16.
  static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
