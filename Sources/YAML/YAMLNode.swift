/// A node of a YAML document (YAML 1.1, as libyaml reads it) before anybody gives its scalars a type: which plain scalars are
/// numbers or Booleans differs among the languages that are built on YAML, so those who read a document decide.
public struct YAMLNode: Sendable {
  /// How a scalar is written.
  public enum ScalarStyle: Sendable {
    case plain
    /// In single or double quotes.
    case quoted
    /// After `|` or `>`.
    case block
  }

  /// What a node is.
  public indirect enum Content: Sendable {
    /// A text. A plain one may stand for something else.
    case scalar(String, ScalarStyle)
    case sequence([YAMLNode])
    /// Keys and values in the order of the document; the same key may be there twice.
    case mapping([(key: YAMLNode, value: YAMLNode)])
  }

  /// What the node is.
  public let content: Content
  /// Its tag in full (`tag:yaml.org,2002:str` for `!!str`), `!` for the non-specific one; nil for none.
  public let tag: String?
  /// Where it begins, from 1.
  public let line: Int
  /// Where it begins in its line, from 1.
  public let column: Int
  /// How many nodes it is, itself and those that aliases stand for included.
  public let weight: Int

  /// The prefix of the tags that YAML itself defines.
  public static let standardTags = "tag:yaml.org,2002:"

  /// The tag's name among those that YAML itself defines, `str` for `!!str`; nil for other tags and for none.
  public var standardTag: String? {
    guard let tag, tag.hasPrefix(Self.standardTags) else { return nil }
    return String(tag.dropFirst(Self.standardTags.count))
  }

  /// Whether this key says that its value's entries belong to the mapping (https://yaml.org/type/merge.html).
  public var isMergeKey: Bool {
    if case .scalar("<<", .plain) = content { return tag == nil || standardTag == "merge" }
    return false
  }
}

/// How large a document may be.
public struct YAMLLimits: Sendable {
  /// Collections inside of each other.
  public var nesting: Int
  /// Nodes, those that aliases stand for counted each time: a short text can stand for very many.
  public var nodes: Int

  /// See the fields.
  public init(nesting: Int = 100, nodes: Int = 1_000_000) {
    self.nesting = nesting
    self.nodes = nodes
  }
}

/// Why a text is not read.
public struct YAMLError: Error, Hashable, Sendable {
  /// In a few words, without place and full stop.
  public let problem: String
  /// Where, from 1.
  public let line: Int
  /// Where in the line, from 1.
  public let column: Int
}
