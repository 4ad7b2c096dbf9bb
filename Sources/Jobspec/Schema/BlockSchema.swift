internal import Codec

/// What may stand in one kind of block and which member of the API's JSON each thing becomes.
///
/// A jobspec is read in two steps: these tables turn blocks into the JSON that the API takes, with an error at the exact
/// place for whatever does not fit; the model then reads that JSON like any other. So a jobspec and a JSON job cannot
/// differ in meaning, and a new attribute is one line in a table.
struct BlockSchema: Sendable {
  /// The JSON members that the block's labels become, in order; a block has exactly as many labels.
  var labels: [String] = []
  var attributes: [String: Attribute] = [:]
  var blocks: [String: Nested] = [:]
  /// Reshapes the finished object where HCL and JSON differ by more than names; runs after everything was read.
  var reshape: (@Sendable (inout JSONObject, inout Reshaping) -> Void)?

  init(
    labels: [String] = [], _ items: [SchemaItem],
    reshape: (@Sendable (inout JSONObject, inout Reshaping) -> Void)? = nil
  ) {
    self.labels = labels
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
enum SchemaItem: Sendable {
  case attribute(String, Attribute)
  case block(String, Nested)
  /// May be written as an attribute or as a block (`meta = {…}` and `meta {…}`).
  case both(String, Attribute, Nested)
}

/// An attribute of a block.
struct Attribute: Sendable {
  /// The JSON member.
  let key: String
  let kind: Kind
  let isRequired: Bool

  enum Kind: Sendable {
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
struct Nested: Sendable {
  /// The JSON member.
  let key: String
  let kind: Kind

  enum Kind: Sendable {
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
struct Reshaping {
  /// Summary and detail of errors about the whole block.
  var errors: [(summary: String, detail: String)] = []
}

// MARK: one-line constructors for the tables

func string(_ name: String, _ key: String, required: Bool = false) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .string, isRequired: required))
}

func bool(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .bool, isRequired: false))
}

func int(_ name: String, _ key: String, required: Bool = false) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .int, isRequired: required))
}

func duration(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .duration, isRequired: false))
}

func strings(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .strings, isRequired: false))
}

func ints(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .ints, isRequired: false))
}

func stringMap(_ name: String, _ key: String) -> SchemaItem {
  .both(name, Attribute(key: key, kind: .stringMap, isRequired: false), Nested(key: key, kind: .stringMap))
}

func stringsMap(_ name: String, _ key: String) -> SchemaItem {
  .both(name, Attribute(key: key, kind: .stringsMap, isRequired: false), Nested(key: key, kind: .stringsMap))
}

func freeMap(_ name: String, _ key: String) -> SchemaItem {
  .both(name, Attribute(key: key, kind: .freeMap, isRequired: false), Nested(key: key, kind: .free))
}

func free(_ name: String, _ key: String) -> SchemaItem {
  .attribute(name, Attribute(key: key, kind: .free, isRequired: false))
}

func one(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, Nested(key: key, kind: .one(schema)))
}

func many(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, Nested(key: key, kind: .many(schema)))
}

func keyed(_ name: String, _ key: String, _ schema: @escaping @Sendable () -> BlockSchema) -> SchemaItem {
  .block(name, Nested(key: key, kind: .keyed(schema)))
}
