public import Codec
public import HCL

/// Reads a body by a schema.
///
/// Every mistake is reported at its place and reading goes on, so one run shows them all. What is wrong is left out of
/// the result.
public struct BodyDecoder {
  /// What was found wrong, in the order of the file.
  public private(set) var diagnostics: [Diagnostic] = []
  private let context: EvaluationContext

  /// - Parameter context: the variables and functions that expressions see.
  public init(context: EvaluationContext) { self.context = context }

  /// The JSON object that `body` becomes.
  public mutating func object(_ body: Body, schema: BlockSchema, labels: Labels? = nil) -> JSONObject {
    var result = JSONObject()
    if let labels { readLabels(labels, schema, into: &result) }
    var singles: [String: SourceRange] = [:]
    for item in body.items {
      switch item {
      case .attribute(let attribute):
        if let known = schema.attributes[attribute.name] {
          if let value = self.value(attribute.expression, known.kind) { result[known.key] = value }
        } else if let nested = schema.blocks[attribute.name], let bodies = bodies(from: attribute, nested) {
          for block in bodies { read(block, nested, into: &result, &singles) }
        } else if schema.isOpen {
          if let value = self.value(attribute.expression, .free) { result[attribute.name] = value }
        } else {
          unexpected(attribute, schema)
        }
      case .block(let block):
        if let nested = schema.blocks[block.type] {
          read(block, nested, into: &result, &singles)
        } else {
          unexpected(block, schema)
        }
      }
    }
    for (name, attribute) in schema.attributes.sorted(by: { $0.key < $1.key })
    where attribute.isRequired && body.attribute(name) == nil {
      report("Missing required argument", "The argument \"\(name)\" is required here.", body.endRange)
    }
    if let reshape = schema.reshape {
      var reshaping = Reshaping()
      reshape(&result, &reshaping)
      for error in reshaping.errors { report(error.summary, error.detail, labels?.headerRange ?? body.range) }
    }
    return result
  }

  /// The labels of the block that a body belongs to.
  public struct Labels {
    let type: String
    let names: [String]
    let ranges: [SourceRange]
    let headerRange: SourceRange

    /// The labels of `block`.
    public init(of block: Block) {
      type = block.type
      names = block.labels
      ranges = block.labelRanges
      headerRange = block.headerRange
    }
  }

  private mutating func readLabels(_ labels: Labels, _ schema: BlockSchema, into result: inout JSONObject) {
    for (place, key) in schema.labels.enumerated() {
      guard place < labels.names.count else {
        report(
          "Missing label",
          "A \(labels.type) block needs \(schema.labels.count) label(s), as in: \(labels.type) \"…\" { … }",
          labels.headerRange)
        return
      }
      result[key] = .string(labels.names[place])
    }
    if labels.names.count > schema.labels.count {
      let expected = schema.labels.isEmpty ? "no labels" : "\(schema.labels.count) label(s)"
      report(
        "Extraneous label for \(labels.type)", "A \(labels.type) block takes \(expected).",
        labels.ranges.count > schema.labels.count ? labels.ranges[schema.labels.count] : labels.headerRange)
    }
  }

  // MARK: blocks

  private mutating func read(
    _ block: Block, _ nested: NestedSchema, into result: inout JSONObject, _ singles: inout [String: SourceRange]
  ) {
    switch nested.kind {
    case .one(let schema):
      guard isFirst(block, &singles) else { return }
      result[nested.key] = .object(object(block.body, schema: schema(), labels: Labels(of: block)))
    case .many(let schema):
      let value = JSONValue.object(object(block.body, schema: schema(), labels: Labels(of: block)))
      result[nested.key] = .array((result[nested.key]?.arrayValue ?? []) + [value])
    case .keyed(let schema):
      let value = object(block.body, schema: schema(), labels: Labels(of: block))
      guard let name = block.labels.first else { return }
      var members = result[nested.key]?.objectValue ?? JSONObject()
      if members[name] != nil {
        report(
          "Duplicate \(block.type) block", "There is another \(block.type) \"\(name)\" before this one.",
          block.headerRange)
      }
      members[name] = .object(value)
      result[nested.key] = .object(members)
    case .stringMap: readMap(block, nested, .stringMap, into: &result, &singles)
    case .stringsMap: readMap(block, nested, .stringsMap, into: &result, &singles)
    case .free:
      guard isFirst(block, &singles) else { return }
      result[nested.key] = .object(freeObject(block.body))
    }
  }

