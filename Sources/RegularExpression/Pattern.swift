/// A regular expression in RE2 syntax, matched in time linear in the text whatever the pattern: safe on patterns and texts from
/// outside.
///
/// Syntax: https://github.com/google/re2/wiki/Syntax, with the choices of Go's `regexp`: leftmost-first matches, UTF-8, general
/// categories in `\p{…}`. Script names in `\p{…}` (such as `\p{Greek}`) are not supported and refused.
public struct Pattern: Sendable {
  /// The pattern as given.
  public let text: String
  /// The name of each group, nil for those without; the first is the whole match.
  public let groupNames: [String?]
  private let program: Program

  /// - Throws: `PatternError` that says what is wrong with the pattern.
  public init(_ text: String) throws(PatternError) {
    self.text = text
    var parser = PatternParser(text)
    let tree = try parser.parse()
    groupNames = parser.groupNames
    program = try Program.compile(tree, groups: parser.groupNames.count)
  }

  /// Groups in parentheses that capture.
  public var groupCount: Int { groupNames.count - 1 }

  /// Whether the pattern matches anywhere in `text`.
  public func matches(_ text: String) -> Bool {
    firstMatch(in: Array(text.utf8)) != nil
  }

  /// The leftmost match in UTF-8 bytes, at or after the byte `start`.
  public func firstMatch(in bytes: [UInt8], from start: Int = 0) -> Match? {
    var machine = Machine(program, bytes)
    return machine.run(from: start)
  }

  /// All matches that do not overlap, leftmost first; an empty match right after another match does not count.
  ///
  /// Every match is a search of its own, and a search may look at all that follows, so that all together can take quadratic
  /// time.
  ///
  /// - Parameter steps: gives up with nil after this many steps of the machine.
  public func allMatches(in bytes: [UInt8], steps: Int = 200_000_000) -> [Match]? {
    var out: [Match] = []
    var at = 0
    var lastEnd = -1
    var machine = Machine(program, bytes)
    while at <= bytes.count {
      guard let match = machine.run(from: at) else { break }
      if machine.steps > steps { return nil }
      let range = match.range
      if range.isEmpty {
        if range.lowerBound != lastEnd { out.append(match) }
        at = range.upperBound + max(1, scalarLength(bytes, range.upperBound))
      } else {
        out.append(match)
        at = range.upperBound
      }
      lastEnd = range.upperBound
    }
    return out
  }

  /// The text with every match replaced. In `template`, `$1`, `${1}`, `$name`, `${name}` stand for groups and `$$` for a dollar
  /// sign; a group that does not exist or did not match stands for nothing.
  ///
  /// - Returns: nil when finding all matches takes too many steps, or the result would have more than `maximumBytes`.
  public func replacingMatches(in text: String, with template: String, maximumBytes: Int = .max) -> String? {
    let bytes = Array(text.utf8)
    guard let matches = allMatches(in: bytes) else { return nil }
    let parts = expand(template)
    var out: [UInt8] = []
    var at = 0
    for match in matches {
      out += bytes[at..<match.range.lowerBound]
      for part in parts {
        switch part {
        case .text(let text): out += text
        case .group(let index): if let range = match.groups[index] { out += bytes[range] }
        }
      }
      if out.count > maximumBytes { return nil }
      at = match.range.upperBound
    }
    out += bytes[at...]
    return String(decoding: out, as: UTF8.self)
  }

  private enum Replacement {
    case text([UInt8])
    case group(Int)
  }

  private func expand(_ template: String) -> [Replacement] {
    let bytes = Array(template.utf8)
    var out: [Replacement] = []
    var literal: [UInt8] = []
    var i = 0
    func isWord(_ b: UInt8) -> Bool {
      (0x30...0x39).contains(b) || (0x41...0x5A).contains(b) || (0x61...0x7A).contains(b) || b == UInt8(ascii: "_")
    }
    while i < bytes.count {
      guard bytes[i] == UInt8(ascii: "$"), i + 1 < bytes.count else {
        literal.append(bytes[i])
        i += 1
        continue
      }
      if bytes[i + 1] == UInt8(ascii: "$") {
        literal.append(bytes[i])
        i += 2
        continue
      }
      let braced = bytes[i + 1] == UInt8(ascii: "{")
      let start = i + (braced ? 2 : 1)
      var end = start
      while end < bytes.count, isWord(bytes[end]) { end += 1 }
      guard end > start, !braced || (end < bytes.count && bytes[end] == UInt8(ascii: "}")) else {
        literal.append(bytes[i])
        i += 1
        continue
      }
      out.append(.text(literal))
      literal = []
      let name = String(decoding: bytes[start..<end], as: UTF8.self)
      if let number = Int(name) {
        if number < groupNames.count { out.append(.group(number)) }
      } else if let index = groupNames.lastIndex(of: name) {
        out.append(.group(index))
      }
      i = end + (braced ? 1 : 0)
    }
    out.append(.text(literal))
    return out
  }
}

/// Where a pattern matched, in byte offsets.
public struct Match: Sendable, Hashable {
  /// The whole match, then each group; nil for a group that took no part.
  public var groups: [Range<Int>?]

  /// A match with the ranges of the whole and of each group.
  public init(groups: [Range<Int>?]) {
    self.groups = groups
  }

  /// The whole match.
  public var range: Range<Int> { (groups.first ?? nil) ?? 0..<0 }
}

/// What is wrong with a pattern.
public struct PatternError: Error, Sendable, CustomStringConvertible {
  /// What is wrong.
  public var message: String
  /// The part of the pattern that is wrong.
  public var part: String

  /// Problem and part on one line.
  public var description: String { part.isEmpty ? message : "\(message): \(part)" }
}

/// The number of bytes of the UTF-8 sequence at `i`; 1 for a byte that is none, 0 at the end.
func scalarLength(_ bytes: [UInt8], _ i: Int) -> Int {
  guard i < bytes.count else { return 0 }
  return decode(bytes, i).length
}

/// The scalar at `i`; a byte that begins no well-formed sequence counts as U+FFFD of length 1.
@inline(__always)
func decode(_ bytes: [UInt8], _ i: Int) -> (scalar: UInt32, length: Int) {
  let b = bytes[i]
  if b < 0x80 { return (UInt32(b), 1) }
  let length = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2
  guard b >= 0xC2, b <= 0xF4, i + length <= bytes.count else { return (0xFFFD, 1) }
  var value = UInt32(b) & (0xFF >> UInt32(length + 1))
  for k in 1..<length {
    let next = bytes[i + k]
    guard next & 0xC0 == 0x80 else { return (0xFFFD, 1) }
    value = value << 6 | UInt32(next & 0x3F)
  }
  let smallest: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
  guard value >= smallest, value <= 0x10FFFF, !(0xD800..<0xE000).contains(value) else { return (0xFFFD, 1) }
  return (value, length)
}
