/// An immutable string of bytes, by convention UTF-8: the string type of the template language.
///
/// The language slices strings at any byte, compares and sorts them by bytes and carries invalid UTF-8 through
/// unchanged. `Swift.String` does none of these (it compares by canonical equivalence and repairs encodings), so the
/// engine works on bytes and converts at its edges.
public struct ByteString: Hashable, Comparable, Sendable {
  /// The bytes, in order; not necessarily valid UTF-8.
  public var bytes: [UInt8]

  /// Wraps bytes as they are.
  public init(bytes: [UInt8] = []) {
    self.bytes = bytes
  }

  /// Copies a slice of bytes.
  public init(bytes: ArraySlice<UInt8>) {
    self.bytes = Array(bytes)
  }

  /// The UTF-8 encoding of a text.
  public init(_ text: some StringProtocol) {
    self.bytes = Array(text.utf8)
  }

  /// Orders by bytes, as the language's `lt` does.
  public static func < (left: ByteString, right: ByteString) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// Joins two strings.
  public static func + (left: ByteString, right: ByteString) -> ByteString {
    ByteString(bytes: left.bytes + right.bytes)
  }

  /// Number of bytes.
  public var count: Int { bytes.count }

  /// Whether there is no byte.
  public var isEmpty: Bool { bytes.isEmpty }
}

extension ByteString: ExpressibleByStringLiteral {
  /// The UTF-8 encoding of a literal.
  public init(stringLiteral value: StaticString) {
    self.bytes = value.withUTF8Buffer { Array($0) }
  }
}

extension ByteString: CustomStringConvertible {
  /// The text, each invalid byte replaced by U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
