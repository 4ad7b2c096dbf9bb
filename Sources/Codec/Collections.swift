// Optional values, lists and maps.

extension Optional: FieldValue where Wrapped: FieldValue {
  @inlinable public static var zeroValue: Wrapped? { nil }
  @inlinable public var isZero: Bool { self == nil }
  @inlinable public func write(to writer: inout JSONWriter) {
    if let value = self { value.write(to: &writer) } else { writer.writeNull() }
  }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    var value = self ?? Wrapped.zeroValue
    value.read(from: &reader, at: index)
    self = value
  }
  @inlinable public static var wire: WireType { Wrapped.wire }
  /// Only a value that is there is written; `writeField` leaves nil out.
  @inlinable public func write(to writer: inout BinaryWriter) { (self ?? Wrapped.zeroValue).write(to: &writer) }
  public mutating func read(from reader: inout BinaryReader) {
    var value = Wrapped.zeroValue
    value.read(from: &reader)
    self = value
  }
  public var tree: FieldTree { self.map(\.tree) ?? .null }
}

extension Array: FieldValue where Element: FieldValue {
  @inlinable public static var zeroValue: [Element] { [] }
  @inlinable public var isZero: Bool { isEmpty }
  @inlinable public static var isCollection: Bool { true }
  @inlinable public func write(to writer: inout JSONWriter) {
    writer.beginArray()
    // By index: iterating would copy every element, with all its references.
    let start = writer.bytes.count
    for index in indices {
      writer.separate()
      self[index].write(to: &writer)
      if index == 31 { writer.reserve(start: start, share: 32, of: count) }
    }
    writer.endArray()
  }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    guard let elements = reader.elements(at: index) else { return }
    removeAll()
    reserveCapacity(elements.count)
    for (number, element) in elements.enumerated() {
      var value = Element.zeroValue
      reader.within("[\(number)]") { value.read(from: &$0, at: element) }
      if reader.error != nil { return }
      append(value)
    }
  }

  /// A list within a list or an optional: a record whose field 1 repeats.
  @inlinable public static var wire: WireType { .delimited }
  @inlinable public static var fieldWire: WireType { Element.wire }
  @inlinable public func write(to writer: inout BinaryWriter) {
    let mark = writer.beginNested()
    writeField(1, to: &writer)
    writer.endNested(mark)
  }
  public mutating func read(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    reader.field(1, "[]", &self, [])
    reader.endNested(outer)
  }
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    for index in indices {
      writer.key(tag, Element.wire)
      self[index].write(to: &writer)
    }
  }
  public mutating func readField(from reader: inout BinaryReader) {
    var value = Element.zeroValue
    value.read(from: &reader)
    append(value)
  }
  public var tree: FieldTree { .list(map(\.tree)) }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
  @inlinable public static var zeroValue: [String: Value] { [:] }
  @inlinable public var isZero: Bool { isEmpty }
  @inlinable public static var isCollection: Bool { true }
  /// Keys in ascending order, as Go writes a map.
  @inlinable public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    if count == 1, let only = first {
      writer.key(only.key)
      only.value.write(to: &writer)
    } else {
      for key in keys.sorted() {
        guard let value = self[key] else { continue }
        writer.key(key)
        value.write(to: &writer)
      }
    }
    writer.endObject()
  }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    guard reader.error == nil, !reader.isNull(at: index) else { return }
    guard reader.kind(at: index) == .object else { return reader.fail(at: index, expected: "an object") }
    removeAll()
    for (key, element) in reader.members(of: index) {
      let name = reader.string(at: key)
      var value = Value.zeroValue
      reader.within("[\(name)]") { value.read(from: &$0, at: element) }
      if reader.error != nil { return }
      self[name] = value
    }
  }

  @inlinable public static var wire: WireType { .delimited }
  @inlinable public func write(to writer: inout BinaryWriter) {
    let mark = writer.beginNested()
    writeField(1, to: &writer)
    writer.endNested(mark)
  }
  public mutating func read(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    reader.field(1, "[]", &self, [])
    reader.endNested(outer)
  }
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    if isEmpty { return }
    for key in keys.sorted() {
      guard let value = self[key] else { continue }
      writer.key(tag, .delimited)
      let mark = writer.beginNested()
      key.writeField(1, to: &writer)
      value.writeField(2, to: &writer)
      writer.endNested(mark)
    }
  }
  public mutating func readField(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    var key = ""
    var value = Value.zeroValue
    reader.field(1, "key", &key, [])
    reader.field(2, "value", &value, [])
    reader.endNested(outer)
    if reader.error == nil { self[key] = value }
  }
  public var tree: FieldTree {
    .map(keys.sorted().compactMap { key in self[key].map { FieldTree.Member(name: key, options: [], tree: $0.tree) } })
  }
}
