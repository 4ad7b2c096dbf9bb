import RegularExpression

extension StandardFunctions {
  static let patterns: [String: Function] = [
    "regex": Function([.init("pattern", .string), .init("string", .string)]) { a, _ throws(FunctionFailure) in
      let pattern = try compile(a, 0)
      let bytes = Array(try a.string(1).utf8)
      guard let match = pattern.firstMatch(in: bytes) else {
        throw FunctionFailure("the pattern does not match the string")
      }
      return try captures(pattern, match, bytes)
    },
    "regexall": Function([.init("pattern", .string), .init("string", .string)]) { a, _ throws(FunctionFailure) in
      let pattern = try compile(a, 0)
      let bytes = Array(try a.string(1).utf8)
      guard let matches = pattern.allMatches(in: bytes) else {
        throw FunctionFailure("finding all matches takes too long")
      }
      var out: [Value] = []
      for match in matches { out.append(try captures(pattern, match, bytes)) }
      let none = try captures(
        pattern, Match(groups: [Range<Int>?](repeating: nil, count: pattern.groupNames.count)), [])
      return .list(out, of: out.first?.type ?? none.type)
    },
    "regex_replace": Function(
      [.init("string", .string), .init("pattern", .string), .init("replace", .string)], result: .string
    ) { a, room throws(FunctionFailure) in
      let pattern = try compile(a, 1)
      guard
        let text = pattern.replacingMatches(in: try a.string(0), with: try a.string(2), maximumBytes: room.weight * 16)
      else {
        throw FunctionFailure("replacing all matches takes too long, or the result is too large")
      }
      return .string(text)
    },
  ]

  private static func compile(_ arguments: [Value], _ index: Int) throws(FunctionFailure) -> Pattern {
    let text = try arguments.string(index)
    do throws(PatternError) {
      return try Pattern(text)
    } catch {
      throw FunctionFailure("invalid regular expression: \(error.description)", argument: index)
    }
  }

  /// The whole match where there are no groups, a tuple for groups without names, an object for groups with names.
  private static func captures(_ pattern: Pattern, _ match: Match, _ bytes: [UInt8]) throws(FunctionFailure) -> Value {
    func text(_ range: Range<Int>?) -> Value {
      range.map { .string(String(decoding: bytes[$0], as: UTF8.self)) } ?? .null(.string)
    }
    if pattern.groupCount == 0 { return text(match.groups[0]) }
    let names = pattern.groupNames.dropFirst()
    if names.allSatisfy({ $0 == nil }) { return .tuple(match.groups.dropFirst().map(text)) }
    var attributes: [String: Value] = [:]
    for (name, group) in zip(names, match.groups.dropFirst()) {
      guard let name else { throw FunctionFailure("either all groups of a pattern have names, or none") }
      attributes[name] = text(group)
    }
    return .object(attributes)
  }
}
