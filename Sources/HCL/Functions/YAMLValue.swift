internal import YAML

/// What `yamldecode` makes of a document: the types of plain scalars are those of YAML 1.1's most used schema, with the numbers
/// of HCL.
enum YAMLValue {
  /// - Throws: `FunctionFailure` with the place, also for more than one document, or none.
  static func decode(_ text: String, _ room: FunctionRoom) throws(FunctionFailure) -> Value {
    let document: YAMLNode?
    do throws(YAMLError) {
      document = try YAMLDocument.read(Array(text.utf8), limits: YAMLLimits(nodes: room.weight))
    } catch {
      throw failure(error.problem, line: error.line, column: error.column)
    }
    guard let document else { throw failure("there is no document", line: 1, column: 1) }
    return try value(document, room)
  }

  private static func failure(_ problem: String, line: Int, column: Int) -> FunctionFailure {
    FunctionFailure("the string is no valid YAML: line \(line), column \(column): \(problem)", argument: 0)
  }

  private static func failure(_ problem: String, _ node: YAMLNode) -> FunctionFailure {
    failure(problem, line: node.line, column: node.column)
  }

  private static func value(_ node: YAMLNode, _ room: FunctionRoom) throws(FunctionFailure) -> Value {
    let value: Value
    switch node.content {
    case .scalar(let text, let style): value = try scalar(text, style, node)
    case .sequence(let elements):
      try checkTag(node, "seq")
      var values: [Value] = []
      for element in elements { values.append(try self.value(element, room)) }
      value = .tuple(values)
    case .mapping(let entries):
      try checkTag(node, "map")
      value = try mapping(entries, room)
    }
    if value.weight > room.weight { throw failure("the value is too large", node) }
    return value
  }

  private static func mapping(
    _ entries: [(key: YAMLNode, value: YAMLNode)], _ room: FunctionRoom
  ) throws(FunctionFailure) -> Value {
    var own: [String: Value] = [:]
    // What stands in the map itself wins over what is merged into it, and the first merged map over later ones.
    var merged: [String: Value] = [:]
    for (key, node) in entries {
      let element = try value(node, room)
      if key.isMergeKey {
        for source in element.asSequence ?? [element] {
          guard let mapping = source.asMapping else { throw failure("only maps can be merged", node) }
          merged.merge(mapping) { first, _ in first }
        }
        continue
      }
      let name = try value(key, room)
      if name.isNull { throw failure("a key can't be null", key) }
      guard let text = try? Conversion.convert(name, to: .string).asString else {
        throw failure("a key must be a scalar", key)
      }
      own[text] = element
    }
    return .object(merged.merging(own) { $1 })
  }

  private static func checkTag(_ node: YAMLNode, _ expected: String) throws(FunctionFailure) {
    guard let tag = node.tag, tag != "!", node.standardTag != expected else { return }
    throw failure("the tag \"\(tag)\" is not supported here", node)
  }

  /// As the library behind the function does it in other tools: a tag must fit the text, quotes make a string whatever it
  /// is, and a block without a tag is the text of what it would mean without its indicator.
  private static func scalar(
    _ text: String, _ style: YAMLNode.ScalarStyle, _ node: YAMLNode
  ) throws(FunctionFailure) -> Value {
    let plain = resolved(text)
    guard let tag = node.tag else {
      switch style {
      case .plain: return plain
      case .quoted: return .string(text)
      case .block: return (try? Conversion.convert(plain, to: .string)) ?? .string(text)
      }
    }
    let fits =
      switch node.standardTag {
      case "int", "float": plain.asNumber != nil
      case "bool": plain.asBool != nil
      case "null": plain.isNull
      case "timestamp": plain.asString != nil
      case "str", "binary": true
      default: tag == "!"
      }
    guard fits else {
      throw failure(
        node.standardTag.map { "\"\(text)\" is no !!\($0)" } ?? "the tag \"\(tag)\" is not supported", node)
    }
    let isTyped = ["int", "float", "bool", "null", "timestamp"].contains(node.standardTag)
    return isTyped && style != .quoted ? plain : .string(text)
  }

  /// What a plain scalar means.
  private static func resolved(_ text: String) -> Value {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null()
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .false
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
      return Number(Double.infinity).map { .number($0) } ?? .string(text)
    case "-.inf", "-.Inf", "-.INF": return Number(-Double.infinity).map { .number($0) } ?? .string(text)
    default: break
    }
    guard let first = text.utf8.first,
      (0x30...0x39).contains(first) || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ".")].contains(first)
    else { return .string(text) }
    if text.hasPrefix("0x"), let n = Number(integer: String(text.dropFirst(2)), base: 16), text.count > 2 {
      return .number(n)
    }
    if text.hasPrefix("0o"), let n = Number(integer: String(text.dropFirst(2)), base: 8), text.count > 2 {
      return .number(n)
    }
    let digits = text.filter { $0 != "_" }
    if let number = Number(digits) { return .number(number) }
    if text.utf8.count == 10, let day = try? Timestamp(parsing: text + "T00:00:00Z") { return .string(day.text) }
    return .string(text)
  }
}
