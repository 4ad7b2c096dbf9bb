/// A name as a key, ordered by its UTF-8 bytes: the same on every server, and names with a common prefix lie together.
/// (`String`'s own order is by canonical equivalence, which depends on the version of Unicode.)
public struct Name: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The name.
  public let text: String

  /// A key for `text`.
  @inlinable public init(_ text: String) { self.text = text }

  /// The name.
  public var description: String { text }

  /// By UTF-8 bytes.
  @inlinable public static func < (left: Name, right: Name) -> Bool { precedes(left.text, right.text) }
}

/// What identifies a job: its namespace and its id. Ordered by namespace, then id.
public struct JobKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The namespace's name.
  public let namespace: String
  /// The job's id.
  public let id: String

  /// The key of job `id` in `namespace`.
  @inlinable public init(_ namespace: String, _ id: String) {
    self.namespace = namespace
    self.id = id
  }

  /// `id@namespace`.
  public var description: String { "\(id)@\(namespace)" }

  /// By namespace, then id, both by UTF-8 bytes.
  @inlinable public static func < (left: JobKey, right: JobKey) -> Bool {
    if precedes(left.namespace, right.namespace) { return true }
    return !precedes(right.namespace, left.namespace) && precedes(left.id, right.id)
  }
}

/// By UTF-8 bytes. For ASCII that is `String`'s own order, which compares whole words.
@inlinable func precedes(_ left: String, _ right: String) -> Bool {
  if left.utf8Span.isKnownASCII && right.utf8Span.isKnownASCII { return left < right }
  return left.utf8.lexicographicallyPrecedes(right.utf8)
}
