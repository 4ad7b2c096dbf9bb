/// A pattern as a tree.
indirect enum PatternTree {
  case empty
  case set(ScalarSet)
  case assertion(Assertion)
  case sequence([PatternTree])
  case alternatives([PatternTree])
  /// `maximum` nil: without end.
  case repeated(PatternTree, minimum: Int, maximum: Int?, greedy: Bool)
  case group(PatternTree, index: Int)
}

enum Assertion: Sendable {
  case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

/// Reads RE2 syntax.
struct PatternParser {
  /// Groups inside of each other.
  static let maximumNesting = 250
  /// The largest count in `{n,m}`.
  static let maximumCount = 1_000

  private struct Flags {
    var foldsCase = false
    var multiline = false
    var dotMatchesNewline = false
    var swapsGreed = false
  }

  private let scalars: [UInt32]
  private var at = 0
  private var flags = Flags()
  private var nesting = 0
  private(set) var groupNames: [String?] = [nil]

  init(_ text: String) {
    scalars = text.unicodeScalars.map(\.value)
  }

  mutating func parse() throws(PatternError) -> PatternTree {
    let tree = try alternatives()
    if at < scalars.count { throw failure("unexpected )", at, scalars.count) }
    return tree
  }

  // MARK: Reading

  private func failure(_ message: String, _ start: Int, _ end: Int) -> PatternError {
    var part = ""
    for value in scalars[min(start, scalars.count)..<min(max(start, end), scalars.count)].prefix(60) {
      if let scalar = Unicode.Scalar(value) { part.unicodeScalars.append(scalar) }
    }
    return PatternError(message: message, part: part)
  }

  private func peek(_ offset: Int = 0) -> UInt32? {
    at + offset < scalars.count ? scalars[at + offset] : nil
  }

  private func looks(_ text: StaticString, _ offset: Int = 0) -> Bool {
    text.withUTF8Buffer { bytes in
      for (i, byte) in bytes.enumerated() where peek(offset + i) != UInt32(byte) { return false }
      return true
    }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    guard looks(text) else { return false }
    at += text.utf8CodeUnitCount
    return true
  }

  // MARK: Structure

