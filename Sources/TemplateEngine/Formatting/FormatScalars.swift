// How `fmt` prints numbers and text.
extension Formatter {
  // MARK: Integers

  mutating func integer(_ bits: UInt64, _ isSigned: Bool, _ verb: Unicode.Scalar, _ value: TemplateValue) throws {
    switch verb {
    case "v" where flags.sharpV && !isSigned:
      try integer(bits, base: 16, isSigned: false, verb: "v", forcePrefix: true)
    case "v", "d": try integer(bits, base: 10, isSigned: isSigned, verb: verb)
    case "b": try integer(bits, base: 2, isSigned: isSigned, verb: verb)
    case "o", "O": try integer(bits, base: 8, isSigned: isSigned, verb: verb)
    case "x", "X": try integer(bits, base: 16, isSigned: isSigned, verb: verb)
    case "c":
      var encoded: [UInt8] = []
      Runes.append(bits > 0x10FFFF ? Runes.replacement : UInt32(bits), to: &encoded)
      try pad(encoded)
    case "q":
      try pad(Quoting.character(bits > 0x10FFFF ? Runes.replacement : UInt32(bits), ascii: flags.plus))
    case "U": try unicode(bits)
    default: try badVerb(verb, value)
    }
  }

  /// `forcePrefix` writes or leaves out `0x` whatever `#` says.
  mutating func integer(
    _ bits: UInt64, base: Int, isSigned: Bool, verb: Unicode.Scalar, forcePrefix: Bool? = nil
  ) throws {
    let sharp = forcePrefix ?? flags.sharp
    let negative = isSigned && Int64(bitPattern: bits) < 0
    let magnitude = negative ? 0 &- bits : bits
    var least = 0
    if let precision = flags.precision {
      least = precision
      if precision == 0, magnitude == 0 {
        // Nothing but padding.
        return try spaces(flags.width ?? 0)
      }
    } else if flags.zero, let width = flags.width {
      least = width - (negative || flags.plus || flags.space ? 1 : 0)
    }
    try checkSize(adding: least)
    let digits = Array(String(magnitude, radix: base, uppercase: verb == "X").utf8)
    var text: [UInt8] = []
    if negative {
      text.append(UInt8(ascii: "-"))
    } else if flags.plus {
      text.append(UInt8(ascii: "+"))
    } else if flags.space {
      text.append(0x20)
    }
    let padded = Array(repeating: UInt8(0x30), count: max(least - digits.count, 0)) + digits
    if verb == "O" { text += "0o".utf8 }
    if sharp {
      switch base {
      case 2: text += "0b".utf8
      case 8: if padded.first != 0x30 { text.append(0x30) }
      case 16: text += (verb == "X" ? "0X" : "0x").utf8
      default: break
      }
    }
    try unzeroed { try $0.pad(text + padded) }
  }

  private mutating func spaces(_ count: Int) throws {
    guard count > 0 else { return }
    try checkSize(adding: count)
    out += repeatElement(0x20, count: count)
  }

  private mutating func unzeroed(_ body: (inout Formatter) throws -> Void) throws {
    let zero = flags.zero
    flags.zero = false
    defer { flags.zero = zero }
    try body(&self)
  }

  /// `U+0078`, with `#` also `'x'`.
  private mutating func unicode(_ bits: UInt64) throws {
    let digits = Array(String(bits, radix: 16, uppercase: true).utf8)
    let least = max(flags.precision ?? 0, 4)
    try checkSize(adding: least)
    var text = Array("U+".utf8) + Array(repeating: UInt8(0x30), count: max(least - digits.count, 0)) + digits
    if flags.sharp, bits <= 0x10FFFF, Runes.isPrintable(UInt32(bits)) {
      text += " '".utf8
      Runes.append(UInt32(bits), to: &text)
      text.append(UInt8(ascii: "'"))
    }
    try unzeroed { try $0.pad(text) }
  }

  // MARK: Floats

  mutating func float(_ number: Double, _ verb: Unicode.Scalar, _ value: TemplateValue) throws {
    switch verb {
    case "v": try float(number, UInt8(ascii: "g"), -1, sharpDigits: true)
    case "g", "G", "x": try float(number, UInt8(verb.value), -1, sharpDigits: true)
    case "b", "X": try float(number, UInt8(verb.value), -1, sharpDigits: false)
    case "f", "e", "E": try float(number, UInt8(verb.value), 6, sharpDigits: false)
    case "F": try float(number, UInt8(ascii: "f"), 6, sharpDigits: false)
    default: try badVerb(verb, value)
    }
  }

