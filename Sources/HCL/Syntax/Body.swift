/// The content of a file or a block: attributes and blocks in source order.
public struct Body: Sendable {
  /// What a body consists of.
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

  /// A body of `items`, in source order.
  public init(items: [Item] = [], range: SourceRange, endRange: SourceRange) {
    self.items = items
    self.range = range
    self.endRange = endRange
  }

  /// The attributes, in source order.
  public var attributes: [Attribute] {
    items.compactMap { if case .attribute(let a) = $0 { a } else { nil } }
  }

  /// The blocks of all types, in source order.
  public var blocks: [Block] {
    items.compactMap { if case .block(let b) = $0 { b } else { nil } }
  }

  /// The attribute of that name, the first if a faulty text has several.
  public func attribute(_ name: String) -> Attribute? {
    for case .attribute(let attribute) in items where attribute.name == name { return attribute }
    return nil
  }

  /// The blocks of that type, in source order.
  public func blocks(_ type: String) -> [Block] {
    blocks.filter { $0.type == type }
  }
}

/// `name = expression`
public struct Attribute: Sendable {
  /// The name.
  public var name: String
  /// What stands behind the equals sign.
  public var expression: Expression
  /// The place of the name.
  public var nameRange: SourceRange
  /// Name, equals sign and expression.
  public var range: SourceRange

  /// An attribute with everything given.
  public init(name: String, expression: Expression, nameRange: SourceRange, range: SourceRange) {
    self.name = name
    self.expression = expression
    self.nameRange = nameRange
    self.range = range
  }
}

/// `type "label" { … }`
public struct Block: Sendable {
  /// The word that the block begins with.
  public var type: String
  /// The labels, without quotes.
  public var labels: [String]
  /// What stands between the braces.
  public var body: Body
  /// The place of the type.
  public var typeRange: SourceRange
  /// The place of each label, quotes included.
  public var labelRanges: [SourceRange]
  /// Type and labels, without the body.
  public var headerRange: SourceRange

  /// A block with everything given.
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
