/// Text encodings of bytes.
enum Encoding {
  static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  static func bytes(hex digits: [UInt8]) -> [UInt8]? {
    func value(_ c: UInt8) -> UInt8? {
      switch c {
      case 0x30...0x39: c - 0x30
      case 0x61...0x66: c - 0x61 + 10
      case 0x41...0x46: c - 0x41 + 10
      default: nil
      }
    }
    guard digits.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[i]), let low = value(digits[i + 1]) else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Base 64 (RFC 4648, section 4), padded.
  static func base64(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for i in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = (0..<3).reduce(UInt32(0)) { $0 << 8 | (i + $1 < bytes.count ? UInt32(bytes[i + $1]) : 0) }
      for k in 0..<4 {
        let used = i + k <= bytes.count
        out.append(used ? alphabet[Int(chunk >> UInt32(18 - 6 * k) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Nil when the text is not padded base 64. Line ends are skipped.
  static func bytes(base64 text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != 0x0A && $0 != 0x0D }
    guard digits.count % 4 == 0 else { return nil }
    var values = [UInt8](repeating: 255, count: 256)
    for (i, c) in alphabet.enumerated() { values[Int(c)] = UInt8(i) }
    var out: [UInt8] = []
    let padding = digits.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    for i in stride(from: 0, to: digits.count, by: 4) {
      var chunk: UInt32 = 0
      let given = i + 4 == digits.count ? 4 - padding : 4
      for k in 0..<4 {
        let value = k < given ? values[Int(digits[i + k])] : 0
        guard value < 64 else { return nil }
        chunk = chunk << 6 | UInt32(value)
      }
      for k in 0..<(given - 1) { out.append(UInt8(truncatingIfNeeded: chunk >> UInt32(16 - 8 * k))) }
    }
    return out
  }

  /// Percent-encoding for a query component: letters, digits and `-_.~` stay, a space becomes `+`.
  static func query(_ text: String) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        out.append(byte)
      case 0x20: out.append(UInt8(ascii: "+"))
      default: out += "%\(hex([byte]).uppercased())".utf8
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
