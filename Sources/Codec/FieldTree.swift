/// A value as the structural diff sees it: texts, lists, maps and records, whatever the types were.
public enum FieldTree: Equatable, Sendable {
  case null
  case scalar(String)
  case list([FieldTree])
  /// Sorted by name.
  case map([Member])
  /// In the order of the field list.
  case record([Member])

  /// A field of a record, as the diff sees it.
  public struct Member: Equatable, Sendable {
    /// The field's name in JSON.
    public var name: String
    /// What the diff is to do with it.
    public var options: FieldOptions
    /// Its value.
    public var tree: FieldTree

    /// A member with everything given.
    public init(name: String, options: FieldOptions, tree: FieldTree) {
      self.name = name
      self.options = options
      self.tree = tree
    }
  }

  /// The member of a record or map with this name.
  public subscript(name: String) -> FieldTree? {
    switch self {
    case .record(let members), .map(let members): members.first { $0.name == name }?.tree
    default: nil
    }
  }
}

/// Gathers the fields of one record.
struct FieldTreeCollector: FieldVisitor {
  var members: [FieldTree.Member] = []

  mutating func field<T: FieldValue>(_ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions) {
    members.append(FieldTree.Member(name: name.description, options: options, tree: value.tree))
  }
}
