/// The target of a request, taken apart: path segments and query items, both percent-decoded (RFC 3986).
///
/// The path is split at slashes before decoding, so an id that holds a slash can be sent as `%2F` and stays one segment.
public struct HTTPTarget: Sendable, Equatable {
  /// The target as the request line had it, still encoded.
  public let raw: String
  /// The path as sent, without the query, still encoded; starts with "/".
  public let rawPath: String
  /// The decoded segments between slashes. "/v1/job/a%2Fb" is ["v1", "job", "a/b"]; a trailing slash adds an empty one.
  public let segments: [String]
  /// The decoded query.
  public let query: HTTPQuery

  /// The decoded path. Encoded slashes show as slashes here: routes are matched on `segments`.
  public var path: String { "/" + segments.joined(separator: "/") }

  /// Parses what stands between the method and the version on the request line: origin form ("/path?query"), absolute
  /// form ("http://host/path", which a proxy sends) or "*".
  ///
  /// - Throws: `HTTPTargetError` for a malformed percent-encoding, bytes that aren't UTF-8, or NUL.
  public init(parsing raw: String) throws(HTTPTargetError) {
    self.raw = raw
    var rest = Substring(raw)
    if let scheme = ["http://", "https://"].first(where: { rest.hasPrefix($0) }) {
      rest = rest.dropFirst(scheme.count)
      rest = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? "/"
    }
    let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first ?? ""
    guard path.utf8.first == UInt8(ascii: "/") || path.isEmpty || path == "*" else {
      throw HTTPTargetError(message: "the request path \"\(raw)\" does not start with \"/\"")
    }
    rawPath = path.isEmpty ? "/" : String(path)
    var segments: [String] = []
    if path != "*" {
      for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
        segments.append(try percentDecoded(part, plusIsSpace: false))
      }
    }
    self.segments = segments
    query = try HTTPQuery(parsing: parts.count > 1 ? parts[1] : "")
  }
}

/// What is wrong with a request target, in words for the client.
public struct HTTPTargetError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong, with the part that is.
  public let message: String
  /// The message alone.
  public var description: String { message }
}

/// Query parameters in the order sent; a name may repeat.
public struct HTTPQuery: Sendable, Equatable, Sequence {
  /// One `name=value`; a name without "=" has the empty value.
  public struct Item: Sendable, Equatable {
    /// Before the equals sign, decoded.
    public var name: String
    /// Behind the equals sign, decoded.
    public var value: String

    /// An item of decoded texts.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// All items, in order.
  public var items: [Item] = []

  /// A query of these items, in order.
  public init(_ items: [Item] = []) { self.items = items }

  /// Parses `a=1&b=x+y&b=%20` (application/x-www-form-urlencoded: "+" is a space).
  public init(parsing text: Substring) throws(HTTPTargetError) {
    for pair in text.split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try percentDecoded(sides[0], plusIsSpace: true)
      items.append(Item(name: name, value: sides.count > 1 ? try percentDecoded(sides[1], plusIsSpace: true) : ""))
    }
  }

  /// The first value of that name (exact case), nil if the name does not occur.
  public subscript(name: String) -> String? { items.first { $0.name == name }?.value }

  /// Every value of that name, in order.
  public func all(_ name: String) -> [String] { items.compactMap { $0.name == name ? $0.value : nil } }

  /// Whether the name occurs, with or without a value: `?stale`.
  public func has(_ name: String) -> Bool { items.contains { $0.name == name } }

  /// The encoded form, without "?".
  public var encoded: String {
    items.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }.joined(separator: "&")
  }

  /// Goes through the items in the order sent.
  public func makeIterator() -> IndexingIterator<[Item]> { items.makeIterator() }
}

/// Encodes everything but RFC 3986's unreserved characters: fit for a path segment and for either side of a query item.
public func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      bytes.append(byte)
    default:
      bytes.append(UInt8(ascii: "%"))
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func percentDecoded(_ text: Substring, plusIsSpace: Bool) throws(HTTPTargetError) -> String {
  let utf8 = text.utf8
  guard utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 == 0 || $0 >= 0x80 }) else {
    return String(text)
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(utf8.count)
  var index = utf8.startIndex
  while index < utf8.endIndex {
    let byte = utf8[index]
    index = utf8.index(after: index)
    if byte == UInt8(ascii: "%") {
      let tail = utf8[index...].prefix(2)
      let digits = tail.compactMap(hexDigit)
      guard digits.count == 2 else {
        throw HTTPTargetError(message: "\"\(text)\" has a % that is not followed by two hexadecimal digits")
      }
      bytes.append(digits[0] << 4 | digits[1])
      index = tail.endIndex
    } else {
      bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? 0x20 : byte)
    }
  }
  guard !bytes.contains(0) else { throw HTTPTargetError(message: "\"\(text)\" contains a NUL byte") }
  guard let decoded = String(validating: bytes, as: UTF8.self) else {
    throw HTTPTargetError(message: "\"\(text)\" is not UTF-8 after percent-decoding")
  }
  return decoded
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
