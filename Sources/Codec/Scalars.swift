// The plain values: booleans, numbers, strings.

extension Bool: FieldValue {
  public static var zeroValue: Bool { false }
  @inlinable public var isZero: Bool { !self }
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard let value = reader.bool(at: index) else { return reader.fail(at: index, expected: "a boolean") }
    self = value
  }
  public static var wire: WireType { .varint }
  public func write(to writer: inout BinaryWriter) { writer.varint(self ? 1 : 0) }
  public mutating func read(from reader: inout BinaryReader) { self = reader.varint() != 0 }
  public var tree: FieldTree { .scalar(self ? "true" : "false") }
}

extension Int: FieldValue {
  public static var zeroValue: Int { 0 }
  @inlinable public var isZero: Bool { self == 0 }
  public func write(to writer: inout JSONWriter) { writer.write(Int64(self)) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    var value = Int64(self)
    value.read(from: &reader, at: index)
    self = Int(value)
  }
  public static var wire: WireType { .varint }
  public func write(to writer: inout BinaryWriter) { writer.zigzag(Int64(self)) }
  public mutating func read(from reader: inout BinaryReader) { self = Int(reader.zigzag()) }
  public var tree: FieldTree { .scalar(String(self)) }
}

extension Int64: FieldValue {
  public static var zeroValue: Int64 { 0 }
  @inlinable public var isZero: Bool { self == 0 }
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard let value = reader.integer(at: index) else {
      switch reader.kind(at: index) {
      case .integer, .double: return reader.fail(at: index, "expected a whole number, got \(reader.raw(index))")
      default: return reader.fail(at: index, expected: "a number")
      }
    }
    self = value
  }
  public static var wire: WireType { .varint }
  public func write(to writer: inout BinaryWriter) { writer.zigzag(self) }
  public mutating func read(from reader: inout BinaryReader) { self = reader.zigzag() }
  public var tree: FieldTree { .scalar(String(self)) }
}

extension UInt64: FieldValue {
  public static var zeroValue: UInt64 { 0 }
  @inlinable public var isZero: Bool { self == 0 }
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard let value = reader.unsigned(at: index) else {
      switch reader.kind(at: index) {
      case .integer, .double: return reader.fail(at: index, "expected a whole number from 0, got \(reader.raw(index))")
      default: return reader.fail(at: index, expected: "a number")
      }
    }
    self = value
  }
  public static var wire: WireType { .varint }
  public func write(to writer: inout BinaryWriter) { writer.varint(self) }
  public mutating func read(from reader: inout BinaryReader) { self = reader.varint() }
  public var tree: FieldTree { .scalar(String(self)) }
}

extension Double: FieldValue {
  public static var zeroValue: Double { 0 }
  @inlinable public var isZero: Bool { self == 0 }
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard let value = reader.double(at: index) else {
      switch reader.kind(at: index) {
      case .integer, .double: return reader.fail(at: index, "the number \(reader.raw(index)) is too large")
      default: return reader.fail(at: index, expected: "a number")
      }
    }
    self = value
  }
  public static var wire: WireType { .fixed64 }
  public func write(to writer: inout BinaryWriter) { writer.fixed64(bitPattern) }
  public mutating func read(from reader: inout BinaryReader) { self = Double(bitPattern: reader.fixed64()) }
  public var tree: FieldTree {
    var writer = JSONWriter()
    writer.write(self)
    return .scalar(String(decoding: writer.bytes, as: UTF8.self))
  }
}

extension String: FieldValue {
  public static var zeroValue: String { "" }
  @inlinable public var isZero: Bool { isEmpty }
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string else { return reader.fail(at: index, expected: "a string") }
    self = reader.string(at: index)
  }
  public static var wire: WireType { .delimited }
  public func write(to writer: inout BinaryWriter) { writer.delimited(self) }
  public mutating func read(from reader: inout BinaryReader) { self = reader.text() }
  public var tree: FieldTree { .scalar(self) }
}

/// A string with a known set of values. Values outside it are an error when read: use a closed set for what servers and
/// clients of this project alone produce, and an open one (`OpenText`) for what users write.
public protocol ClosedText: FieldValue, RawRepresentable, CaseIterable, Hashable where RawValue == String {}

extension ClosedText {
  /// The first case.
  public static var zeroValue: Self {
    guard let first = allCases.first else { preconditionFailure("\(Self.self) has no cases") }
    return first
  }
  public var isZero: Bool { self == Self.zeroValue }
  public func write(to writer: inout JSONWriter) { writer.write(rawValue) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string else { return reader.fail(at: index, expected: "a string") }
    let text = reader.string(at: index)
    guard let value = Self(rawValue: text) else {
      let known = Self.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      return reader.fail(at: index, "expected one of \(known), got \"\(text)\"")
    }
    self = value
  }
  public static var wire: WireType { .delimited }
  public func write(to writer: inout BinaryWriter) { writer.delimited(rawValue) }
  public mutating func read(from reader: inout BinaryReader) {
    let text = reader.text()
    guard reader.error == nil else { return }
    guard let value = Self(rawValue: text) else { return reader.fail("no such \(Self.self): \"\(text)\"") }
    self = value
  }
  public var tree: FieldTree { .scalar(rawValue) }
}

/// A string whose known values have names, and which may hold any other.
public protocol OpenText: FieldValue, RawRepresentable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible
where RawValue == String {
  init(rawValue: String)
}

extension OpenText {
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  public var description: String { rawValue }
  public static var zeroValue: Self { Self(rawValue: "") }
  public var isZero: Bool { rawValue.isEmpty }
  public func write(to writer: inout JSONWriter) { writer.write(rawValue) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    var text = rawValue
    text.read(from: &reader, at: index)
    self = Self(rawValue: text)
  }
  public static var wire: WireType { .delimited }
  public func write(to writer: inout BinaryWriter) { writer.delimited(rawValue) }
  public mutating func read(from reader: inout BinaryReader) { self = Self(rawValue: reader.text()) }
  public var tree: FieldTree { .scalar(rawValue) }
}
