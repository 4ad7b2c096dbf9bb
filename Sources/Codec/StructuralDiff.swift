/// What happened to a field or an object.
public enum ChangeKind: String, Sendable {
  case none = "None"
  case added = "Added"
  case deleted = "Deleted"
  case edited = "Edited"
}

/// A field before and after, as text; the empty text where there was none.
public struct FieldChange: Equatable, Sendable {
  /// Whether the field is new, gone, changed or the same.
  public var kind: ChangeKind
  /// Name of the field, with the key in brackets for an entry of a map.
  public var name: String
  /// Text before; empty where there was none.
  public var old: String
  /// Text after; empty where there is none.
  public var new: String

  /// Finds the kind from which of the two texts is empty.
  public init(name: String, old: String, new: String) {
    kind = old == new ? .none : old.isEmpty ? .added : new.isEmpty ? .deleted : .edited
    self.name = name
    self.old = old
    self.new = new
  }
}

/// An object before and after. Fields and objects are sorted by name.
public struct ObjectChange: Equatable, Sendable {
  /// Whether the object is new, gone, changed or the same.
  public var kind: ChangeKind
  /// Name of the object, as `objectName` of the diff translated it.
  public var name: String
  /// Its fields that changed, all of them when contextual ones were asked for.
  public var fields: [FieldChange] = []
  /// Objects within it.
  public var objects: [ObjectChange] = []
}

/// Compares two records field by field, whatever their types are.
///
/// - Texts and numbers are fields of the object that holds them; so are the entries of a map, named `Env[KEY]`, unless the
///   map has the option `diffObject`.
/// - Records are objects within. Lists of records are compared by their key (`diffKey`), or, where elements have none, as
///   sets. Lists of texts are compared as sets too: an object with one field for each element; when only the order changed,
///   the places that changed are fields `Args[0]`.
/// - A free-form value is spread over fields: `args[0]`, `port_map[0][db]`.
public struct StructuralDiff: Sendable {
  /// What an object is called, given the name of its field.
  var objectName: @Sendable (String) -> String

  /// A diff that calls objects as `objectName` translates the names of their fields.
  public init(objectName: @escaping @Sendable (String) -> String = { $0 }) { self.objectName = objectName }

  /// - Parameters:
  ///   - old: nil for an object that was not there.
  ///   - new: nil for one that is gone.
  ///   - contextual: fields that did not change are listed as well. Objects within always list them, and are left out as
  ///     a whole when nothing in them changed.
  ///   - skipping: names of members that are not compared.
  public func compare(
    _ name: String, _ old: FieldTree?, _ new: FieldTree?, contextual: Bool, skipping: Set<String> = []
  ) -> ObjectChange {
    var change = ObjectChange(kind: .none, name: name)
    var options: [String: FieldOptions] = [:]
    var names: [String] = []
    for member in members(new) + members(old) where options.updateValue(member.options, forKey: member.name) == nil {
      names.append(member.name)
    }
    for name in names where !skipping.contains(name) {
      let fieldOptions = options[name] ?? []
      if fieldOptions.contains(.diffIgnore) { continue }
      compareMember(name, fieldOptions, old?[name] ?? .null, new?[name] ?? .null, contextual, &change)
    }
    finish(&change, old == nil, new == nil)
    return change
  }

  private func members(_ tree: FieldTree?) -> [FieldTree.Member] {
    switch tree {
    case .record(let members), .map(let members): members
    default: []
    }
  }

  private func finish(_ change: inout ObjectChange, _ wasAbsent: Bool, _ isAbsent: Bool) {
    change.fields.sort { $0.name < $1.name }
    change.objects.sort { $0.name < $1.name }
    if wasAbsent {
      change.kind = isAbsent ? .none : .added
    } else if isAbsent {
      change.kind = .deleted
    } else if change.fields.contains(where: { $0.kind != .none }) || !change.objects.isEmpty {
      change.kind = .edited
    }
  }

  private func compareMember(
    _ name: String, _ options: FieldOptions, _ old: FieldTree, _ new: FieldTree, _ contextual: Bool,
    _ change: inout ObjectChange
  ) {
    switch (old, new) {
    case (.null, .null): return
    case (.record, _), (_, .record):
      let object = compare(
        objectName(name), old == .null ? nil : old, new == .null ? nil : new, contextual: true)
      if object.kind != .none { change.objects.append(object) }
    case (.list, _), (_, .list):
      compareLists(name, elements(old), elements(new), contextual, &change)
    case (.map, _), (_, .map):
      compareMaps(name, options, old, new, contextual, &change)
    default: append(FieldChange(name: name, old: text(old), new: text(new)), contextual, &change)
    }
  }

