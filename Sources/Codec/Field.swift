// How a type of the model is written and read.
//
// Every record lists its fields once, in `visit`: a number (the binary tag), a name (the JSON key) and the place where the
// value lives. Whoever wants something from a record visits it: the JSON writer and reader, the binary writer and reader,
// and the collector behind the structural diff. `inout` is what makes one list serve both directions: a reader fills the
// places, a writer visits a copy and leaves it as it was.
//
// Rules for a field list, which `FieldListCheck` verifies and a test runs over every type of the model:
// - tags are positive, unique and ascending in the order of the list. A new field takes a new, higher tag at the end;
//   a tag that has ever been written to a log is never given to another field.
// - names are unique without regard to case, because JSON keys are matched so.

/// What one field wants different from the default.
@frozen
public struct FieldOptions: OptionSet, Sendable {
  /// One bit for each option.
  public let rawValue: UInt8
  /// A set from its bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// JSON leaves the key out when the value is zero (Go's `omitempty`).
  @inlinable public static var omitEmpty: FieldOptions { FieldOptions(rawValue: 1 << 0) }
  /// An empty array or map is written as `[]` or `{}` in JSON; without this it is `null`, as Go writes a nil slice.
  @inlinable public static var emptyCollection: FieldOptions { FieldOptions(rawValue: 1 << 1) }
  /// Not in the binary format: derived at the edge, or never stored.
  @inlinable public static var jsonOnly: FieldOptions { FieldOptions(rawValue: 1 << 2) }
  /// Not in JSON: internal to servers and clients.
  @inlinable public static var binaryOnly: FieldOptions { FieldOptions(rawValue: 1 << 3) }
  /// The structural diff does not look at the field: indexes, times, ids.
  @inlinable public static var diffIgnore: FieldOptions { FieldOptions(rawValue: 1 << 4) }
  /// The field is what tells two elements of a list apart (`Name` of a task): the structural diff pairs elements with
  /// equal keys. Elements without such a field have no identity: one that changed is one deleted and one added.
  @inlinable public static var diffKey: FieldOptions { FieldOptions(rawValue: 1 << 5) }
  /// The structural diff shows the map as an object with the entries as its fields; without this the entries are fields
  /// of the record, named `Env[KEY]`.
  @inlinable public static var diffObject: FieldOptions { FieldOptions(rawValue: 1 << 6) }
}

/// Anything that goes through a record's field list.
public protocol FieldVisitor {
  /// - Parameters:
  ///   - tag: the field's number in the binary format.
  ///   - name: its key in JSON.
  ///   - value: where it lives.
  mutating func field<T: FieldValue>(_ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions)
}

extension FieldVisitor {
  /// A field without options.
  @inlinable public mutating func field<T: FieldValue>(_ tag: Int, _ name: StaticString, _ value: inout T) {
    field(tag, name, &value, FieldOptions(rawValue: 0))
  }
}

/// How a value lies in the binary format; the numbers are the low three bits of a field's key.
public enum WireType: UInt8, Sendable {
  /// A base-128 number, least significant group first.
  case varint = 0
  /// Eight bytes, least significant first.
  case fixed64 = 1
  /// A varint length and that many bytes.
  case delimited = 2
}

/// A value that a field can hold: it knows its way into and out of every format.
public protocol FieldValue: Equatable, Sendable {
  /// What a field holds when nothing was said about it. The binary format leaves such fields out.
  static var zeroValue: Self { get }
  var isZero: Bool { get }
  /// Whether an empty value is a list or map, which JSON shows as `null` unless the field says otherwise.
  static var isCollection: Bool { get }

  func write(to writer: inout JSONWriter)
  /// Reads the value at `index` of the reader's document; `null` leaves the value as it is.
  mutating func read(from reader: inout JSONReader, at index: Int)

  /// The wire type of one value.
  static var wire: WireType { get }
  /// The wire type of one occurrence of a field of this type; differs from `wire` for lists only.
  static var fieldWire: WireType { get }
  /// One value, without a field key.
  func write(to writer: inout BinaryWriter)
  mutating func read(from reader: inout BinaryReader)
  /// Key and value, nothing for a zero value, one occurrence for each element of a list.
  func writeField(_ tag: Int, to writer: inout BinaryWriter)
  /// One occurrence of the field.
  mutating func readField(from reader: inout BinaryReader)

  /// The value as the structural diff sees it.
  var tree: FieldTree { get }
}

extension FieldValue {
  /// False: most values are single ones.
  @inlinable public static var isCollection: Bool { false }
  /// The same as `wire`: only lists differ.
  @inlinable public static var fieldWire: WireType { wire }
  /// Key and value, nothing for a zero value.
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    if isZero { return }
    writer.key(tag, Self.wire)
    write(to: &writer)
  }
  /// Reads over what an earlier occurrence left: the last one wins.
  @inlinable public mutating func readField(from reader: inout BinaryReader) { read(from: &reader) }
}

/// A type with a field list.
public protocol Record: FieldValue {
  init()
  /// Names every field once. See the rules at the top of this file.
  mutating func visit<V: FieldVisitor>(_ v: inout V)
}

extension Record {
  /// A record with every field at its default.
  @inlinable public static var zeroValue: Self { Self() }
  /// A record is never left out by `omitEmpty`, as Go never leaves out a struct; the binary format drops it when all
  /// its fields are zero.
  @inlinable public var isZero: Bool { false }
  /// Records are delimited, so that a reader can pass over one that it does not know.
  @inlinable public static var wire: WireType { .delimited }

  /// An object with a member for each field.
  @inlinable public func write(to writer: inout JSONWriter) {
    var copy = self
    writer.beginObject()
    copy.visit(&writer)
    writer.endObject()
  }

  /// Reads an object; members that are missing leave their fields as they are.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    guard let outer = reader.beginRecord(at: index, "an object") else { return }
    visit(&reader)
    reader.endRecord(outer)
  }

  /// Length and fields.
  @inlinable public func write(to writer: inout BinaryWriter) {
    var copy = self
    let mark = writer.beginNested()
    copy.visit(&writer)
    writer.endNested(mark)
  }

  /// Reads the fields up to the length; tags that no field has are passed over.
  public mutating func read(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    visit(&reader)
    reader.endNested(outer)
  }

  /// Key, length and fields, nothing when every field is zero.
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    var copy = self
    let start = writer.bytes.count
    writer.key(tag, .delimited)
    let mark = writer.beginNested()
    copy.visit(&writer)
    if writer.bytes.count == mark + 1 {
      writer.bytes.removeLast(writer.bytes.count - start)
    } else {
      writer.endNested(mark)
    }
  }

  /// One member for each field that the diff looks at.
  public var tree: FieldTree {
    var copy = self
    var collector = FieldTreeCollector()
    copy.visit(&collector)
    return .record(collector.members)
  }
}
