/// Decoding of UTF-8 one code point at a time with the language's rule for broken input: a byte that does not begin a
/// well-formed sequence counts as U+FFFD of width one.
enum Runes {
  static let replacement: UInt32 = 0xFFFD

  /// The code point at `index` and its width in bytes. `index` must be inside `bytes`.
  static func decode(_ bytes: some RandomAccessCollection<UInt8>, _ start: Int) -> (rune: UInt32, width: Int) {
    func byte(_ offset: Int) -> UInt8? {
      let position = start + offset
      guard position < bytes.count else { return nil }
      return bytes[bytes.index(bytes.startIndex, offsetBy: position)]
    }
    guard let first = byte(0) else { return (replacement, 0) }
    if first < 0x80 { return (UInt32(first), 1) }
    func continuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> UInt32? {
      guard let value = byte(offset), range.contains(value) else { return nil }
      return UInt32(value & 0x3F)
    }
    switch first {
    case 0xC2...0xDF:
      guard let second = continuation(1) else { break }
      return (UInt32(first & 0x1F) << 6 | second, 2)
    case 0xE0...0xEF:
      let range: ClosedRange<UInt8> = first == 0xE0 ? 0xA0...0xBF : first == 0xED ? 0x80...0x9F : 0x80...0xBF
      guard let second = continuation(1, range), let third = continuation(2) else { break }
      return (UInt32(first & 0x0F) << 12 | second << 6 | third, 3)
    case 0xF0...0xF4:
      let range: ClosedRange<UInt8> = first == 0xF0 ? 0x90...0xBF : first == 0xF4 ? 0x80...0x8F : 0x80...0xBF
      guard let second = continuation(1, range), let third = continuation(2), let fourth = continuation(3) else {
        break
      }
      return (UInt32(first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
    default:
      break
    }
    return (replacement, 1)
  }

  /// The width of the code point that ends just before `end`.
  static func widthOfLast(_ bytes: [UInt8], before end: Int) -> Int {
    guard end > 0 else { return 0 }
    var width = 1
    while width <= 4, width <= end {
      if bytes[end - width] & 0xC0 != 0x80 {
        return decode(bytes[..<end], end - width).width == width ? width : 1
      }
      width += 1
    }
    return 1
  }

  /// Whether `rune` may be encoded: a code point that is not a surrogate.
  static func isValid(_ rune: UInt32) -> Bool {
    rune < 0xD800 || (rune > 0xDFFF && rune <= 0x10FFFF)
  }

  /// Appends the encoding of `rune`, of U+FFFD when it is not a valid code point.
  static func append(_ rune: UInt32, to bytes: inout [UInt8]) {
    guard isValid(rune) else { return append(replacement, to: &bytes) }
    switch rune {
    case ..<0x80:
      bytes.append(UInt8(rune))
    case ..<0x800:
      bytes.append(UInt8(0xC0 | rune >> 6))
      bytes.append(UInt8(0x80 | rune & 0x3F))
    case ..<0x10000:
      bytes.append(UInt8(0xE0 | rune >> 12))
      bytes.append(UInt8(0x80 | rune >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | rune & 0x3F))
    default:
      bytes.append(UInt8(0xF0 | rune >> 18))
      bytes.append(UInt8(0x80 | rune >> 12 & 0x3F))
      bytes.append(UInt8(0x80 | rune >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | rune & 0x3F))
    }
  }

  /// All code points, broken bytes as U+FFFD.
  static func all(_ bytes: [UInt8]) -> [UInt32] {
    var runes: [UInt32] = []
    runes.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let (rune, width) = decode(bytes, index)
      runes.append(rune)
      index += width
    }
    return runes
  }

  /// The encoding of code points.
  static func encode(_ runes: some Sequence<UInt32>) -> [UInt8] {
    var bytes: [UInt8] = []
    for rune in runes { append(rune, to: &bytes) }
    return bytes
  }

  /// Number of code points, each broken byte counted as one.
  static func count(_ bytes: [UInt8]) -> Int {
    var index = 0
    var count = 0
    while index < bytes.count {
      index += bytes[index] < 0x80 ? 1 : decode(bytes, index).width
      count += 1
    }
    return count
  }

  private static func category(_ rune: UInt32) -> Unicode.GeneralCategory? {
    Unicode.Scalar(rune)?.properties.generalCategory
  }

  /// Unicode category L.
  static func isLetter(_ rune: UInt32) -> Bool {
    if rune < 0x80 { return (0x41...0x5A).contains(rune & ~0x20) }
    switch category(rune) {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }

  /// Unicode category Nd.
  static func isDigit(_ rune: UInt32) -> Bool {
    if rune < 0x80 { return (0x30...0x39).contains(rune) }
    return category(rune) == .decimalNumber
  }

  /// Unicode category N.
  static func isNumber(_ rune: UInt32) -> Bool {
    switch category(rune) {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  /// Letters, marks, numbers, punctuation, symbols and the ASCII space.
  static func isPrintable(_ rune: UInt32) -> Bool {
    if rune < 0x7F { return rune >= 0x20 }
    switch category(rune) {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber,
      .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
      return true
    default:
      return false
    }
  }

  /// White space as Unicode defines it.
  static func isSpace(_ rune: UInt32) -> Bool {
    switch rune {
    case 0x09...0x0D, 0x20, 0x85, 0xA0: return true
    case ..<0x100: return false
    default: return Unicode.Scalar(rune)?.properties.isWhitespace ?? false
    }
  }

  /// An upper-case letter.
  static func isUpper(_ rune: UInt32) -> Bool { category(rune) == .uppercaseLetter }

  /// A lower-case letter.
  static func isLower(_ rune: UInt32) -> Bool { category(rune) == .lowercaseLetter }

  /// One code point to one: where Unicode's full mapping yields several, the code point stays as it is.
  private static func mapped(_ rune: UInt32, _ mapping: (Unicode.Scalar.Properties) -> String) -> UInt32 {
    guard let scalar = Unicode.Scalar(rune) else { return rune }
    let scalars = mapping(scalar.properties).unicodeScalars
    guard scalars.count == 1, let single = scalars.first else { return rune }
    return single.value
  }

  /// The upper-case form.
  static func upper(_ rune: UInt32) -> UInt32 {
    if rune < 0x80 { return (0x61...0x7A).contains(rune) ? rune - 0x20 : rune }
    return mapped(rune) { $0.uppercaseMapping }
  }

  /// The lower-case form.
  static func lower(_ rune: UInt32) -> UInt32 {
    if rune < 0x80 { return (0x41...0x5A).contains(rune) ? rune + 0x20 : rune }
    return mapped(rune) { $0.lowercaseMapping }
  }

  /// The title-case form.
  static func title(_ rune: UInt32) -> UInt32 {
    if rune < 0x80 { return upper(rune) }
    return mapped(rune) { $0.titlecaseMapping }
  }
}