  private func append(_ field: FieldChange, _ contextual: Bool, _ change: inout ObjectChange) {
    if contextual || field.kind != .none { change.fields.append(field) }
  }

  private func text(_ tree: FieldTree) -> String { if case .scalar(let text) = tree { text } else { "" } }

  private func elements(_ tree: FieldTree) -> [FieldTree] {
    if case .list(let elements) = tree { elements } else { [] }
  }

  private func compareMaps(
    _ name: String, _ options: FieldOptions, _ old: FieldTree, _ new: FieldTree, _ contextual: Bool,
    _ change: inout ObjectChange
  ) {
    let entries = members(old) + members(new)
    if entries.contains(where: { if case .record = $0.tree { true } else { false } }) {
      for key in Set(entries.map(\.name)).sorted() {
        let object = compare(objectName(name), old[key], new[key], contextual: true)
        if object.kind != .none { change.objects.append(object) }
      }
    } else if options.contains(.diffObject) {
      var object = ObjectChange(kind: .none, name: objectName(name))
      compareFlat(flat(old, ""), flat(new, ""), true, &object)
      finish(&object, members(old).isEmpty, members(new).isEmpty)
      if object.kind != .none { change.objects.append(object) }
    } else {
      compareFlat(flat(old, name), flat(new, name), contextual, &change)
    }
  }

  private func compareFlat(
    _ old: [String: String], _ new: [String: String], _ contextual: Bool, _ change: inout ObjectChange
  ) {
    for key in Set(old.keys).union(new.keys) {
      append(FieldChange(name: key, old: old[key] ?? "", new: new[key] ?? ""), contextual, &change)
    }
  }

  private func flat(_ tree: FieldTree, _ prefix: String) -> [String: String] {
    var result: [String: String] = [:]
    func walk(_ tree: FieldTree, _ path: String) {
      switch tree {
      case .null: result[path] = "null"
      case .scalar(let text): result[path] = text
      case .list(let elements):
        for (index, element) in elements.enumerated() { walk(element, "\(path)[\(index)]") }
      case .map(let members), .record(let members):
        for member in members { walk(member.tree, path.isEmpty ? member.name : "\(path)[\(member.name)]") }
      }
    }
    if tree != .null { walk(tree, prefix) }
    return result
  }

  private func compareLists(
    _ name: String, _ old: [FieldTree], _ new: [FieldTree], _ contextual: Bool, _ change: inout ObjectChange
  ) {
    if old == new { return }
    guard case .record = new.first ?? old.first else { return compareTexts(name, old, new, &change) }
    if (new + old).allSatisfy({ key(of: $0) != nil }) {
      for key in Set((new + old).compactMap { self.key(of: $0) }).sorted() {
        let before = old.first { self.key(of: $0) == key }
        let after = new.first { self.key(of: $0) == key }
        let object = compare(objectName(name), before, after, contextual: true)
        if object.kind != .none { change.objects.append(object) }
      }
      return
    }
    // Elements that are on both sides, each as often as it is on both, did not change.
    var rest = new
    for element in old {
      if let index = rest.firstIndex(of: element) {
        rest.remove(at: index)
      } else {
        change.objects.append(compare(objectName(name), element, nil, contextual: true))
      }
    }
    for element in rest { change.objects.append(compare(objectName(name), nil, element, contextual: true)) }
  }

  /// The text of the field that tells an element of a list from the others.
  private func key(of tree: FieldTree) -> String? {
    members(tree).first { $0.options.contains(.diffKey) }.map { text($0.tree) }
  }

  private func compareTexts(_ name: String, _ old: [FieldTree], _ new: [FieldTree], _ change: inout ObjectChange) {
    let before = old.map(text)
    let after = new.map(text)
    var object = ObjectChange(kind: .none, name: objectName(name))
    if before.sorted() == after.sorted() {
      for (index, pair) in zip(before, after).enumerated() where pair.0 != pair.1 {
        object.fields.append(FieldChange(name: "\(name)[\(index)]", old: pair.0, new: pair.1))
      }
    } else {
      for text in Set(before).union(after).sorted() {
        object.fields.append(
          FieldChange(name: name, old: before.contains(text) ? text : "", new: after.contains(text) ? text : ""))
      }
    }
    finish(&object, old.isEmpty, new.isEmpty)
    if object.kind != .none { change.objects.append(object) }
  }
}
