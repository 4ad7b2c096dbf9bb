internal import RegularExpression

/// A filter's parts.
indirect enum FilterNode: Sendable {
  case not(FilterNode)
  case and(FilterNode, FilterNode)
  case or(FilterNode, FilterNode)
  case match(FilterMatch)
  /// `any X as a, b { … }`, `all X as a { … }`.
  case quantified(isAll: Bool, over: FilterSelector, first: String, second: String?, FilterNode)
}

/// What names a value: fields of records, keys of maps.
struct FilterSelector: Sendable, CustomStringConvertible {
  var path: [String]
  var description: String { path.joined(separator: ".") }
}

/// One comparison.
struct FilterMatch: Sendable {
  enum Operation: Sendable { case equal, isEmpty, contains, matches }

  var selector: FilterSelector
  var operation: Operation
  var isNegated: Bool
  /// What is compared with, as written; empty for `is empty`.
  var value: String
  /// Of `matches`.
  var pattern: Pattern?
}

/// Reads the text of a filter.
///
/// The grammar is that of https://pkg.go.dev/github.com/hashicorp/go-bexpr:
/// ```
/// or    = and *("or" and)
/// and   = not *("and" not)
/// not   = "not" not | "(" or ")" | quantified | match
/// match = selector ("==" | "!=") value | selector ["not"] ("contains" | "matches") value
///       | selector "is" ["not"] "empty" | value ["not"] "in" selector
/// ```
/// A selector is `Name.Name`, `Name["key"]` or a JSON pointer in quotes, `"/Name/key"`.
struct FilterParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// Bounds of what is read: filters come from anybody who can reach the API.
  static let longestText = 8192
  static let deepest = 64

  init(_ text: String) throws(FilterError) {
    bytes = Array(text.utf8)
    guard bytes.count <= Self.longestText else {
      throw FilterError("the filter has \(bytes.count) bytes; at most \(Self.longestText) are read")
    }
  }

  mutating func parse() throws(FilterError) -> FilterNode {
    let node = try or()
    skipSpace()
    guard position == bytes.count else { throw wrong("the end of the filter, \"and\" or \"or\" was expected") }
    return node
  }

  // MARK: operators

  private mutating func or() throws(FilterError) -> FilterNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw FilterError("the filter is nested more than \(Self.deepest) levels deep") }
    var node = try and()
    while takeWord("or") { node = .or(node, try and()) }
    return node
  }

  private mutating func and() throws(FilterError) -> FilterNode {
    var node = try not()
    while takeWord("and") { node = .and(node, try not()) }
    return node
  }

  private mutating func not() throws(FilterError) -> FilterNode {
    var negations = 0
    while takeWord("not") { negations += 1 }
    let node = try primary()
    return negations % 2 == 1 ? .not(node) : node
  }

  private mutating func primary() throws(FilterError) -> FilterNode {
    skipSpace()
    if take("(") {
      let node = try or()
      skipSpace()
      guard take(")") else { throw wrong("\")\" was expected") }
      return node
    }
    let start = position
    for (word, isAll) in [("any", false), ("all", true)] where takeWord(word) {
      if let node = try quantified(isAll) { return node }
      position = start
    }
    return try match()
  }

  /// Nil when it turns out to be a selector that begins with the word.
  private mutating func quantified(_ isAll: Bool) throws(FilterError) -> FilterNode? {
    guard let selector = try selector(), takeWord("as") else { return nil }
    skipSpace()
    guard let first = identifier() else { throw wrong("a name was expected behind \"as\"") }
    skipSpace()
    var second: String?
    if take(",") {
      skipSpace()
      second = identifier()
      if second == nil { throw wrong("a second name was expected behind the comma") }
    }
    skipSpace()
    guard take("{") else { throw wrong("\"{\" was expected") }
    let body = try or()
    skipSpace()
    guard take("}") else { throw wrong("\"}\" was expected") }
    return .quantified(isAll: isAll, over: selector, first: first, second: second, body)
  }

  // MARK: comparisons

  private mutating func match() throws(FilterError) -> FilterNode {
    skipSpace()
    let start = position
    // A quoted text or a number can only be a value, unless it is a pointer and a selector's operator follows.
    if let value = try literal() {
      let end = position
      let isNegated = takeWord("not")
      if takeWord("in") {
        guard let selector = try selector() else { throw wrong("a field was expected behind \"in\"") }
        return .match(FilterMatch(selector: selector, operation: .contains, isNegated: isNegated, value: value))
      }
      position = end
      guard let pointer = Self.pointer(value), bytes[start] == UInt8(ascii: "\"") else {
        throw wrong("\"in\" was expected behind a value")
      }
      return try operation(of: pointer)
    }
    guard let selector = try selector() else { throw wrong("a field was expected") }
    let end = position
    let isNegated = takeWord("not")
    if takeWord("in") {
      guard let container = try self.selector() else { throw wrong("a field was expected behind \"in\"") }
      return .match(
        FilterMatch(
          selector: container, operation: .contains, isNegated: isNegated, value: selector.description))
    }
    position = end
    return try operation(of: selector)
  }

  private mutating func operation(of selector: FilterSelector) throws(FilterError) -> FilterNode {
    skipSpace()
    var match = FilterMatch(selector: selector, operation: .equal, isNegated: false, value: "")
    if take("==") {
      match.value = try value()
    } else if take("!=") {
      match.isNegated = true
      match.value = try value()
    } else if takeWord("is") {
      match.operation = .isEmpty
      match.isNegated = takeWord("not")
      guard takeWord("empty") else { throw wrong("\"empty\" was expected behind \"is\"") }
    } else {
      match.isNegated = takeWord("not")
      if takeWord("contains") {
        match.operation = .contains
        match.value = try value()
      } else if takeWord("matches") {
        match.operation = .matches
        match.value = try value()
        do throws(PatternError) {
          match.pattern = try Pattern(match.value)
        } catch {
          throw FilterError("\"\(match.value)\" is no regular expression: \(error)")
        }
      } else {
        throw wrong("an operator was expected: ==, !=, is empty, contains, matches or in")
      }
    }
    return .match(match)
  }

  private mutating func value() throws(FilterError) -> String {
    skipSpace()
    if let literal = try literal() { return literal }
    guard let word = try selector() else { throw wrong("a value was expected") }
    return word.description
  }

  // MARK: words

  private mutating func selector() throws(FilterError) -> FilterSelector? {
    skipSpace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      guard let text = try literal(), let pointer = Self.pointer(text) else {
        throw wrong("a field in quotes is a JSON pointer, \"/Name/key\"")
      }
      return pointer
    }
    guard let first = identifier() else { return nil }
    var selector = FilterSelector(path: [first])
    while position < bytes.count {
      if take(".") {
        guard let next = identifier() else { throw wrong("a name was expected behind the dot") }
        selector.path.append(next)
      } else if take("[") {
        skipSpace()
        guard let key = try literal() else { throw wrong("a key in quotes was expected") }
        skipSpace()
        guard take("]") else { throw wrong("\"]\" was expected") }
        selector.path.append(key)
      } else {
        break
      }
    }
    return selector
  }

  /// RFC 6901.
  private static func pointer(_ text: String) -> FilterSelector? {
    guard text.hasPrefix("/"), text.utf8.count > 1 else { return nil }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    return FilterSelector(path: parts.map { unescaped($0) })
  }

  private static func unescaped(_ part: Substring) -> String {
    var text = ""
    var isEscaped = false
    for character in part {
      if isEscaped {
        text += character == "1" ? "/" : character == "0" ? "~" : "~\(character)"
        isEscaped = false
      } else if character == "~" {
        isEscaped = true
      } else {
        text.append(character)
      }
    }
    return isEscaped ? text + "~" : text
  }

  private mutating func identifier() -> String? {
    guard position < bytes.count, Self.isLetter(bytes[position]) else { return nil }
    let start = position
    while position < bytes.count,
      Self.isLetter(bytes[position]) || Self.isDigit(bytes[position]) || bytes[position] == 0x5F
    {
      position += 1
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// A text in quotes or backticks, or a number; nil when none stands here.
  private mutating func literal() throws(FilterError) -> String? {
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "`"):
      guard let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "`")) else {
        throw wrong("the closing backtick is missing")
      }
      defer { position = end + 1 }
      return String(decoding: bytes[position + 1..<end], as: UTF8.self)
    case UInt8(ascii: "\""): return try quoted()
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    default: return nil
    }
  }

  private mutating func quoted() throws(FilterError) -> String {
    let start = position
    var text: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard position < bytes.count else { break }
        let escape = bytes[position]
        position += 1
        switch escape {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): text.append(escape)
        case UInt8(ascii: "u"): text += try scalar(digits: 4)
        case UInt8(ascii: "U"): text += try scalar(digits: 8)
        case UInt8(ascii: "x"): text += try scalar(digits: 2)
        default: throw wrong("an unknown escape")
        }
      default: text.append(byte)
      }
    }
    position = start
    throw wrong("the closing quote is missing")
  }

  private mutating func scalar(digits: Int) throws(FilterError) -> [UInt8] {
    guard position + digits <= bytes.count,
      let value = UInt32(String(decoding: bytes[position..<position + digits], as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw wrong("\(digits) hexadecimal digits of a character were expected") }
    position += digits
    return Array(String(scalar).utf8)
  }

  private mutating func number() throws(FilterError) -> String {
    let start = position
    _ = take("-")
    let digits = position
    while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
    let hasDigits = position > digits
    if take(".") {
      let fraction = position
      while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
      if position == fraction { throw wrong("digits were expected behind the point") }
    }
    let isEnded =
      position == bytes.count || Self.isSpace(bytes[position]) || bytes[position] == UInt8(ascii: ")")
      || bytes[position] == UInt8(ascii: "}")
    guard hasDigits, isEnded else { throw wrong("no number: write other values in quotes") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  // MARK: characters

  private mutating func take(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard position + length <= bytes.count,
      text.withUTF8Buffer({ $0.elementsEqual(bytes[position..<position + length]) })
    else { return false }
    position += length
    return true
  }

  /// A whole word, with white space before it.
  private mutating func takeWord(_ word: String) -> Bool {
    var start = position
    while start < bytes.count, Self.isSpace(bytes[start]) { start += 1 }
    let end = start + word.utf8.count
    guard end <= bytes.count, bytes[start..<end].elementsEqual(word.utf8) else { return false }
    if end < bytes.count,
      Self.isLetter(bytes[end]) || Self.isDigit(bytes[end]) || [0x5F, 0x2E, 0x5B].contains(bytes[end])
    {
      return false
    }
    position = end
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 }
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private func wrong(_ problem: String) -> FilterError {
    let before = String(decoding: bytes[..<position].suffix(20), as: UTF8.self)
    let after = String(decoding: bytes[position...].prefix(20), as: UTF8.self)
    return FilterError("filter, byte \(position + 1), at \"\(before)⟨here⟩\(after)\": \(problem)")
  }
}