  private mutating func isFirst(_ block: Block, _ singles: inout [String: SourceRange]) -> Bool {
    if let before = singles[block.type] {
      report(
        "Duplicate \(block.type) block",
        "Only one \(block.type) block is allowed here; another is on line \(before.start.line).", block.headerRange)
      return false
    }
    singles[block.type] = block.headerRange
    return true
  }

  private mutating func readMap(
    _ block: Block, _ nested: NestedSchema, _ kind: AttributeSchema.Kind, into result: inout JSONObject,
    _ singles: inout [String: SourceRange]
  ) {
    guard isFirst(block, &singles) else { return }
    var members = JSONObject()
    for item in block.body.items {
      switch item {
      case .attribute(let attribute):
        let element: AttributeSchema.Kind = if case .stringsMap = kind { .strings } else { .string }
        if let value = self.value(attribute.expression, element) { members[attribute.name] = value }
      case .block(let inner):
        report("Unsupported block", "A \(block.type) block holds only name = value lines.", inner.headerRange)
      }
    }
    result[nested.key] = .object(members)
  }

  /// Whatever stands in a block whose content belongs to somebody else, a driver for example.
  private mutating func freeObject(_ body: Body) -> JSONObject {
    var result = JSONObject()
    for item in body.items {
      switch item {
      case .attribute(let attribute):
        if let value = self.value(attribute.expression, .free) { result[attribute.name] = value }
      case .block(let block):
        var value = JSONValue.object(freeObject(block.body))
        for label in block.labels.reversed() {
          var wrapper = JSONObject()
          wrapper[label] = .array([value])
          value = .object(wrapper)
        }
        result[block.type] = .array((result[block.type]?.arrayValue ?? []) + [value])
      }
    }
    return result
  }

  /// In JSON a block is written as a property whose value is an object or a list of objects, with one more level of
  /// objects for each label. Nil when `attribute` is no such thing.
  private func bodies(from attribute: HCL.Attribute, _ nested: NestedSchema) -> [Block]? {
    let labelCount: Int
    switch nested.kind {
    case .one(let schema), .many(let schema), .keyed(let schema): labelCount = schema().labels.count
    case .stringMap, .stringsMap, .free: labelCount = 0
    }
    return blocks(attribute.name, attribute.nameRange, attribute.expression, labelCount, [])
  }

  private func blocks(
    _ type: String, _ range: SourceRange, _ expression: Expression, _ labelsLeft: Int, _ labels: [(String, SourceRange)]
  ) -> [Block]? {
    switch expression.unwrapped.kind {
    case .tuple(let elements):
      var result: [Block] = []
      for element in elements {
        guard let inner = blocks(type, range, element, labelsLeft, labels) else { return nil }
        result += inner
      }
      return result
    case .object(let items):
      var body = Body(range: expression.range, endRange: expression.range)
      var result: [Block] = []
      for item in items {
        guard let key = item.bareName ?? item.key.literalString else { return nil }
        if labelsLeft > 0 {
          guard let inner = blocks(type, range, item.value, labelsLeft - 1, labels + [(key, item.key.range)]) else {
            return nil
          }
          result += inner
        } else {
          body.items.append(
            .attribute(
              HCL.Attribute(
                name: key, expression: item.value, nameRange: item.key.range,
                range: .between(item.key.range, item.value.range))))
        }
      }
      if labelsLeft > 0 { return result }
      return [
        Block(
          type: type, labels: labels.map(\.0), body: body, typeRange: range, labelRanges: labels.map(\.1),
          headerRange: range)
      ]
    default: return nil
    }
  }

  // MARK: attributes

  private mutating func value(_ expression: Expression, _ kind: AttributeSchema.Kind) -> JSONValue? {
    let evaluated = expression.evaluated(in: context)
    diagnostics += evaluated.diagnostics
    guard !evaluated.diagnostics.hasErrors, !evaluated.value.isNull else { return nil }
    guard evaluated.value.isWhollyKnown else {
      report("Unsuitable value", "The value must be known here.", expression.range)
      return nil
    }
    do throws(Mismatch) {
      return try Self.json(evaluated.value, kind)
    } catch {
      report("Unsuitable value type", error.message, expression.range)
      return nil
    }
  }

  private struct Mismatch: Error {
    let message: String
  }

