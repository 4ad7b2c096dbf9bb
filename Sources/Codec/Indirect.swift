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

  @inlinable public init(wrappedValue: Value?) { storage = wrappedValue.map(Storage.init) }

  public var wrappedValue: Value? {
    get { storage?.value }
    set { storage = newValue.map(Storage.init) }
  }

  public static func == (left: Indirect, right: Indirect) -> Bool {
    left.storage === right.storage || left.storage?.value == right.storage?.value
  }

  @inlinable public static var zeroValue: Indirect { Indirect(wrappedValue: nil) }
  @inlinable public var isZero: Bool { storage == nil }

  @inlinable public func write(to writer: inout JSONWriter) {
    if let storage { storage.value.write(to: &writer) } else { writer.writeNull() }
  }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    var value = storage?.value ?? Value.zeroValue
    value.read(from: &reader, at: index)
    storage = Storage(value)
  }

  @inlinable public static var wire: WireType { Value.wire }
  @inlinable public func write(to writer: inout BinaryWriter) { storage?.value.write(to: &writer) }
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    guard let storage else { return }
    writer.key(tag, Value.wire)
    storage.value.write(to: &writer)
  }
  public mutating func read(from reader: inout BinaryReader) {
    var value = Value.zeroValue
    value.read(from: &reader)
    storage = Storage(value)
  }

  public var tree: FieldTree { storage.map(\.value.tree) ?? .null }
}
