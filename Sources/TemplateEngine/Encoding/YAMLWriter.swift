/// Writes values as YAML in the block style of Go's yaml.v2: maps in natural order of their keys, lists not indented
/// under their key.
enum YAMLWriter {
  static func write(_ value: TemplateValue, _ limits: TemplateLimits) throws -> [UInt8] {
    var out: [UInt8] = []
    try node(value, indent: 0, position: .top, &out, limits, 0)
    return out
  }

  private enum Position { case top, mapValue, listItem }

  private static func node(
    _ given: TemplateValue, indent: Int, position: Position, _ out: inout [UInt8], _ limits: TemplateLimits,
    _ depth: Int
  ) throws {
    guard depth <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    if out.count > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
    let value = try given.resolved()
    let entries: [(key: ByteString, value: TemplateValue)]?
    switch value {
    case .map(let map): entries = map.entries.sorted { precedes($0.key.bytes, $1.key.bytes) }
    case .object(let object) where object.printed == nil:
      entries = object.fields.map { (ByteString($0.name.description.lowercased()), $0.value) }
    default: entries = nil
    }
    if let entries {
      if entries.isEmpty { return line(" {}", position, &out) }
      if position == .mapValue { out.append(0x0A) }
      for (number, entry) in entries.enumerated() {
        // The first entry of a map in a list stands on the dash's line.
        if !(position == .listItem && number == 0) { out += repeatElement(0x20, count: indent) }
        if position == .listItem, number == 0 { out.append(0x20) }
        out += scalar(entry.key.bytes, indent: indent)
        out.append(UInt8(ascii: ":"))
        try node(entry.value, indent: indent + 2, position: .mapValue, &out, limits, depth + 1)
      }
      return
    }
    if let elements = try Conversions.elements(value), case .list = value {
      if elements.isEmpty { return line(" []", position, &out) }
      if position == .mapValue { out.append(0x0A) }
      // A list under a key stands at the key's own indentation.
      let own = position == .mapValue ? indent - 2 : indent
      for (number, element) in elements.enumerated() {
        if position == .listItem, number == 0 {
          out.append(0x20)
        } else {
          out += repeatElement(0x20, count: own)
        }
        out.append(UInt8(ascii: "-"))
        try node(element, indent: own + 2, position: .listItem, &out, limits, depth + 1)
      }
      return
    }
    let text: [UInt8]
    switch value {
    case .string(let string): text = scalar(string.bytes, indent: indent, isValue: true)
    case .bytes(let bytes): text = scalar(bytes, indent: indent, isValue: true)
    case .nil: text = Array("null".utf8)
    case .float(let float):
      if float.isNaN {
        text = Array(".nan".utf8)
      } else if float.isInfinite {
        text = Array((float < 0 ? "-.inf" : ".inf").utf8)
      } else {
        text = FloatDigits.format(float, verb: UInt8(ascii: "g"), precision: -1)
      }
    default: text = scalar(try Formatter.format(Array("%v".utf8), [value], limits), indent: indent, isText: false)
    }
    if position != .top { out.append(0x20) }
    out += text
    out.append(0x0A)
  }

  private static func line(_ text: String, _ position: Position, _ out: inout [UInt8]) {
    out += position == .top ? Array(text.utf8.dropFirst()) : Array(text.utf8)
    out.append(0x0A)
  }

  /// yaml.v2's order: letters before what is no letter is undone by comparing numbers inside keys as numbers.
  private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    let (first, second) = (Runes.all(left), Runes.all(right))
    for index in 0..<min(first.count, second.count) where first[index] != second[index] {
      let (one, other) = (first[index], second[index])
      let (isLetter, isOtherLetter) = (Runes.isLetter(one), Runes.isLetter(other))
      if isLetter && isOtherLetter { return one < other }
      if isLetter || isOtherLetter { return isOtherLetter }
      func number(_ runes: [UInt32]) -> (value: Int, digits: Int) {
        var start = index
        // A zero in front of the difference belongs to the number.
        while start > 0, Runes.isDigit(runes[start - 1]), runes[start - 1] < 0x80 { start -= 1 }
        var value = 0
        var digits = 0
        for rune in runes[start...] {
          guard (0x30...0x39).contains(rune), digits < 18 else { break }
          value = value * 10 + Int(rune - 0x30)
          digits += 1
        }
        return (value, digits)
      }
      let (a, b) = (number(first), number(second))
      if a.value != b.value { return a.value < b.value }
      if a.digits != b.digits { return a.digits < b.digits }
      return one < other
    }
    return first.count < second.count
  }

  /// A scalar, quoted where reading it plainly would give something else.
  private static func scalar(
    _ bytes: [UInt8], indent: Int, isValue: Bool = false, isText: Bool = true
  ) -> [UInt8] {
    guard isText else { return bytes }
    if bytes.isEmpty || YAMLScalar.resolvesToOther(bytes) { return Quoting.quoted(bytes).bytes }
    let runes = Runes.all(bytes)
    let isPrintable = runes.allSatisfy { Runes.isPrintable($0) || $0 == 0x0A || $0 == 0x09 && false }
    guard isPrintable else { return Quoting.quoted(bytes).bytes }
    if bytes.contains(0x0A) {
      guard isValue, bytes.first != 0x20, bytes.first != 0x0A else { return Quoting.quoted(bytes).bytes }
      return literal(bytes, indent: indent)
    }
    return YAMLScalar.canBePlain(bytes) ? bytes : single(bytes)
  }

  private static func single(_ bytes: [UInt8]) -> [UInt8] {
    [0x27] + bytes.flatMap { $0 == 0x27 ? [0x27, 0x27] : [$0] } + [0x27]
  }

  /// `|` with the text's lines indented below.
  private static func literal(_ bytes: [UInt8], indent: Int) -> [UInt8] {
    var body = bytes
    var out: [UInt8] = [UInt8(ascii: "|")]
    if body.last != 0x0A {
      out.append(UInt8(ascii: "-"))
    } else {
      body.removeLast()
      if body.last == 0x0A { out.append(UInt8(ascii: "+")) }
    }
    for line in body.split(separator: 0x0A, omittingEmptySubsequences: false) {
      out.append(0x0A)
      if !line.isEmpty {
        out += repeatElement(0x20, count: max(indent, 2))
        out += line
      }
    }
    return out
  }
}