  private static func json(_ value: Value, _ kind: AttributeSchema.Kind) throws(Mismatch) -> JSONValue {
    switch kind {
    case .string: return .string(try text(value))
    case .bool:
      guard let flag = try converted(value, .bool).asBool else { throw Mismatch(message: "A boolean is needed here.") }
      return .bool(flag)
    case .int:
      guard let number = try converted(value, .number).asNumber, let whole = number.asInt else {
        throw Mismatch(message: "A whole number is needed here.")
      }
      return .int(Int64(whole))
    case .duration: return .int(try duration(value))
    case .strings: return .array(try elements(value).map { element throws(Mismatch) in .string(try text(element)) })
    case .ints:
      return .array(try elements(value).map { element throws(Mismatch) in try json(element, .int) })
    case .stringMap:
      var result = JSONObject()
      for (key, element) in try members(value) where !element.isNull { result[key] = .string(try text(element)) }
      return .object(result)
    case .stringsMap:
      var result = JSONObject()
      for (key, element) in try members(value) where !element.isNull { result[key] = try json(element, .strings) }
      return .object(result)
    case .freeMap:
      _ = try members(value)
      return free(value)
    case .free: return free(value)
    }
  }

  private static func converted(_ value: Value, _ type: ValueType) throws(Mismatch) -> Value {
    do throws(Conversion.Failure) {
      return try Conversion.convert(value, to: type)
    } catch {
      throw Mismatch(message: "\(error.description).")
    }
  }

  private static func text(_ value: Value) throws(Mismatch) -> String {
    guard let text = try converted(value, .string).asString else { throw Mismatch(message: "A string is needed here.") }
    return text
  }

  private static func duration(_ value: Value) throws(Mismatch) -> Int64 {
    if let number = value.asNumber?.asInt { return Int64(number) }
    guard let text = value.asString else {
      throw Mismatch(message: "A duration such as \"30s\" or \"1h15m\" is needed here, not \(value.type.friendlyName).")
    }
    guard let duration = Nanoseconds(parsing: text) else {
      throw Mismatch(
        message: "\"\(text)\" is no duration: write numbers with units, such as \"30s\", \"1h15m\" or \"500ms\".")
    }
    return duration.count
  }

  private static func elements(_ value: Value) throws(Mismatch) -> [Value] {
    guard let elements = value.asSequence else {
      throw Mismatch(message: "A list is needed here, not \(value.type.friendlyName).")
    }
    return elements
  }

  private static func members(_ value: Value) throws(Mismatch) -> [(key: String, value: Value)] {
    guard let members = value.sortedPairs else {
      throw Mismatch(message: "An object of names and values is needed here, not \(value.type.friendlyName).")
    }
    return members
  }

  private static func free(_ value: Value) -> JSONValue {
    if value.isNull { return .null }
    if let flag = value.asBool { return .bool(flag) }
    if let text = value.asString { return .string(text) }
    if let number = value.asNumber {
      if number.isInteger, let whole = number.asInt { return .int(Int64(whole)) }
      return .double(number.asDouble)
    }
    if let elements = value.asSequence { return .array(elements.map(free)) }
    var result = JSONObject()
    for (key, element) in value.sortedPairs ?? [] { result[key] = free(element) }
    return .object(result)
  }

  // MARK: mistakes

  private mutating func unexpected(_ attribute: HCL.Attribute, _ schema: BlockSchema) {
    var detail = "An argument named \"\(attribute.name)\" is not expected here."
    if schema.blocks[attribute.name] != nil {
      detail += " It is a block: write \(attribute.name) { … } without an equals sign."
    } else {
      detail += Suggestion.sentence(for: attribute.name, among: schema.attributes.keys.sorted())
    }
    report("Unsupported argument", detail, attribute.nameRange)
  }

  private mutating func unexpected(_ block: Block, _ schema: BlockSchema) {
    var detail = "Blocks of type \"\(block.type)\" are not expected here."
    if schema.attributes[block.type] != nil {
      detail += " It is an argument: write \(block.type) = … with an equals sign."
    } else {
      detail += Suggestion.sentence(for: block.type, among: schema.blocks.keys.sorted())
    }
    report("Unsupported block type", detail, block.typeRange)
  }

  private mutating func report(_ summary: String, _ detail: String, _ range: SourceRange) {
    diagnostics.append(Diagnostic(.error, summary, detail, subject: range))
  }
}
