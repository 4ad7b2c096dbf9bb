/// A numeric constant: every type that the written form can take without loss.
final class NumberNode: Node {
  let position: Int
  let text: ByteString
  let integer: Int64?
  let unsigned: UInt64?
  let float: Double?
  let imaginary: (real: Double, imaginary: Double)?

  private init(
    _ position: Int, _ text: ByteString, integer: Int64?, unsigned: UInt64?, float: Double?,
    imaginary: (real: Double, imaginary: Double)? = nil
  ) {
    self.position = position
    self.text = text
    self.integer = integer
    self.unsigned = unsigned
    self.float = float
    self.imaginary = imaginary
  }

  func write(to out: inout [UInt8]) { out += text.bytes }

  /// A character constant, whose value is a code point.
  static func character(_ position: Int, _ text: ByteString) throws(FunctionFailure) -> NumberNode {
    let inside = Array(text.bytes.dropFirst())
    guard let (value, _, width) = Quoting.unquoteCharacter(inside, 0, quote: UInt8(ascii: "'")) else {
      throw FunctionFailure("invalid syntax")
    }
    guard inside.count == width + 1 else { throw FunctionFailure("malformed character constant: " + text) }
    return NumberNode(position, text, integer: Int64(value), unsigned: UInt64(value), float: Double(value))
  }

  /// `1+2i`.
  static func complex(_ position: Int, _ text: ByteString) throws(FunctionFailure) -> NumberNode {
    // The sign that separates the parts is the last one that does not belong to an exponent.
    let bytes = text.bytes
    var split: Int?
    for index in 1..<bytes.count where bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
      let isHex = bytes.dropFirst(bytes[0] == 0x2B || bytes[0] == 0x2D ? 1 : 0).starts(with: "0x".utf8)
      let exponents = isHex ? "pP".utf8 : "eE".utf8
      if !exponents.contains(bytes[index - 1]) {
        split = index
        break
      }
    }
    guard let split,
      let real = NumberSyntax.float(Array(bytes[..<split])),
      let imaginary = NumberSyntax.float(Array(bytes[split..<(bytes.count - 1)]))
    else { throw FunctionFailure("syntax error scanning complex number") }
    return complex(position, text, real, imaginary)
  }

  private static func complex(_ position: Int, _ text: ByteString, _ real: Double, _ imaginary: Double) -> NumberNode {
    let isReal = imaginary == 0
    return NumberNode(
      position, text, integer: isReal ? Int64(exactly: real) : nil, unsigned: isReal ? UInt64(exactly: real) : nil,
      float: isReal ? real : nil, imaginary: (real, imaginary))
  }

  /// An integer, a float or an imaginary number.
  static func plain(_ position: Int, _ text: ByteString) throws(FunctionFailure) -> NumberNode {
    let bytes = text.bytes
    if bytes.last == UInt8(ascii: "i"), let value = NumberSyntax.float(Array(bytes.dropLast())) {
      return complex(position, text, 0, value)
    }
    var unsigned = NumberSyntax.unsigned(bytes)
    let integer = NumberSyntax.integer(bytes)
    if integer == 0, unsigned == nil { unsigned = 0 }
    if let integer {
      return NumberNode(position, text, integer: integer, unsigned: unsigned, float: Double(integer))
    }
    if let unsigned {
      return NumberNode(position, text, integer: nil, unsigned: unsigned, float: Double(unsigned))
    }
    guard let float = NumberSyntax.float(bytes) else {
      throw FunctionFailure("illegal number syntax: " + Quoting.quoted(text))
    }
    guard bytes.contains(where: { ".eEpP".utf8.contains($0) }) else {
      throw FunctionFailure("integer overflow: " + Quoting.quoted(text))
    }
    return NumberNode(
      position, text, integer: Int64(exactly: float), unsigned: UInt64(exactly: float), float: float)
  }

  /// Whether the written form asks for a float where the context does not.
  var looksLikeFloat: Bool {
    let bytes = text.bytes
    guard bytes.contains(where: { ".eEpP".utf8.contains($0) }), bytes.first != UInt8(ascii: "'") else { return false }
    let isHex = bytes.count > 2 && bytes[0] == 0x30 && bytes[1] | 0x20 == UInt8(ascii: "x")
    return !(isHex && !bytes.contains(where: { "pP".utf8.contains($0) }))
  }
}

