// The plain values: booleans, numbers, strings.

extension Bool: FieldValue {
  /// False.
  public static var zeroValue: Bool { false }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { !self }
  /// Writes `true` or `false`.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  /// Reads `true` or `false`.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard let value = reader.bool(at: index) else { return reader.fail(at: index, expected: "a boolean") }
    self = value
  }
  /// 0 or 1.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.varint(self ? 1 : 0) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = reader.varint() != 0 }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(self ? "true" : "false") }
}

extension Int: FieldValue {
  /// 0.
  public static var zeroValue: Int { 0 }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { self == 0 }
  /// Writes a number.
  public func write(to writer: inout JSONWriter) { writer.write(Int64(self)) }
  /// Reads a whole number within the range.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    var value = Int64(self)
    value.read(from: &reader, at: index)
    self = Int(value)
  }
  /// A zigzag number.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.zigzag(Int64(self)) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = Int(reader.zigzag()) }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(String(self)) }
}

extension Int64: FieldValue {
  /// 0.
  public static var zeroValue: Int64 { 0 }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { self == 0 }
  /// Writes a number.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  /// Reads a whole number within the range.
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
  /// A zigzag number.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.zigzag(self) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = reader.zigzag() }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(String(self)) }
}

extension UInt64: FieldValue {
  /// 0.
  public static var zeroValue: UInt64 { 0 }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { self == 0 }
  /// Writes a number.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  /// Reads a whole number that is not negative.
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
  /// A base-128 number.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.varint(self) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = reader.varint() }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(String(self)) }
}

extension Double: FieldValue {
  /// 0.
  public static var zeroValue: Double { 0 }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { self == 0 }
  /// Writes a number; infinities and NaN become `null`.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  /// Reads any number.
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
  /// Its 64 bits.
  public static var wire: WireType { .fixed64 }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.fixed64(bitPattern) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = Double(bitPattern: reader.fixed64()) }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree {
    var writer = JSONWriter()
    writer.write(self)
    return .scalar(String(decoding: writer.bytes, as: UTF8.self))
  }
}

extension String: FieldValue {
  /// The empty text.
  public static var zeroValue: String { "" }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  @inlinable public var isZero: Bool { isEmpty }
  /// Writes text.
  public func write(to writer: inout JSONWriter) { writer.write(self) }
  /// Reads text.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string else { return reader.fail(at: index, expected: "a string") }
    self = reader.string(at: index)
  }
  /// UTF-8, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.delimited(self) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = reader.text() }
  /// As the structural diff compares and shows it.
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
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { self == Self.zeroValue }
  /// Writes its text.
  public func write(to writer: inout JSONWriter) { writer.write(rawValue) }
  /// Reads one of the texts that the type knows; another one is an error that lists them.
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
  /// The text, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.delimited(rawValue) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    let text = reader.text()
    guard reader.error == nil else { return }
    guard let value = Self(rawValue: text) else { return reader.fail("no such \(Self.self): \"\(text)\"") }
    self = value
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(rawValue) }
}

/// A string whose known values have names, and which may hold any other.
public protocol OpenText: FieldValue, RawRepresentable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible
where RawValue == String {
  init(rawValue: String)
}

extension OpenText {
  /// A text in source code; the type may not know it.
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  /// The text.
  public var description: String { rawValue }
  /// The empty text.
  public static var zeroValue: Self { Self(rawValue: "") }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { rawValue.isEmpty }
  /// Writes its text.
  public func write(to writer: inout JSONWriter) { writer.write(rawValue) }
  /// Reads any text.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    var text = rawValue
    text.read(from: &reader, at: index)
    self = Self(rawValue: text)
  }
  /// The text, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.delimited(rawValue) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { self = Self(rawValue: reader.text()) }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(rawValue) }
}