  mutating func complex(_ real: Double, _ imaginary: Double, _ verb: Unicode.Scalar, _ value: TemplateValue) throws {
    guard "vbgGxXfFeE".unicodeScalars.contains(verb) else { return try badVerb(verb, value) }
    let plus = flags.plus
    write("(")
    try float(real, verb, value)
    flags.plus = true
    try float(imaginary, verb, value)
    write("i)")
    flags.plus = plus
  }

  /// `sharpDigits`: the verb keeps trailing zeros under `#`.
  private mutating func float(_ number: Double, _ verb: UInt8, _ usual: Int, sharpDigits: Bool) throws {
    let precision = flags.precision ?? usual
    try checkSize(adding: max(precision, 0))
    var text = FloatDigits.format(number, verb: verb, precision: precision)
    if text.first != UInt8(ascii: "-"), text.first != UInt8(ascii: "+") { text.insert(UInt8(ascii: "+"), at: 0) }
    if flags.space, text[0] == UInt8(ascii: "+"), !flags.plus { text[0] = 0x20 }
    if text[1] == UInt8(ascii: "I") || text[1] == UInt8(ascii: "N") {
      if text[1] == UInt8(ascii: "N"), !flags.space, !flags.plus { text.removeFirst() }
      // +Inf keeps its sign, also unasked.
      return try unzeroed { try $0.pad(text) }
    }
    if flags.sharp, verb != UInt8(ascii: "b") {
      text = withPoint(text, verb, digits: sharpDigits ? (precision == -1 ? 6 : precision) : 0)
    }
    if flags.plus || text[0] != UInt8(ascii: "+") {
      if flags.zero, let width = flags.width, width > text.count {
        // The sign goes before the zeros.
        out.append(text.removeFirst())
        let zeros = width - text.count - 1
        try checkSize(adding: zeros)
        out += repeatElement(0x30, count: zeros)
        out += text
        return
      }
      return try pad(text)
    }
    try pad(Array(text.dropFirst()))
  }

  /// `#` keeps the decimal point and, for `%g`, the trailing zeros. `text` has its sign in front.
  private func withPoint(_ text: [UInt8], _ verb: UInt8, digits: Int) -> [UInt8] {
    var digits = digits
    var number = text
    var tail: [UInt8] = []
    var hasPoint = false
    var sawNonzero = false
    let isHex = verb | 0x20 == UInt8(ascii: "x")
    var index = 1
    scan: while index < number.count {
      switch number[index] {
      case UInt8(ascii: "."): hasPoint = true
      case UInt8(ascii: "p"), UInt8(ascii: "P"):
        tail = Array(number[index...])
        number.removeSubrange(index...)
        break scan
      case UInt8(ascii: "e") where !isHex, UInt8(ascii: "E") where !isHex:
        tail = Array(number[index...])
        number.removeSubrange(index...)
        break scan
      default:
        if number[index] != 0x30 { sawNonzero = true }
        if sawNonzero { digits -= 1 }
      }
      index += 1
    }
    if !hasPoint {
      if number.count == 2, number[1] == 0x30 { digits -= 1 }
      number.append(UInt8(ascii: "."))
    }
    if digits > 0 { number += repeatElement(0x30, count: digits) }
    return number + tail
  }

  // MARK: Text

  private func truncated(_ bytes: [UInt8]) -> [UInt8] {
    guard let precision = flags.precision else { return bytes }
    var index = 0
    var count = 0
    while index < bytes.count {
      if count == precision { return Array(bytes[..<index]) }
      index += Runes.decode(bytes, index).width
      count += 1
    }
    return bytes
  }

  mutating func text(_ bytes: [UInt8]) throws { try pad(truncated(bytes)) }

  mutating func quoted(_ bytes: [UInt8]) throws {
    let shown = truncated(bytes)
    if flags.sharp, Quoting.canBackquote(shown) {
      return try pad([0x60] + shown + [0x60])
    }
    try pad(Quoting.quoted(shown, ascii: flags.plus).bytes)
  }

  /// Two hexadecimal digits for each byte.
  mutating func hex(_ bytes: [UInt8], upper: Bool) throws {
    let shown = bytes.prefix(flags.precision ?? bytes.count)
    let prefix = Array((upper ? "0X" : "0x").utf8)
    var text: [UInt8] = []
    if shown.isEmpty {
      if let width = flags.width {
        try checkSize(adding: width)
        out += repeatElement(flags.zero ? 0x30 : 0x20, count: width)
      }
      return
    }
    if flags.sharp { text += prefix }
    for (index, byte) in shown.enumerated() {
      if flags.space, index > 0 {
        text.append(0x20)
        if flags.sharp { text += prefix }
      }
      let digits = Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16, uppercase: upper).utf8)
      text += digits
    }
    try pad(text)
  }
}