  private mutating func alternatives() throws(PatternError) -> PatternTree {
    var all = [try sequence()]
    while take("|") { all.append(try sequence()) }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence() throws(PatternError) -> PatternTree {
    var items: [PatternTree] = []
    while let next = peek(), next != 0x7C, next != 0x29 {
      if looks("\\Q") {
        at += 2
        let start = at
        while at < scalars.count, !looks("\\E") {
          items.append(.set(literal(scalars[at])))
          at += 1
        }
        // A repetition after the quotation is of its last character.
        if take("\\E"), let last = items.last, at > start + 2 {
          items[items.count - 1] = try repetitions(of: last, start)
        }
        continue
      }
      let start = at
      guard let atom = try atom() else { continue }
      items.append(try repetitions(of: atom, start))
    }
    return items.count == 1 ? items[0] : items.isEmpty ? .empty : .sequence(items)
  }

  private mutating func repetitions(of atom: PatternTree, _ start: Int) throws(PatternError) -> PatternTree {
    var result = atom
    var repeated = false
    while let next = peek() {
      let operatorStart = at
      let minimum: Int
      let maximum: Int?
      switch next {
      case 0x2A: (minimum, maximum) = (0, nil)
      case 0x2B: (minimum, maximum) = (1, nil)
      case 0x3F: (minimum, maximum) = (0, 1)
      case 0x7B:
        guard let count = counts() else { return result }
        (minimum, maximum) = (count.minimum, count.maximum)
        at = count.end - 1
        if minimum > PatternParser.maximumCount || (maximum ?? 0) > PatternParser.maximumCount
          || (maximum ?? minimum) < minimum
        {
          throw failure("invalid repeat count", operatorStart, count.end)
        }
      default: return result
      }
      at += 1
      if repeated { throw failure("invalid nested repetition operator", operatorStart - 1, at) }
      let lazy = take("?")
      result = .repeated(result, minimum: minimum, maximum: maximum, greedy: lazy == flags.swapsGreed)
      repeated = true
    }
    return result
  }

  /// `{n}`, `{n,}` or `{n,m}` here; anything else in braces is literal text.
  private func counts() -> (minimum: Int, maximum: Int?, end: Int)? {
    var i = at + 1
    func number() -> (Int, Int)? {
      var k = i
      var value = 0
      while k < scalars.count, (0x30...0x39).contains(scalars[k]) {
        value = min(value * 10 + Int(scalars[k] - 0x30), 100_000)
        k += 1
      }
      return k > i ? (value, k) : nil
    }
    guard let (minimum, afterFirst) = number() else { return nil }
    i = afterFirst
    guard i < scalars.count else { return nil }
    if scalars[i] == 0x7D { return (minimum, minimum, i + 1) }
    guard scalars[i] == 0x2C else { return nil }
    i += 1
    guard i < scalars.count else { return nil }
    if scalars[i] == 0x7D { return (minimum, nil, i + 1) }
    guard let (maximum, afterSecond) = number(), afterSecond < scalars.count, scalars[afterSecond] == 0x7D else {
      return nil
    }
    return (minimum, maximum, afterSecond + 1)
  }

  /// Nil for something that only changes flags.
  private mutating func atom() throws(PatternError) -> PatternTree? {
    guard let next = peek() else { return .empty }
    switch next {
    case 0x28: return try group()
    case 0x5B: return .set(try characterClass())
    case 0x2E:
      at += 1
      return .set(ScalarSet(flags.dotMatchesNewline ? [0...0x10FFFF] : [0...0x09, 0x0B...0x10FFFF]))
    case 0x5E:
      at += 1
      return .assertion(flags.multiline ? .lineStart : .textStart)
    case 0x24:
      at += 1
      return .assertion(flags.multiline ? .lineEnd : .textEnd)
    case 0x2A, 0x2B, 0x3F: throw failure("missing argument to repetition operator", at, at + 1)
    case 0x5C: return try escape()
    default:
      at += 1
      return .set(literal(next))
    }
  }

  private func literal(_ scalar: UInt32) -> ScalarSet {
    var set = ScalarSet([scalar...scalar])
    set.foldsCase = flags.foldsCase
    return set
  }

  private mutating func group() throws(PatternError) -> PatternTree? {
    let start = at
    guard nesting < PatternParser.maximumNesting else { throw failure("groups nested too deeply", start, start + 1) }
    nesting += 1
    defer { nesting -= 1 }
    at += 1
    let outer = flags
    if take("?") {
      if looks("P<") || looks("<") {
        at += looks("P<") ? 2 : 1
        let nameStart = at
        while let c = peek(), c != 0x3E { at += 1 }
        let name = scalars[nameStart..<at]
        let valid = !name.isEmpty && name.allSatisfy { c in ScalarSet.word.contains { $0.contains(c) } }
        guard take(">"), valid else { throw failure("invalid named capture", start, at) }
        let text = name.compactMap(Unicode.Scalar.init).map { String($0) }.joined()
        if groupNames.contains(text) { throw failure("duplicate group name", start, at) }
        return try captured(text, start, outer)
      }
      var negative = false
      var seen = false
      while let c = peek() {
        at += 1
        switch c {
        case 0x69: flags.foldsCase = !negative
        case 0x6D: flags.multiline = !negative
        case 0x73: flags.dotMatchesNewline = !negative
        case 0x55: flags.swapsGreed = !negative
        case 0x2D where !negative:
          negative = true
          seen = false
          continue
        case 0x3A where seen || !negative:
          let tree = try alternatives()
          guard take(")") else { throw failure("missing closing )", start, scalars.count) }
          flags = outer
          return tree
        case 0x29 where seen: return nil
        default: throw failure("invalid or unsupported group syntax", start, at)
        }
        seen = true
      }
      throw failure("missing closing )", start, scalars.count)
    }
    return try captured(nil, start, outer)
  }

  private mutating func captured(_ name: String?, _ start: Int, _ outer: Flags) throws(PatternError) -> PatternTree {
    guard groupNames.count < 1_000 else { throw failure("too many groups", start, at) }
    let index = groupNames.count
    groupNames.append(name)
    let tree = try alternatives()
    guard take(")") else { throw failure("missing closing )", start, scalars.count) }
    flags = outer
    return .group(tree, index: index)
  }

  // MARK: Escapes and classes

  private mutating func escape() throws(PatternError) -> PatternTree {
    let start = at
    if let set = try classEscape() { return .set(set) }
    switch peek(1) {
    case 0x41:
      at += 2
      return .assertion(.textStart)
    case 0x7A:
      at += 2
      return .assertion(.textEnd)
    case 0x62:
      at += 2
      return .assertion(.wordBoundary)
    case 0x42:
      at += 2
      return .assertion(.noWordBoundary)
    default:
      guard let scalar = try scalarEscape() else { throw failure("invalid escape sequence", start, start + 2) }
      return .set(literal(scalar))
    }
  }

  /// `\d`, `\pL` and their like at `at`; nil when it is something else.
  private mutating func classEscape() throws(PatternError) -> ScalarSet? {
    guard let letter = peek(1) else { throw failure("trailing backslash at end of expression", at, at) }
    var set = ScalarSet()
    switch letter {
    case 0x64: set.ranges = ScalarSet.digits
    case 0x44: set.ranges = ScalarSet.complement(ScalarSet.digits)
    case 0x77: set.ranges = ScalarSet.word
    case 0x57: set.ranges = ScalarSet.complement(ScalarSet.word)
    case 0x73: set.ranges = ScalarSet.space
    case 0x53: set.ranges = ScalarSet.complement(ScalarSet.space)
    case 0x70, 0x50: return try category()
    default: return nil
    }
    at += 2
    return set
  }

  private mutating func category() throws(PatternError) -> ScalarSet {
    let start = at
    var negated = peek(1) == 0x50
    at += 2
    var name = ""
    if take("{") {
      if take("^") { negated.toggle() }
      while let c = peek(), c != 0x7D {
        if let scalar = Unicode.Scalar(c) { name.unicodeScalars.append(scalar) }
        at += 1
      }
      guard take("}") else { throw failure("invalid character class range", start, at) }
    } else if let c = peek(), let scalar = Unicode.Scalar(c) {
      name.unicodeScalars.append(scalar)
      at += 1
    }
    var set = ScalarSet()
    set.foldsCase = flags.foldsCase
    if name == "Any" {
      set.ranges = negated ? [] : [0...0x10FFFF]
      return set
    }
    guard ScalarSet.categoryNames.contains(name) else {
      throw failure("invalid or unsupported character class", start, at)
    }
    set.categories = [(name: name, negated: negated)]
    return set
  }

  /// The scalar that a backslash sequence at `at` stands for.
  private mutating func scalarEscape() throws(PatternError) -> UInt32? {
    let start = at
    guard let letter = peek(1) else { throw failure("trailing backslash at end of expression", at, at) }
    at += 2
    switch letter {
    case 0x61: return 7
    case 0x66: return 12
    case 0x6E: return 10
    case 0x72: return 13
    case 0x74: return 9
    case 0x76: return 11
    case 0x30...0x37:
      // One octal digit other than 0 would be a reference to a group in other languages: two digits are needed.
      if letter != 0x30, !(0x30...0x37).contains(peek() ?? 0) { throw failure("invalid escape sequence", start, at) }
      var value = letter - 0x30
      for _ in 0..<2 {
        guard let c = peek(), (0x30...0x37).contains(c) else { break }
        value = value * 8 + c - 0x30
        at += 1
      }
      return value
    case 0x78:
      let braced = take("{")
      var value: UInt32 = 0
      var count = 0
      while let c = peek(), let digit = hexDigit(c), braced || count < 2 {
        value = value * 16 + digit
        if value > 0x10FFFF { throw failure("invalid escape sequence", start, at) }
        count += 1
        at += 1
      }
      guard braced ? count > 0 && take("}") : count == 2 else { throw failure("invalid escape sequence", start, at) }
      return value
    case 0..<0x80 where !ScalarSet.word.contains(where: { $0.contains(letter) }): return letter
    default:
      at = start
      return nil
    }
  }

  private func hexDigit(_ c: UInt32) -> UInt32? {
    switch c {
    case 0x30...0x39: c - 0x30
    case 0x41...0x46: c - 0x41 + 10
    case 0x61...0x66: c - 0x61 + 10
    default: nil
    }
  }

  private mutating func characterClass() throws(PatternError) -> ScalarSet {
    let start = at
    at += 1
    var set = ScalarSet()
    set.foldsCase = flags.foldsCase
    set.negated = take("^")
    var first = true
    while true {
      guard let c = peek() else { throw failure("missing closing ]", start, scalars.count) }
      if c == 0x5D, !first {
        at += 1
        return set
      }
      first = false
      if looks("[:"),
        let end = (at + 2..<scalars.count).first(where: {
          scalars[$0] == 0x3A && $0 + 1 < scalars.count && scalars[$0 + 1] == 0x5D
        })
      {
        var name = scalars[(at + 2)..<end].compactMap(Unicode.Scalar.init).map { String($0) }.joined()
        let negated = name.hasPrefix("^")
        if negated { name.removeFirst() }
        guard let ranges = ScalarSet.posix[name] else { throw failure("invalid character class range", at, end + 2) }
        set.ranges += negated ? ScalarSet.complement(ranges) : ranges
        at = end + 2
        continue
      }
      if c == 0x5C {
        if let inner = try classEscape() {
          set.ranges += inner.ranges
          set.categories += inner.categories
          continue
        }
      }
      let rangeStart = at
      let low = try classScalar()
      if peek() == 0x2D, let after = peek(1), after != 0x5D {
        at += 1
        let high = try classScalar()
        guard low <= high else { throw failure("invalid character class range", rangeStart, at) }
        set.ranges.append(low...high)
      } else {
        set.ranges.append(low...low)
      }
    }
  }

  private mutating func classScalar() throws(PatternError) -> UInt32 {
    guard let c = peek() else { throw failure("missing closing ]", at, at) }
    if c == 0x5C {
      let start = at
      guard let scalar = try scalarEscape() else { throw failure("invalid escape sequence", start, start + 2) }
      return scalar
    }
    at += 1
    return c
  }
}
