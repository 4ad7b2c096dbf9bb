public import Codec

/// What may stand in one kind of block and which member of the API's JSON each thing becomes.
///
/// Files in HCL (jobspecs, agent configuration, node pools, …) are read in two steps: these tables turn blocks into JSON,
/// with an error at the exact place for whatever does not fit; the model then reads that JSON like any other. So a
/// jobspec and a JSON job cannot differ in meaning, and a new attribute is one line in a table.
public struct BlockSchema: Sendable {
  /// The JSON members that the block's labels become, in order; a block has exactly as many labels.
  public var labels: [String] = []
  /// Attributes by the name that files have.
  public var attributes: [String: AttributeSchema] = [:]
  /// Blocks by the name that files have.
  public var blocks: [String: NestedSchema] = [:]
  /// Whether attributes that no line names are kept as they are, for plugins that define their own.
  public var isOpen: Bool
  /// Reshapes the finished object where HCL and JSON differ by more than names; runs after everything was read.
  public var reshape: (@Sendable (inout JSONObject, inout Reshaping) -> Void)?

  /// A schema of `items`, one for each attribute or block that may stand there.
  public init(
    labels: [String] = [], _ items: [SchemaItem], open: Bool = false,
    reshape: (@Sendable (inout JSONObject, inout Reshaping) -> Void)? = nil
  ) {
    self.labels = labels
    isOpen = open
    self.reshape = reshape
    for item in items {
      switch item {
      case .attribute(let name, let attribute): attributes[name] = attribute
      case .block(let name, let nested): blocks[name] = nested
      case .both(let name, let attribute, let nested):
        attributes[name] = attribute
        blocks[name] = nested
      }
    }
  }
}

/// One line of a schema.
public enum SchemaItem: Sendable {
  case attribute(String, AttributeSchema)
  case block(String, NestedSchema)
  /// May be written as an attribute or as a block (`meta = {…}` and `meta {…}`).
  case both(String, AttributeSchema, NestedSchema)
}

/// An attribute of a block.
public struct AttributeSchema: Sendable {
  /// The JSON member.
  public let key: String
  /// What values it takes and how they become JSON.
  public let kind: Kind
  /// Whether a block without it is an error.
  public let isRequired: Bool

  /// What values an attribute takes and how they become JSON.
  public enum Kind: Sendable {
    case string, bool, int
    /// A Go duration ("30s") or a number of nanoseconds, kept in nanoseconds.
    case duration
    case strings, ints
    /// Names to strings; numbers and booleans are written as strings.
    case stringMap
    /// Names to lists of strings.
    case stringsMap
    /// Names to anything, kept as it is.
    case freeMap
    /// Anything, kept as it is.
    case free
  }
}

/// A block inside a block.
public struct NestedSchema: Sendable {
  /// The JSON member.
  public let key: String
  /// How often it may stand there and what it becomes.
  public let kind: Kind

  /// How often a block may stand there and what it becomes.
  public enum Kind: Sendable {
    /// At most one; becomes an object.
    case one(@Sendable () -> BlockSchema)
    /// Any number; becomes a list of objects in the order of the file.
    case many(@Sendable () -> BlockSchema)
    /// Any number; becomes an object whose member names are the blocks' one label (which also fills `Name`).
    case keyed(@Sendable () -> BlockSchema)
    /// At most one; becomes an object of strings.
    case stringMap
    /// At most one; becomes an object of lists of strings.
    case stringsMap
    /// At most one; becomes an object of whatever is written, inner blocks as lists of objects.
    case free
  }
}

/// What a reshaping may report.
public struct Reshaping {
  init() {}
  /// Summary and detail of errors about the whole block.
  public var errors: [(summary: String, detail: String)] = []
}

// MARK: one-line constructors for the tables

/// An attribute that holds a string.
public func string(_ name: String, _ key: String, required: Bool = false) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .string, isRequired: required))
}

/// An attribute that holds a boolean.
public func bool(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .bool, isRequired: false))
}

/// An attribute that holds a whole number.
public func int(_ name: String, _ key: String, required: Bool = false) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .int, isRequired: required))
}

/// An attribute that holds a length of time.
public func duration(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .duration, isRequired: false))
}

/// An attribute that holds a list of strings.
public func strings(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .strings, isRequired: false))
}

/// An attribute that holds a list of whole numbers.
public func ints(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .ints, isRequired: false))
}

/// Names to strings, as attribute or as block.
public func stringMap(_ name: String, _ key: String) -> SchemaItem {
  .both(name, AttributeSchema(key: key, kind: .stringMap, isRequired: false), NestedSchema(key: key, kind: .stringMap))
}

/// Names to lists of strings, as attribute or as block.
public func stringsMap(_ name: String, _ key: String) -> SchemaItem {
  .both(
    name, AttributeSchema(key: key, kind: .stringsMap, isRequired: false), NestedSchema(key: key, kind: .stringsMap))
}

/// Names to anything, as attribute or as block.
public func freeMap(_ name: String, _ key: String) -> SchemaItem {
  .both(name, AttributeSchema(key: key, kind: .freeMap, isRequired: false), NestedSchema(key: key, kind: .free))
}

/// An attribute that holds anything.
public func free(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, AttributeSchema(key: key, kind: .free, isRequired: false))
}

/// A block that may stand once.
public func one(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, NestedSchema(key: key, kind: .one(schema)))
}

/// A block that may be repeated.
public func many(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, NestedSchema(key: key, kind: .many(schema)))
}

/// A block that may be repeated, told apart by its label.
public func keyed(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, NestedSchema(key: key, kind: .keyed(schema)))
}
