public import Codec

/// Body of `POST /v1/search`.
public struct SearchRequest: Record {
  /// Beginning of the id; dashes of UUIDs included.
  public var prefix = ""
  /// Kind of object: `jobs`, `nodes`, `allocs`, `evals`, `deployment`, `namespaces`, `node_pools`, `vars` … or `all`.
  public var context = ""
  /// Namespace to look in, `*` for every one.
  public var namespace = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Prefix", &prefix)
    v.field(2, "Context", &context)
    v.field(3, "Namespace", &namespace)
  }
}

/// Answer of `POST /v1/search`, by kind of object.
public struct SearchResponse: Record {
  /// Ids that begin so, by kind.
  public var matches: [String: [String]] = [:]
  /// Whether more than twenty of a kind began so and the rest was left out, by kind.
  public var truncations: [String: Bool] = [:]
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Part of a name, of any case.
  public var text = ""
  /// Kind of object, or `all`.
  public var context = ""
  /// Namespace to look in, `*` for every one.
  public var namespace = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Text", &text)
    v.field(2, "Context", &context)
    v.field(3, "Namespace", &namespace)
  }
}

/// Answer of `POST /v1/search/fuzzy`, by kind of object.
public struct FuzzySearchResponse: Record {
  /// Names that contain the text, by kind.
  public var matches: [String: [FuzzyMatch]] = [:]
  /// Whether matches of a kind were left out, by kind.
  public var truncations: [String: Bool] = [:]
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The name that matched.
  public var id = ""
  /// Where it is found: namespace, job, group, from the outside in.
  public var scope: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Scope", &scope)
  }
}
