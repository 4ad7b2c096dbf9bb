/// Writes a map as TOML: plain keys of a table first, then its sub-tables, each group in the order of the keys.
enum TOMLWriter {
  static func write(_ value: TemplateValue, _ limits: TemplateLimits) throws -> [UInt8] {
    guard case .map(let map) = try value.resolved() else {
      throw FunctionFailure("toTOML: top-level values must be Go maps or structs")
    }
    var out: [UInt8] = []
    try table(map, path: [], &out, limits)
    return out
  }

  private static func table(
    _ map: TemplateMap, path: [[UInt8]], _ out: inout [UInt8], _ limits: TemplateLimits
  ) throws {
    guard path.count <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    let indent = Array(repeating: UInt8(0x20), count: max(path.count - 1, 0) * 2)
    var tables: [(key: ByteString, value: TemplateValue)] = []
    for entry in map.sorted {
      let value = try entry.value.resolved()
      if value.isNil { continue }
      if try isTable(value) {
        tables.append((entry.key, value))
        continue
      }
      if !path.isEmpty { out += indent + [0x20, 0x20] }
      out += key(entry.key.bytes) + Array(" = ".utf8)
      try inline(value, &out, limits, 0)
      out.append(0x0A)
    }
    for entry in tables {
      let inner = path + [key(entry.key.bytes)]
      let heading = ByteText.join(inner, [UInt8(ascii: ".")])
      let pad = Array(repeating: UInt8(0x20), count: (inner.count - 1) * 2)
      let children = try Conversions.elements(entry.value)
      for child in children ?? [entry.value] {
        guard case .map(let map) = child else { continue }
        if !out.isEmpty { out.append(0x0A) }
        out += pad + (children == nil ? "[" : "[[").utf8 + heading + (children == nil ? "]" : "]]").utf8 + [0x0A]
        try table(map, path: inner, &out, limits)
      }
    }
  }

  /// Tables and lists of tables come after plain keys.
  private static func isTable(_ value: TemplateValue) throws -> Bool {
    if case .map = value { return true }
    guard case .list = value, let elements = try Conversions.elements(value), !elements.isEmpty else { return false }
    return elements.allSatisfy { if case .map = $0 { true } else { false } }
  }

  private static func key(_ bytes: [UInt8]) -> [UInt8] {
    let isBare =
      !bytes.isEmpty
      && bytes.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & ~0x20) || $0 == 0x5F || $0 == 0x2D
      }
    return isBare ? bytes : quoted(bytes)
  }

  private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x22]
    for byte in bytes {
      switch byte {
      case 0x08: out += "\\b".utf8
      case 0x09: out += "\\t".utf8
      case 0x0A: out += "\\n".utf8
      case 0x0C: out += "\\f".utf8
      case 0x0D: out += "\\r".utf8
      case 0x22, 0x5C: out += [0x5C, byte]
      case ..<0x20, 0x7F:
        out += "\\u".utf8
        Quoting.appendHex(UInt32(byte), digits: 4, to: &out)
      default: out.append(byte)
      }
    }
    return out + [0x22]
  }

  private static func inline(
    _ value: TemplateValue, _ out: inout [UInt8], _ limits: TemplateLimits, _ depth: Int
  ) throws {
    guard depth <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    if out.count > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
    switch value {
    case .string(let text): out += quoted(text.bytes)
    case .bytes(let bytes): out += quoted(bytes)
    case .float(let float):
      if float.isNaN {
        out += "nan".utf8
      } else if float.isInfinite {
        out += (float < 0 ? "-inf" : "inf").utf8
      } else {
        let text = FloatDigits.format(float, verb: UInt8(ascii: "f"), precision: -1)
        out += text.contains(UInt8(ascii: ".")) ? text : text + ".0".utf8
      }
    case .map(let map):
      out += "{".utf8
      for (index, entry) in map.sorted.enumerated() {
        if index > 0 { out += ", ".utf8 }
        out += key(entry.key.bytes) + Array(" = ".utf8)
        try inline(try entry.value.resolved(), &out, limits, depth + 1)
      }
      out += "}".utf8
    case .list:
      out += "[".utf8
      for (index, element) in (try Conversions.elements(value) ?? []).enumerated() {
        if element.isNil { throw FunctionFailure("toTOML: toml: cannot encode array with nil element") }
        if index > 0 { out += ", ".utf8 }
        try inline(element, &out, limits, depth + 1)
      }
      out += "]".utf8
    default: out += try Formatter.format(Array("%v".utf8), [value], limits)
    }
  }
}
