public import Codec
internal import RegularExpression

/// A filter over records of the model: what the API's `?filter=` selects by.
///
/// Example: `ClientStatus == "running" and JobID matches "^web-"`. Fields have their JSON names. A value is read as the
/// field's kind: numbers in decimal or with `0x`, `true` and `false`. A map's key that is not there equals nothing and is
/// empty. A field behind a list is right when it is for any of the elements.
public struct FilterExpression: Sendable {
  private let root: FilterNode

  /// - Throws: `FilterError` with the place that can't be read.
  public init(_ text: String) throws(FilterError) {
    var parser = try FilterParser(text)
    root = try parser.parse()
  }

  /// Whether the filter selects a record.
  /// - Throws: `FilterError` for a field that such a record has not, or an operator that the field's kind has not.
  public func selects<R: Record>(_ record: R) throws(FilterError) -> Bool {
    try Evaluation(record: record).result(of: root)
  }
}

/// What a selector leads to.
private enum Datum {
  case record(any Record)
  case value(JSONValue)
  /// A key that the map has not.
  case absent
}

private struct Evaluation {
  let record: any Record
  /// Names that `any` and `all` have given.
  var names: [String: Datum] = [:]

  func result(of node: FilterNode) throws(FilterError) -> Bool {
    switch node {
    case .not(let inner): return !(try result(of: inner))
    case .and(let left, let right):
      if !(try result(of: left)) { return false }
      return try result(of: right)
    case .or(let left, let right):
      if try result(of: left) { return true }
      return try result(of: right)
    case .match(let match):
      let first = match.selector.path[0]
      if let named = names[first] {
        return try result(of: match, at: named, match.selector.path.dropFirst())
      }
      return try result(of: match, at: .record(record), match.selector.path[...])
    case .quantified(let isAll, let selector, let first, let second, let body):
      return try quantified(isAll, selector, first, second, body)
    }
  }

  private func quantified(
    _ isAll: Bool, _ selector: FilterSelector, _ first: String, _ second: String?, _ body: FilterNode
  ) throws(FilterError) -> Bool {
    var datum = names[selector.path[0]] ?? .record(record)
    for part in names[selector.path[0]] == nil ? selector.path[...] : selector.path.dropFirst() {
      datum = try member(part, of: datum, selector)
    }
    func holds(_ bindings: [(String, Datum)]) throws(FilterError) -> Bool {
      var inner = self
      for (name, datum) in bindings { inner.names[name] = datum }
      return try inner.result(of: body)
    }
    switch datum {
    case .absent, .value(.null): return isAll
    case .value(.array(let elements)):
      for (index, element) in elements.enumerated() {
        let bindings: [(String, Datum)] =
          second.map { [(first, .value(.int(Int64(index)))), ($0, .value(element))] } ?? [(first, .value(element))]
        if try holds(bindings) != isAll { return !isAll }
      }
      return isAll
    case .value(.object(let object)):
      for (key, value) in object.members {
        var bindings: [(String, Datum)] = [(first, .value(.string(key)))]
        if let second { bindings.append((second, .value(value))) }
        if try holds(bindings) != isAll { return !isAll }
      }
      return isAll
    default: throw FilterError("\"\(selector)\" is neither a list nor a map: any and all go over those")
    }
  }

  private func result(
    of match: FilterMatch, at datum: Datum, _ path: ArraySlice<String>
  ) throws(FilterError) -> Bool {
    guard let part = path.first else {
      switch datum {
      case .absent: return match.operation == .isEmpty ? !match.isNegated : match.isNegated
      case .record: throw FilterError("\"\(match.selector)\" has fields of its own: name one of them")
      case .value(let value): return try compare(match, value) != match.isNegated
      }
    }
    if case .value(.array(let elements)) = datum {
      for element in elements where try result(of: match, at: .value(element), path) { return true }
      return false
    }
    return try result(of: match, at: try member(part, of: datum, match.selector), path.dropFirst())
  }

