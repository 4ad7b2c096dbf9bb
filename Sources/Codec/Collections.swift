// Optional values, lists and maps.

extension Optional: FieldValue where Wrapped: FieldValue {
  /// No value.
  @inlinable public static var zeroValue: Wrapped? { nil }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { self == nil }
  /// Writes the value, or `null` for none.
  @inlinable public func write(to writer: inout JSONWriter) {
    if let value = self { value.write(to: &writer) } else { writer.writeNull() }
  }
  /// `null` leaves it as it is; anything else is read as the value.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    var value = self ?? Wrapped.zeroValue
    value.read(from: &reader, at: index)
    self = value
  }
  /// That of the value: none is left out.
  @inlinable public static var wire: WireType { Wrapped.wire }
  /// Only a value that is there is written; `writeField` leaves nil out.
  @inlinable public func write(to writer: inout BinaryWriter) { (self ?? Wrapped.zeroValue).write(to: &writer) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    var value = Wrapped.zeroValue
    value.read(from: &reader)
    self = value
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { self.map(\.tree) ?? .null }
}

extension Array: FieldValue where Element: FieldValue {
  /// The empty list.
  @inlinable public static var zeroValue: [Element] { [] }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { isEmpty }
  /// True: JSON shows an empty one as `null` unless the field says otherwise.
  @inlinable public static var isCollection: Bool { true }
  /// Writes a list.
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
  /// Reads a list; elements are appended in order.
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
  /// The wire type of one element.
  @inlinable public static var fieldWire: WireType { Element.wire }
  /// The elements one after the other, for a list within a list.
  @inlinable public func write(to writer: inout BinaryWriter) {
    let mark = writer.beginNested()
    writeField(1, to: &writer)
    writer.endNested(mark)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    reader.field(1, "[]", &self, [])
    reader.endNested(outer)
  }
  /// One occurrence of the field for each element; nothing for an empty one.
  @inlinable public func writeField(_ tag: Int, to writer: inout BinaryWriter) {
    for index in indices {
      writer.key(tag, Element.wire)
      self[index].write(to: &writer)
    }
  }
  /// One occurrence: adds an element.
  public mutating func readField(from reader: inout BinaryReader) {
    var value = Element.zeroValue
    value.read(from: &reader)
    append(value)
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .list(map(\.tree)) }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
  /// The empty map.
  @inlinable public static var zeroValue: [String: Value] { [:] }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { isEmpty }
  /// True: JSON shows an empty one as `null` unless the field says otherwise.
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
  /// Reads an object; keys are taken as they are.
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

  /// Each entry is a record of key and value.
  @inlinable public static var wire: WireType { .delimited }
  /// The entries one after the other.
  @inlinable public func write(to writer: inout BinaryWriter) {
    let mark = writer.beginNested()
    writeField(1, to: &writer)
    writer.endNested(mark)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    reader.field(1, "[]", &self, [])
    reader.endNested(outer)
  }
  /// One occurrence of the field for each element; nothing for an empty one.
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
  /// One occurrence: adds an element.
  public mutating func readField(from reader: inout BinaryReader) {
    guard let outer = reader.beginNested() else { return }
    var key = ""
    var value = Value.zeroValue
    reader.field(1, "key", &key, [])
    reader.field(2, "value", &value, [])
    reader.endNested(outer)
    if reader.error == nil { self[key] = value }
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree {
    .map(keys.sorted().compactMap { key in self[key].map { FieldTree.Member(name: key, options: [], tree: $0.tree) } })
  }
}