/// The forms of numbers in Go source, which `strconv` reads with base 0.
enum NumberSyntax {
  /// Underscores only between digits, or after a base prefix.
  static func underscoresAreFine(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    if let first = rest.first, first == 0x2B || first == 0x2D { rest = rest.dropFirst() }
    var saw = UInt8(ascii: "^")
    var isHex = false
    if rest.count >= 2, rest[rest.startIndex] == 0x30 {
      let prefix = rest[rest.startIndex + 1] | 0x20
      if "box".utf8.contains(prefix) {
        isHex = prefix == UInt8(ascii: "x")
        saw = 0x30
        rest = rest.dropFirst(2)
      }
    }
    for byte in rest {
      if (0x30...0x39).contains(byte) || (isHex && (0x61...0x66).contains(byte | 0x20)) {
        saw = 0x30
      } else if byte == 0x5F {
        guard saw == 0x30 else { return false }
        saw = 0x5F
      } else {
        if saw == 0x5F { return false }
        saw = UInt8(ascii: "!")
      }
    }
    return saw != 0x5F
  }

  /// An unsigned integer with an optional base prefix; `base` 0 reads the prefix and allows underscores.
  static func unsigned(_ text: [UInt8], base: Int = 0) -> UInt64? {
    guard let first = text.first else { return nil }
    var digits = text[...]
    var radix = base == 0 ? 10 : base
    if base == 0, first == 0x30 {
      let prefix = text.count >= 3 ? text[1] | 0x20 : 0
      switch prefix {
      case UInt8(ascii: "x"): (radix, digits) = (16, digits.dropFirst(2))
      case UInt8(ascii: "o"): (radix, digits) = (8, digits.dropFirst(2))
      case UInt8(ascii: "b"): (radix, digits) = (2, digits.dropFirst(2))
      default: (radix, digits) = (8, digits.dropFirst(1))
      }
    }
    if base == 0, text.contains(0x5F) {
      guard underscoresAreFine(text) else { return nil }
      digits = digits.filter { $0 != 0x5F }[...]
    }
    var value: UInt64 = 0
    for byte in digits {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix, byte < 0x80 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: UInt64(radix))
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      value = sum
    }
    return digits.isEmpty && first != 0x30 ? nil : value
  }

  /// A signed integer.
  static func integer(_ text: [UInt8], base: Int = 0) -> Int64? {
    guard let first = text.first else { return nil }
    let isSigned = first == 0x2B || first == 0x2D
    guard let magnitude = unsigned(isSigned ? Array(text.dropFirst()) : text, base: base) else { return nil }
    if first == 0x2D {
      return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }
    return Int64(exactly: magnitude)
  }

  /// A decimal or hexadecimal float; nil when malformed or out of range. `special` also admits `inf` and `nan`.
  static func float(_ text: [UInt8], special: Bool = false) -> Double? {
    var plain = text
    if text.contains(0x5F) {
      // Underscores are part of the syntax only after a base prefix.
      guard underscoresAreFine(text) else { return nil }
      plain = text.filter { $0 != 0x5F }
    }
    var unsigned = plain[...]
    if let first = unsigned.first, first == 0x2B || first == 0x2D { unsigned = unsigned.dropFirst() }
    guard let first = unsigned.first else { return nil }
    let isHex = unsigned.count > 2 && first == 0x30 && unsigned[unsigned.startIndex + 1] | 0x20 == UInt8(ascii: "x")
    if !(0x30...0x39).contains(first), first != UInt8(ascii: ".") {
      guard special else { return nil }
      switch String(decoding: unsigned, as: UTF8.self).lowercased() {
      case "inf", "infinity": return plain.first == 0x2D ? -Double.infinity : Double.infinity
      case "nan": return Double.nan
      default: return nil
      }
    }
    if isHex, !unsigned.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) { return nil }
    var form = String(decoding: plain, as: UTF8.self)
    // Swift wants a digit on both sides of the point.
    if let point = form.firstIndex(of: ".") {
      let after = form.index(after: point)
      if after == form.endIndex || form[after].hexDigitValue == nil || (!isHex && !form[after].isNumber) {
        form.insert("0", at: after)
      }
      if point == form.startIndex || form[form.index(before: point)].hexDigitValue == nil {
        // ".5" or "-.5" have a digit after; a lone "." has none.
        guard unsigned.count > 1 else { return nil }
        form.insert("0", at: point)
      }
    }
    guard let value = Double(form), value.isFinite else { return nil }
    return value
  }
}
