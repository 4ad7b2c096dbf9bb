/// Replaces `${name}` in text with what the node and the task know under that name.
///
/// A name that nobody knows stays as it is written, so that a shell's own `${i}` in a script passes through.
struct Interpolation: Sendable {
  /// Values by full name: `attr.kernel.name`, `meta.rack`, `node.class`, `NOMAD_ALLOC_ID`, …
  var values: [String: String]

  /// Makes one from values by full name.
  init(values: [String: String]) { self.values = values }

  /// `text` with every known `${name}` replaced. Replacements are not looked into again: a value cannot inject names.
  func callAsFunction(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result = ""
    var rest = text[...]
    while let start = rest.firstRange(of: "${") {
      result += rest[..<start.lowerBound]
      let after = rest[start.upperBound...]
      guard let end = after.firstIndex(of: "}") else { return result + rest[start.lowerBound...] }
      let name = after[..<end]
      if let value = values[Self.normalized(name)] {
        result += value
        rest = after[after.index(after: end)...]
      } else {
        // The inner text may itself hold a `${`: go on right behind this one.
        result += "${"
        rest = after
      }
    }
    return result + rest
  }

  /// `env["X"]`, the older spelling of a task's variable, means `X`; `attr["x"]` and `meta["x"]` mean `attr.x`, `meta.x`.
  private static func normalized(_ name: Substring) -> String {
    guard name.last == "]", let bracket = name.firstIndex(of: "["), name.hasSuffix("\"]") else { return String(name) }
    let inner = name[name.index(after: bracket)...]
    guard inner.first == "\"" else { return String(name) }
    let key = inner.dropFirst().dropLast(2)
    let scope = name[..<bracket]
    return scope == "env" ? String(key) : "\(scope).\(key)"
  }

  /// The same in every string of a list.
  func callAsFunction(_ texts: [String]) -> [String] { texts.map { self($0) } }
}

extension Substring {
  /// The first place of `other`, nil when there is none. (The standard library's own needs an import that costs much.)
  fileprivate func firstRange(of other: String) -> Range<Index>? {
    var start = startIndex
    while let candidate = self[start...].firstIndex(of: "$") {
      if self[candidate...].hasPrefix(other) { return candidate..<index(candidate, offsetBy: other.count) }
      start = index(after: candidate)
    }
    return nil
  }
}
