/// Escaping of text for other languages, as `html`, `js` and `urlquery` do it.
enum Escaping {
  static func html(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    for byte in bytes {
      switch byte {
      case 0: out += [0xEF, 0xBF, 0xBD]
      case UInt8(ascii: "\""): out += "&#34;".utf8
      case UInt8(ascii: "'"): out += "&#39;".utf8
      case UInt8(ascii: "&"): out += "&amp;".utf8
      case UInt8(ascii: "<"): out += "&lt;".utf8
      case UInt8(ascii: ">"): out += "&gt;".utf8
      default: out.append(byte)
      }
    }
    return out
  }

  static func javaScript(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let (rune, width) = Runes.decode(bytes, index)
      defer { index += width }
      switch rune {
      case 0x5C, 0x27, 0x22: out += [0x5C, UInt8(rune)]
      case 0x3C, 0x3E, 0x26, 0x3D, ..<0x20:
        out += "\\u00".utf8
        let digits = String(rune, radix: 16, uppercase: true)
        out += ((rune < 16 ? "0" : "") + digits).utf8
      case ..<0x80: out.append(UInt8(rune))
      case _ where Runes.isPrintable(rune): out += bytes[index..<(index + width)]
      default:
        var digits = String(rune, radix: 16, uppercase: true)
        while digits.utf8.count < 4 { digits = "0" + digits }
        out += "\\u\(digits)".utf8
      }
    }
    return out
  }

  /// For the query of a URL: a space becomes `+`.
  static func query(_ bytes: [UInt8]) -> [UInt8] {
    let hex = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F, 0x2E, 0x7E: out.append(byte)
      case 0x20: out.append(UInt8(ascii: "+"))
      default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return out
  }
}
