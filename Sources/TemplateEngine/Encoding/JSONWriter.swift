internal import BaseEncoding

extension TemplateValue {
  /// How JSON is written.
  public struct JSONStyle: Sendable {
    /// Writes `<`, `>` and `&` as escapes, as Go's encoder does unless told otherwise.
    public var escapesHTML: Bool
    /// Text for each level of indentation; nil for one line without spaces.
    public var indent: String?

    /// A style; the default is one line with HTML's characters escaped.
    public init(escapesHTML: Bool = true, indent: String? = nil) {
      self.escapesHTML = escapesHTML
      self.indent = indent
    }
  }

  /// The value as JSON, maps in the order of their keys. Throws `FunctionFailure` for what JSON cannot hold.
  public func json(_ style: JSONStyle = JSONStyle(), limits: TemplateLimits = TemplateLimits()) throws -> ByteString {
    var writer = JSONWriter(style, limits)
    try writer.write(self)
    return ByteString(bytes: writer.out)
  }
}

/// A writer of JSON texts in the manner of Go's encoder.
struct JSONWriter {
  private(set) var out: [UInt8] = []
  private let style: TemplateValue.JSONStyle
  private let limits: TemplateLimits
  private var depth = 0

  init(_ style: TemplateValue.JSONStyle, _ limits: TemplateLimits) {
    self.style = style
    self.limits = limits
  }

  mutating func write(_ value: TemplateValue) throws {
    if out.count > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
    switch try value.resolved() {
    case .nil, .lazy: out += "null".utf8
    case .bool(let bool): out += (bool ? "true" : "false").utf8
    case .int(let int): out += String(int).utf8
    case .sized(let sized): out += (sized.kind.isSigned ? String(sized.signed) : String(sized.bits)).utf8
    case .float(let float): try write(float)
    case .complex: throw FunctionFailure("json: unsupported type: complex128")
    case .string(let text): write(text.bytes)
    case .bytes(let bytes): write(Base64.encode(bytes))
    case .function(let function): throw FunctionFailure("json: unsupported type: \(function.typeName)")
    case .list(let list):
      try nested("[", "]", list.elements) { writer, element in try writer.write(element) }
    case .map(let map):
      try nested("{", "}", map.sorted) { writer, entry in
        writer.write(entry.key.bytes)
        writer.out += (writer.style.indent == nil ? ":" : ": ").utf8
        try writer.write(entry.value)
      }
    case .object(let object):
      if let printed = object.printed, object.fields.isEmpty { return write(printed.bytes) }
      try nested("{", "}", object.fields) { writer, field in
        writer.write(field.name.bytes)
        writer.out += (writer.style.indent == nil ? ":" : ": ").utf8
        try writer.write(field.value)
      }
    }
  }

  private mutating func nested<Element>(
    _ open: String, _ close: String, _ elements: [Element], _ body: (inout JSONWriter, Element) throws -> Void
  ) throws {
    depth += 1
    guard depth <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    out += open.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { out += ",".utf8 }
      newLine()
      try body(&self, element)
    }
    depth -= 1
    if !elements.isEmpty { newLine() }
    out += close.utf8
  }

  private mutating func newLine() {
    guard let indent = style.indent else { return }
    out.append(0x0A)
    for _ in 0..<depth { out += indent.utf8 }
  }

  private mutating func write(_ number: Double) throws {
    guard number.isFinite else {
      let shown = ByteString(bytes: FloatDigits.format(number, verb: UInt8(ascii: "g"), precision: -1))
      throw FunctionFailure("json: unsupported value: " + shown)
    }
    let magnitude = number.magnitude
    guard magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21 else {
      out += FloatDigits.format(number, verb: UInt8(ascii: "f"), precision: -1)
      return
    }
    var text = FloatDigits.format(number, verb: UInt8(ascii: "e"), precision: -1)
    // e-09 becomes e-9.
    let count = text.count
    if count >= 4, text[count - 4] == UInt8(ascii: "e"), text[count - 3] == UInt8(ascii: "-"), text[count - 2] == 0x30 {
      text.remove(at: count - 2)
    }
    out += text
  }

  private mutating func write(_ bytes: [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var index = 0
    while index < bytes.count {
      let (rune, width) = Runes.decode(bytes, index)
      switch rune {
      case 0x22, 0x5C: out += [0x5C, UInt8(rune)]
      case 0x0A: out += "\\n".utf8
      case 0x0D: out += "\\r".utf8
      case 0x09: out += "\\t".utf8
      case ..<0x20, 0x2028, 0x2029: escape(rune)
      case 0x3C, 0x3E, 0x26: if style.escapesHTML { escape(rune) } else { out.append(UInt8(rune)) }
      case 0xFFFD where width == 1: out += "\\ufffd".utf8
      default: out += bytes[index..<(index + width)]
      }
      index += width
    }
    out.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ rune: UInt32) {
    out += "\\u".utf8
    Quoting.appendHex(rune, digits: 4, to: &out)
  }
}
