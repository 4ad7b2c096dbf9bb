/// Header fields in the order in which they came or were set; names compare without regard to ASCII case (RFC 9110 §5.1).
public struct HTTPHeaders: Sendable, Equatable, Sequence, ExpressibleByDictionaryLiteral {
  /// One field line.
  public struct Field: Sendable, Equatable {
    /// Name of the field; compared without regard to case.
    public var name: String
    /// Value without blanks around it.
    public var value: String

    /// A field line.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// All field lines, repeated names included.
  public private(set) var fields: [Field] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Fields in source code, in the order written.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  /// The first value of that name. Setting replaces all lines of that name; nil removes them.
  public subscript(name: String) -> String? {
    get { fields.first { equalsIgnoringASCIICase($0.name, name) }?.value }
    set {
      guard let newValue else {
        fields.removeAll { equalsIgnoringASCIICase($0.name, name) }
        return
      }
      guard let first = fields.firstIndex(where: { equalsIgnoringASCIICase($0.name, name) }) else {
        fields.append(Field(name: name, value: newValue))
        return
      }
      fields[first].value = newValue
      let rest = fields[(first + 1)...].filter { !equalsIgnoringASCIICase($0.name, name) }
      fields.replaceSubrange((first + 1)..., with: rest)
    }
  }

  /// Every value of that name, in order.
  public func all(_ name: String) -> [String] {
    fields.compactMap { equalsIgnoringASCIICase($0.name, name) ? $0.value : nil }
  }

  /// Adds a line and keeps those of the same name.
  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// The comma-separated elements of all lines of that name, blanks trimmed, empty ones dropped (RFC 9110 §5.6.1).
  /// Not for fields whose values quote commas, such as Set-Cookie.
  public func list(_ name: String) -> [String] {
    all(name).flatMap { value in
      value.split(separator: ",").map { trimmedBlanks($0) }.filter { !$0.isEmpty }
    }
  }

  /// Whether the list of that name holds the token, without regard to case: `Connection: keep-alive, Upgrade`.
  public func contains(_ name: String, token: String) -> Bool {
    list(name).contains { equalsIgnoringASCIICase($0, token) }
  }

  /// Goes through the field lines in order.
  public func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

/// Equality of two strings but for the case of A…Z; other letters must match exactly.
func equalsIgnoringASCIICase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
  let a = left.utf8, b = right.utf8
  guard a.count == b.count else { return false }
  return zip(a, b).allSatisfy { x, y in x == y || (lowered(x) == lowered(y)) }
}

/// The lower-case form of an ASCII upper-case letter; every other byte as it is.
func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

/// Without spaces and tabs at both ends.
func trimmedBlanks(_ text: some StringProtocol) -> String {
  var utf8 = Substring(text).utf8
  while let first = utf8.first, first == 0x20 || first == 0x09 { utf8.removeFirst() }
  while let last = utf8.last, last == 0x20 || last == 0x09 { utf8.removeLast() }
  return String(Substring(utf8))
}
