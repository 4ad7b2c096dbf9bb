/// A JSON value of any shape: what drivers, scaling policies and proxies are configured with.
public enum JSONValue: FieldValue, Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  /// Numbers with a fraction or an exponent, and whole ones beyond 64 bits.
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// `null`.
  public static var zeroValue: JSONValue { .null }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { self == .null }

  /// Writes the value as it is.
  public func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.writeNull()
    case .bool(let value): writer.write(value)
    case .int(let value): writer.write(value)
    case .double(let value): writer.write(value)
    case .string(let value): writer.write(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements {
        writer.separate()
        element.write(to: &writer)
      }
      writer.endArray()
    case .object(let object): object.write(to: &writer)
    }
  }

  /// Reads any value.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    switch reader.kind(at: index) {
    case .null: self = .null
    case .bool: self = .bool(reader.bool(at: index) ?? false)
    case .string: self = .string(reader.string(at: index))
    case .integer, .double:
      if reader.kind(at: index) == .integer, let value = reader.integer(at: index) {
        self = .int(value)
      } else if let value = reader.double(at: index) {
        self = .double(value)
      } else {
        reader.fail(at: index, "the number \(reader.raw(index)) is too large")
      }
    case .array:
      var elements: [JSONValue] = []
      elements.read(from: &reader, at: index)
      self = .array(elements)
    case .object:
      var object = JSONObject()
      object.read(from: &reader, at: index)
      self = .object(object)
    }
  }

  /// The binary format holds the JSON text.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) {
    let text = JSON.encode(self)
    writer.varint(UInt64(text.count))
    writer.bytes.append(contentsOf: text)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    let bytes = Array(reader.delimitedBytes())
    if reader.error != nil { return }
    do { self = try JSON.decode(JSONValue.self, from: bytes) } catch { reader.fail("\(error)") }
  }

  /// As the structural diff compares and shows it.
  public var tree: FieldTree {
    switch self {
    case .null: .null
    case .bool(let value): value.tree
    case .int(let value): value.tree
    case .double(let value): value.tree
    case .string(let value): value.tree
    case .array(let elements): elements.tree
    case .object(let object): object.tree
    }
  }

  // MARK: looking inside

  /// The text, if it is one.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth value, if it is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// A whole number, also one that is written with a fraction of zero.
  public var intValue: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }
  /// The number, if it is one; whole numbers beyond 2^53 lose digits.
  public var doubleValue: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
  /// The elements, if it is a list.
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The members, if it is an object.
  public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// The member of that name; nil when there is none or this is no object.
  public subscript(key: String) -> JSONValue? { objectValue?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A text in source code.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number in source code.
  public init(integerLiteral value: Int64) { self = .int(value) }
  /// A truth value in source code.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A number with a fraction in source code.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A list in source code.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object in source code, members in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}

/// The members of a JSON object in the order in which they were written. Two objects are equal when they have equal values
/// for the same keys, in whatever order.
public struct JSONObject: FieldValue, Hashable, ExpressibleByDictionaryLiteral {
  /// Names of the members in the order they were added.
  public private(set) var keys: [String] = []
  private var values: [String: JSONValue] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}
  /// Members in the order written; a name that comes twice keeps its first place and last value.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }

  /// Whether it has no member.
  public var isEmpty: Bool { keys.isEmpty }
  /// How many members it has.
  public var count: Int { keys.count }

  /// Setting nil removes the member; a new one goes to the end.
  public subscript(key: String) -> JSONValue? {
    get { values[key] }
    set {
      if values[key] == nil {
        if newValue != nil { keys.append(key) }
      } else if newValue == nil {
        keys.removeAll { $0 == key }
      }
      values[key] = newValue
    }
  }

  /// Key and value of every member, in order.
  public var members: [(key: String, value: JSONValue)] { keys.map { ($0, values[$0] ?? .null) } }

  /// By members; their order does not matter.
  public static func == (left: JSONObject, right: JSONObject) -> Bool { left.values == right.values }
  /// By members, so that equal objects have equal hashes whatever their order.
  public func hash(into hasher: inout Hasher) { hasher.combine(values) }

  /// The object without members.
  public static var zeroValue: JSONObject { JSONObject() }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { isEmpty }
  /// True: JSON shows an empty one as `null` unless the field says otherwise.
  public static var isCollection: Bool { true }

  /// Writes an object, members in their order.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in members {
      writer.key(key)
      value.write(to: &writer)
    }
    writer.endObject()
  }
  /// Reads an object, keeping the order of its members.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    guard reader.error == nil, !reader.isNull(at: index) else { return }
    guard reader.kind(at: index) == .object else { return reader.fail(at: index, expected: "an object") }
    self = JSONObject()
    for (key, element) in reader.members(of: index) {
      let name = reader.string(at: key)
      var value = JSONValue.null
      reader.within("[\(name)]") { value.read(from: &$0, at: element) }
      if reader.error != nil { return }
      self[name] = value
    }
  }

  /// JSON text, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { JSONValue.object(self).write(to: &writer) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    var value = JSONValue.null
    value.read(from: &reader)
    self = value.objectValue ?? JSONObject()
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree {
    .map(keys.sorted().map { FieldTree.Member(name: $0, options: [], tree: (values[$0] ?? .null).tree) })
  }
}
