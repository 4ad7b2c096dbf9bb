/// Go's quoted forms of strings and characters.
enum Quoting {
  private static let hexDigits = Array("0123456789abcdef".utf8)

  static func quoted(_ bytes: [UInt8], ascii: Bool = false) -> ByteString {
    var out: [UInt8] = []
    append(bytes, quote: UInt8(ascii: "\""), ascii: ascii, to: &out)
    return ByteString(bytes: out)
  }

  static func quoted(_ text: ByteString) -> ByteString { quoted(text.bytes) }

  static func append(_ bytes: [UInt8], quote: UInt8, ascii: Bool, to out: inout [UInt8]) {
    out.append(quote)
    var index = 0
    while index < bytes.count {
      let (rune, width) = Runes.decode(bytes, index)
      if width == 1, rune == Runes.replacement {
        out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x")])
        appendHex(UInt32(bytes[index]), digits: 2, to: &out)
      } else {
        appendEscaped(rune, quote: quote, ascii: ascii, to: &out)
      }
      index += width
    }
    out.append(quote)
  }

  /// A character constant; an invalid code point shows as U+FFFD.
  static func character(_ rune: UInt32, ascii: Bool) -> [UInt8] {
    var out: [UInt8] = [UInt8(ascii: "'")]
    let valid = Runes.isValid(rune) ? rune : Runes.replacement
    appendEscaped(valid, quote: UInt8(ascii: "'"), ascii: ascii, to: &out)
    out.append(UInt8(ascii: "'"))
    return out
  }

  static func appendHex(_ value: UInt32, digits: Int, to out: inout [UInt8]) {
    for shift in stride(from: (digits - 1) * 4, through: 0, by: -4) {
      out.append(hexDigits[Int(value >> UInt32(shift) & 0xF)])
    }
  }

  private static func appendEscaped(_ rune: UInt32, quote: UInt8, ascii: Bool, to out: inout [UInt8]) {
    let backslash = UInt8(ascii: "\\")
    if rune == UInt32(quote) || rune == UInt32(backslash) {
      out.append(backslash)
      out.append(UInt8(rune))
      return
    }
    if Runes.isPrintable(rune), !ascii || rune < 0x80 {
      Runes.append(rune, to: &out)
      return
    }
    out.append(backslash)
    switch rune {
    case 0x07: out.append(UInt8(ascii: "a"))
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0x0B: out.append(UInt8(ascii: "v"))
    case ..<0x20, 0x7F:
      out.append(UInt8(ascii: "x"))
      appendHex(rune, digits: 2, to: &out)
    case ..<0x10000:
      out.append(UInt8(ascii: "u"))
      appendHex(rune, digits: 4, to: &out)
    default:
      out.append(UInt8(ascii: "U"))
      appendHex(rune, digits: 8, to: &out)
    }
  }

  /// Whether the text can stand between backquotes on one line unchanged.
  static func canBackquote(_ bytes: [UInt8]) -> Bool {
    var index = 0
    while index < bytes.count {
      let (rune, width) = Runes.decode(bytes, index)
      index += width
      if width > 1 {
        if rune == 0xFEFF { return false }
        continue
      }
      if rune == Runes.replacement || rune == 0x60 || rune == 0x7F || (rune < 0x20 && rune != 0x09) { return false }
    }
    return true
  }

  /// The text of a quoted string, nil when it is malformed.
  static func unquote(_ literal: [UInt8]) -> [UInt8]? {
    guard literal.count >= 2, let quote = literal.first, literal.last == quote else { return nil }
    let inner = Array(literal[1..<(literal.count - 1)])
    if quote == UInt8(ascii: "`") {
      return inner.contains(quote) ? nil : inner.filter { $0 != 0x0D }
    }
    guard quote == UInt8(ascii: "\""), !inner.contains(0x0A) else { return nil }
    var out: [UInt8] = []
    var index = 0
    while index < inner.count {
      guard let (value, isByte, width) = unquoteCharacter(inner, index, quote: quote) else { return nil }
      if isByte { out.append(UInt8(truncatingIfNeeded: value)) } else { Runes.append(value, to: &out) }
      index += width
    }
    return out
  }

  /// The character at `start` of a literal's inside: its value, whether it stands for one byte, its width in the source.
  static func unquoteCharacter(
    _ text: [UInt8], _ start: Int, quote: UInt8
  ) -> (value: UInt32, isByte: Bool, width: Int)? {
    guard start < text.count else { return nil }
    let first = text[start]
    if first == quote { return nil }
    if first >= 0x80 {
      let (rune, width) = Runes.decode(text, start)
      return (rune, false, width)
    }
    if first != UInt8(ascii: "\\") { return (UInt32(first), true, 1) }
    guard start + 1 < text.count else { return nil }
    func number(_ offset: Int, _ digits: Int, radix: UInt32) -> UInt32? {
      var value: UInt32 = 0
      for position in (start + offset)..<(start + offset + digits) {
        guard position < text.count else { return nil }
        guard let digit = Character(Unicode.Scalar(text[position])).hexDigitValue, digit < Int(radix) else {
          return nil
        }
        guard value < 1 << 28 else { return nil }
        value = value * radix + UInt32(digit)
      }
      return value
    }
    switch text[start + 1] {
    case UInt8(ascii: "a"): return (0x07, true, 2)
    case UInt8(ascii: "b"): return (0x08, true, 2)
    case UInt8(ascii: "f"): return (0x0C, true, 2)
    case UInt8(ascii: "n"): return (0x0A, true, 2)
    case UInt8(ascii: "r"): return (0x0D, true, 2)
    case UInt8(ascii: "t"): return (0x09, true, 2)
    case UInt8(ascii: "v"): return (0x0B, true, 2)
    case UInt8(ascii: "x"): return number(2, 2, radix: 16).map { ($0, true, 4) }
    case UInt8(ascii: "u"):
      guard let value = number(2, 4, radix: 16), Runes.isValid(value) else { return nil }
      return (value, false, 6)
    case UInt8(ascii: "U"):
      guard let value = number(2, 8, radix: 16), Runes.isValid(value) else { return nil }
      return (value, false, 10)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      guard let value = number(1, 3, radix: 8), value < 256 else { return nil }
      return (value, true, 4)
    case UInt8(ascii: "\\"): return (0x5C, true, 2)
    case quote: return (UInt32(quote), true, 2)
    default: return nil
    }
  }
}