  private func member(_ name: String, of datum: Datum, _ selector: FilterSelector) throws(FilterError) -> Datum {
    switch datum {
    case .record(let record):
      var finder = FieldFinder(name: name)
      finder.look(into: record)
      guard let found = finder.found else {
        throw FilterError(
          "there is no field \"\(name)\" (of \"\(selector)\"); there are \(finder.names.joined(separator: ", "))")
      }
      return found
    case .value(.object(let object)): return object[name].map { .value($0) } ?? .absent
    case .value(.null), .absent: return .absent
    case .value: throw FilterError("\"\(selector)\" asks for a field of something that has none")
    }
  }

  private func compare(_ match: FilterMatch, _ value: JSONValue) throws(FilterError) -> Bool {
    switch match.operation {
    case .equal: return try equals(value, match)
    case .isEmpty:
      switch value {
      case .string(let text): return text.isEmpty
      case .array(let elements): return elements.isEmpty
      case .object(let object): return object.isEmpty
      case .null: return true
      default: throw FilterError("\"\(match.selector)\" is neither a text, a list nor a map: it is never empty")
      }
    case .contains:
      switch value {
      case .string(let text): return match.value.isEmpty || text.contains(text: match.value)
      case .array(let elements):
        for element in elements where try equals(element, match) { return true }
        return false
      case .object(let object): return object[match.value] != nil
      case .null: return false
      default: throw FilterError("\"\(match.selector)\" is neither a text, a list nor a map: it contains nothing")
      }
    case .matches:
      switch value {
      case .string(let text): return match.pattern?.matches(text) ?? false
      case .null: return false
      default: throw FilterError("\"\(match.selector)\" is no text: a regular expression matches texts")
      }
    }
  }

  private func equals(_ value: JSONValue, _ match: FilterMatch) throws(FilterError) -> Bool {
    switch value {
    case .string(let text): return text == match.value
    case .bool(let flag):
      guard let given = Self.bool(match.value) else { throw unreadable(match, "true or false") }
      return flag == given
    case .int(let number):
      guard let given = Self.integer(match.value) else { throw unreadable(match, "a whole number") }
      return number == given
    case .double(let number):
      guard let given = Double(match.value) else { throw unreadable(match, "a number") }
      return number == given
    case .null: return false
    case .array, .object:
      throw FilterError("\"\(match.selector)\" is a list or a map: ask what it contains, or whether it is empty")
    }
  }

  private func unreadable(_ match: FilterMatch, _ kind: String) -> FilterError {
    FilterError("\"\(match.selector)\" is compared with \"\(match.value)\", which is not \(kind)")
  }

  private static func bool(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }

  /// Decimal, or with a prefix as programming languages write other bases.
  private static func integer(_ text: String) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
    let lower = digits.lowercased()
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)]
    where lower.hasPrefix(prefix) && lower.utf8.count > prefix.utf8.count {
      return Int64((isNegative ? "-" : "") + lower.dropFirst(prefix.count), radix: radix)
    }
    return Int64(text)
  }
}

/// Finds one field of a record; only that one is turned into a value.
private struct FieldFinder: FieldVisitor {
  let name: String
  var found: Datum?
  var names: [String] = []

  init(name: String) { self.name = name }

  mutating func look<R: Record>(into record: R) {
    var copy = record
    copy.visit(&self)
  }

  mutating func field<T: FieldValue>(_ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions) {
    if found != nil || options.contains(.binaryOnly) { return }
    guard name.withUTF8Buffer({ $0.elementsEqual(self.name.utf8) }) else {
      names.append(name.description)
      return
    }
    if let record = value as? any Record {
      found = .record(record)
    } else {
      // What the codec wrote is JSON; there is nothing in it to refuse.
      found = .value((try? JSON.decode(JSONValue.self, from: JSON.encode(value))) ?? .null)
    }
  }
}

extension String {
  fileprivate func contains(text needle: String) -> Bool {
    let haystack = Array(utf8), needle = Array(needle.utf8)
    guard let first = needle.first, haystack.count >= needle.count else { return needle.isEmpty }
    for start in 0...(haystack.count - needle.count)
    where haystack[start] == first && haystack[start..<start + needle.count].elementsEqual(needle) {
      return true
    }
    return false
  }
}
