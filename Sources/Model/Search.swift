public import Codec

/// Body of `POST /v1/search`.
public struct SearchRequest: Record {
  public var prefix = ""
  public var context = ""
  public var namespace = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Prefix", &prefix)
    v.field(2, "Context", &context)
    v.field(3, "Namespace", &namespace)
  }
}

/// Answer of `POST /v1/search`, by kind of object.
public struct SearchResponse: Record {
  public var matches: [String: [String]] = [:]
  public var truncations: [String: Bool] = [:]
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Matches", &matches)
    v.field(2, "Truncations", &truncations)
    v.field(3, "Index", &index)
    v.field(4, "LastContact", &lastContact)
    v.field(5, "KnownLeader", &knownLeader)
  }
}

/// Body of `POST /v1/search/fuzzy`.
public struct FuzzySearchRequest: Record {
  public var text = ""
  public var context = ""
  public var namespace = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Text", &text)
    v.field(2, "Context", &context)
    v.field(3, "Namespace", &namespace)
  }
}

/// Answer of `POST /v1/search/fuzzy`, by kind of object.
public struct FuzzySearchResponse: Record {
  public var matches: [String: [FuzzyMatch]] = [:]
  public var truncations: [String: Bool] = [:]
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Matches", &matches)
    v.field(2, "Truncations", &truncations)
    v.field(3, "Index", &index)
    v.field(4, "LastContact", &lastContact)
    v.field(5, "KnownLeader", &knownLeader)
  }
}

/// An object that matches, and where it is.
public struct FuzzyMatch: Record {
  public var id = ""
  public var scope: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Scope", &scope)
  }
}
