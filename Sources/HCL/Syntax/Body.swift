/// The content of a file or a block: attributes and blocks in source order.
public struct Body: Sendable {
  public enum Item: Sendable {
    case attribute(Attribute)
    case block(Block)
  }

  /// In source order.
  public var items: [Item]
  /// The text of the body, for a block with its braces.
  public var range: SourceRange
  /// The end of the body, where something missing from it could be put.
  public var endRange: SourceRange

  public init(items: [Item] = [], range: SourceRange, endRange: SourceRange) {
    self.items = items
    self.range = range
    self.endRange = endRange
  }

  public var attributes: [Attribute] {
    items.compactMap { if case .attribute(let a) = $0 { a } else { nil } }
  }

  public var blocks: [Block] {
    items.compactMap { if case .block(let b) = $0 { b } else { nil } }
  }

  public func attribute(_ name: String) -> Attribute? {
    for case .attribute(let attribute) in items where attribute.name == name { return attribute }
    return nil
  }

  public func blocks(_ type: String) -> [Block] {
    blocks.filter { $0.type == type }
  }
}

/// `name = expression`
public struct Attribute: Sendable {
  public var name: String
  public var expression: Expression
  public var nameRange: SourceRange
  /// Name, equals sign and expression.
  public var range: SourceRange

  public init(name: String, expression: Expression, nameRange: SourceRange, range: SourceRange) {
    self.name = name
    self.expression = expression
    self.nameRange = nameRange
    self.range = range
  }
}

/// `type "label" { … }`
public struct Block: Sendable {
  public var type: String
  public var labels: [String]
  public var body: Body
  public var typeRange: SourceRange
  /// The place of each label, quotes included.
  public var labelRanges: [SourceRange]
  /// Type and labels, without the body.
  public var headerRange: SourceRange

  public init(
    type: String, labels: [String], body: Body, typeRange: SourceRange, labelRanges: [SourceRange],
    headerRange: SourceRange
  ) {
    self.type = type
    self.labels = labels
    self.body = body
    self.typeRange = typeRange
    self.labelRanges = labelRanges
    self.headerRange = headerRange
  }
}
