/// An optional part of a record that lies outside it.
///
/// Most records have parts that are rarely there and large when they are; inline they would make every copy of the record
/// pay for them. The storage is immutable, so copies share it and a change makes a new one. A field list passes the
/// wrapper itself (`&_connect`): a writer then visits the part where it lies.
@propertyWrapper
public struct Indirect<Value: FieldValue>: FieldValue {
  @usableFromInline final class Storage: Sendable {
    @usableFromInline let value: Value
    @usableFromInline init(_ value: Value) { self.value = value }
  }

  @usableFromInline var storage: Storage?

  /// Puts the value on the heap; nil takes no memory there.
  @inlinable public init(wrappedValue: Value?) { storage = wrappedValue.map(Storage.init) }

  /// The value; setting it makes a new box, so that copies keep theirs.
  public var wrappedValue: Value? {
    get { storage?.value }
    set { storage = newValue.map(Storage.init) }
  }

  /// By value; two references to one box are equal without a look inside.
  public static func == (left: Indirect, right: Indirect) -> Bool {
    left.storage === right.storage || left.storage?.value == right.storage?.value
  }

  /// No value.
  @inlinable public static var zeroValue: Indirect { Indirect(wrappedValue: nil) }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { storage == nil }

  /// Writes the value, or `null` for none.
  @inlinable public func write(to writer: inout JSONWriter) {
    if let storage { storage.value.write(to: &writer) } else { writer.writeNull() }
  }
  /// `null` leaves it as it is; anything else is read as the value.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    var value = storage?.value ?? Value.zeroValue
    value.read(from: &reader, at: index)
    storage = Storage(value)
  }

  /// That of the value: none is left out.
  @inlinable public static var wire: WireType { Value.wire }
  /// As `wire` says, without a key before it.
  @inlinable public func write(to writer: inout BinaryWriter) { storage?.value.write(to: &writer) }
  /// Key and value; nothing for none.
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    guard let storage else { return }
    writer.key(tag, Value.wire)
    storage.value.write(to: &writer)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    var value = Value.zeroValue
    value.read(from: &reader)
    storage = Storage(value)
  }

  /// As the structural diff compares and shows it.
  public var tree: FieldTree { storage.map(\.value.tree) ?? .null }
}
