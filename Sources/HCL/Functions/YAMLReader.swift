/// Reads one YAML document as a value: block and flow collections, plain, quoted, literal and folded scalars, anchors, aliases,
/// merge keys and the standard tags. Complex keys (`? [a]`) and further documents are refused.
struct YAMLReader {
  /// Collections inside of each other.
  static let maximumNesting = 100

  private let bytes: [UInt8]
  private let room: FunctionRoom
  private var lineStarts = [0]
  private var at = 0
  private var nesting = 0
  private var flowDepth = 0
  private var anchors: [String: Value] = [:]

  init(_ text: String, _ room: FunctionRoom) {
    var bytes = Array(text.utf8)
    if bytes.contains(0x0D) {
      var out: [UInt8] = []
      for (i, byte) in bytes.enumerated() {
        if byte == 0x0D {
          if i + 1 >= bytes.count || bytes[i + 1] != 0x0A { out.append(0x0A) }
        } else {
          out.append(byte)
        }
      }
      bytes = out
    }
    self.bytes = bytes
    self.room = room
    for (i, byte) in bytes.enumerated() where byte == 0x0A { lineStarts.append(i + 1) }
  }

  mutating func document() throws(FunctionFailure) -> Value {
    skipBlank()
    if at < bytes.count, column == 0, bytes[at] == UInt8(ascii: "%") { throw failure("directives are not supported") }
    if isMarker("---") {
      at += 3
      skipBlank()
    } else if at >= bytes.count || isMarker("...") {
      throw failure("there is no document")
    }
    let value = try node(parent: -1, inFlow: false)
    skipBlank()
    if isMarker("...") {
      at += 3
      skipBlank()
    }
    if at < bytes.count {
      throw failure(isMarker("---") ? "only one document is allowed" : "something follows the value")
    }
    return value
  }

  // MARK: Places

  private func failure(_ message: String) -> FunctionFailure {
    let line = bytes[..<min(at, bytes.count)].count { $0 == 0x0A } + 1
    return FunctionFailure("the string is no valid YAML: line \(line), column \(column + 1): \(message)", argument: 0)
  }

  /// Bytes between the start of the line and here.
  private var column: Int {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= at { low = middle } else { high = middle }
    }
    return at - lineStarts[low]
  }

  private func byte(_ offset: Int = 0) -> UInt8? { at + offset < bytes.count ? bytes[at + offset] : nil }

  private func isBlank(_ b: UInt8?) -> Bool { b == nil || b == 0x20 || b == 0x09 || b == 0x0A }

  private func isMarker(_ marker: StaticString) -> Bool {
    guard at + 3 <= bytes.count, at == 0 || bytes[at - 1] == 0x0A else { return false }
    return marker.withUTF8Buffer { Array(bytes[at..<at + 3]) == Array($0) } && isBlank(byte(3))
  }

  /// Passes white space, line ends and comments. A tab can't indent.
  private mutating func skipBlank() {
    while let b = byte() {
      if b == 0x20 || b == 0x0A {
        at += 1
      } else if b == 0x09 {
        // Left for `node` to refuse where it indents.
        if flowDepth == 0, bytes[(at - column)..<at].allSatisfy({ $0 == 0x20 }) { return }
        at += 1
      } else if b == UInt8(ascii: "#"), at == 0 || isBlank(bytes[at - 1]) {
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
      } else {
        return
      }
    }
  }

  private mutating func skipSpaces() {
    while byte() == 0x20 || byte() == 0x09 { at += 1 }
    if byte() == UInt8(ascii: "#"), at > 0, isBlank(bytes[at - 1]) {
      while at < bytes.count, bytes[at] != 0x0A { at += 1 }
    }
  }

  // MARK: Nodes

  private struct Properties {
    var anchor: String?
    var tag: String?
  }

  /// The node at or after here whose lines are indented by more than `parent`; null when there is none.
  private mutating func node(parent: Int, inFlow: Bool, sequenceAtParent: Bool = false) throws(FunctionFailure) -> Value
  {
    guard nesting < YAMLReader.maximumNesting else { throw failure("more than \(YAMLReader.maximumNesting) levels") }
    nesting += 1
    defer { nesting -= 1 }
    var properties = Properties()
    var propertiesColumn: Int?
    while true {
      let before = at
      skipSpaces()
      if byte() == 0x0A || byte() == nil {
        skipBlank()
        let isSequence = sequenceAtParent && column == parent && byte() == UInt8(ascii: "-") && isBlank(byte(1))
        if at >= bytes.count || (!inFlow && column <= parent && !isSequence) || isMarker("---") || isMarker("...") {
          if !inFlow { at = before }
          return try finish(.null(), properties, plain: nil)
        }
        propertiesColumn = nil
      }
      if byte() == UInt8(ascii: "&") {
        propertiesColumn = propertiesColumn ?? column
        at += 1
        properties.anchor = word()
      } else if byte() == UInt8(ascii: "!") {
        propertiesColumn = propertiesColumn ?? column
        properties.tag = word()
      } else {
        break
      }
    }
    let start = propertiesColumn ?? column
    switch byte() {
    case UInt8(ascii: "*"):
      at += 1
      let name = word()
      guard let value = anchors[name] else { throw failure("there is no anchor \"\(name)\" before") }
      if !inFlow, isKeyEnd() { return try mapping(start, first: value) }
      return value
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      let value = byte() == UInt8(ascii: "[") ? try flowSequence() : try flowMapping()
      return try finish(value, properties, plain: nil)
    case UInt8(ascii: "|") where !inFlow, UInt8(ascii: ">") where !inFlow:
      return try finish(.string(try blockScalar(parent)), properties, plain: nil)
    case UInt8(ascii: "-") where !inFlow && isBlank(byte(1)):
      return try finish(try sequence(column), properties, plain: nil)
    case UInt8(ascii: "?") where !inFlow && isBlank(byte(1)):
      return try finish(try mapping(column, first: nil), properties, plain: nil)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let text = try quoted()
      if !inFlow, isKeyEnd() {
        return try mapping(start, first: .string(text))
      }
      return try finish(.string(text), properties, plain: nil)
    case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "%"), UInt8(ascii: ","), UInt8(ascii: "]"),
      UInt8(ascii: "}"):
      throw failure("no value can begin with \"\(String(UnicodeScalar(byte() ?? 0x20)))\"")
    case 0x09: throw failure("a tab can't indent")
    default: break
    }
    let lineStart = at
    let text = plainLine(inFlow: inFlow)
    if text.isEmpty, !isKeyEnd() { throw failure("a value is needed") }
    if !inFlow, isKeyEnd() {
      let key = resolved(text)
      let first = properties.anchor == nil && properties.tag == nil ? key : try finish(key, properties, plain: text)
      return try mapping(start, first: first)
    }
    at = lineStart
    let whole = try plain(parent: parent, inFlow: inFlow)
    return try finish(resolved(whole), properties, plain: whole)
  }

  private mutating func word() -> String {
    let start = at
    while let b = byte(), !isBlank(b),
      ![UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "{"), UInt8(ascii: "[")].contains(b)
    {
      at += 1
    }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private mutating func finish(_ value: Value, _ properties: Properties, plain: String?) throws(FunctionFailure)
    -> Value
  {
    var value = value
    switch properties.tag {
    case nil: break
    case "!", "!!str":
      if let text = plain ?? value.asString { value = .string(text) } else if value.isNull { value = .string("") }
    case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!binary", "!!timestamp": break
    case let tag?: throw failure("the tag \"\(tag)\" is not supported")
    }
    if value.weight > room.weight { throw failure("the value is too large") }
    if let anchor = properties.anchor { anchors[anchor] = value }
    return value
  }

  /// Whether a colon that ends a key is next.
  private func isKeyEnd() -> Bool {
    var i = at
    while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    return i < bytes.count && bytes[i] == UInt8(ascii: ":") && (i + 1 >= bytes.count || isBlank(bytes[i + 1]))
  }

  // MARK: Block collections

  private mutating func sequence(_ indent: Int) throws(FunctionFailure) -> Value {
    var out: [Value] = []
    while at < bytes.count, column == indent, byte() == UInt8(ascii: "-"), isBlank(byte(1)), !isMarker("---") {
      at += 1
      out.append(try node(parent: indent, inFlow: false))
      try endOfNode(indent)
    }
    return .tuple(out)
  }

  /// Goes to the next line that is not blank, which must not be indented further.
  private mutating func endOfNode(_ indent: Int) throws(FunctionFailure) {
    // A collection that has just ended leaves off at the start of the next line.
    let lineStart = at - column
    if !bytes[lineStart..<at].allSatisfy({ $0 == 0x20 }) || at == lineStart && byte() == 0x0A {
      skipSpaces()
      guard byte() == nil || byte() == 0x0A else { throw failure("something follows the value on its line") }
    }
    skipBlank()
    if at < bytes.count, column > indent { throw failure("the indentation fits nothing before") }
  }

  private mutating func mapping(_ indent: Int, first: Value?) throws(FunctionFailure) -> Value {
    var out: [String: Value] = [:]
    var merged: [String: Value] = [:]
    var next = first
    while true {
      var key: Value
      if let given = next {
        key = given
        next = nil
      } else {
        guard at < bytes.count, column == indent, !isMarker("---"), !isMarker("...") else { break }
        if byte() == UInt8(ascii: "?"), isBlank(byte(1)) {
          at += 1
          key = try node(parent: indent, inFlow: false)
          skipBlank()
          guard column == indent, byte() == UInt8(ascii: ":"), isBlank(byte(1)) else {
            throw failure("a value must follow the key")
          }
        } else if byte() == UInt8(ascii: "\"") || byte() == UInt8(ascii: "'") {
          key = .string(try quoted())
        } else if byte() == UInt8(ascii: "-"), isBlank(byte(1)) {
          throw failure("a list can't begin in the middle of a map")
        } else if byte() == UInt8(ascii: "*") {
          at += 1
          guard let value = anchors[word()] else { throw failure("there is no such anchor before") }
          key = value
        } else {
          key = resolved(plainLine(inFlow: false))
        }
      }
      guard isKeyEnd() else { throw failure("a colon is needed after the key") }
      while byte() == 0x20 { at += 1 }
      at += 1
      let lineOfKey = at
      let value = try node(parent: indent, inFlow: false, sequenceAtParent: true)
      // "a: b: c" has a map where only a scalar can be.
      if case .mapping = value.content, !bytes[lineOfKey..<at].contains(0x0A), !isFlow(lineOfKey), !isAlias(lineOfKey) {
        throw failure("a map can't begin on the line of a key")
      }
      try insert(key, value, &out, &merged)
      try endOfNode(indent)
    }
    return .object(merged.merging(out) { $1 })
  }

  private func isFlow(_ start: Int) -> Bool {
    var i = start
    while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    // Anchors and tags may stand before the brace.
    while i < bytes.count, bytes[i] == UInt8(ascii: "&") || bytes[i] == UInt8(ascii: "!") {
      while i < bytes.count, !isBlank(bytes[i]) { i += 1 }
      while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    }
    return i < bytes.count && bytes[i] == UInt8(ascii: "{")
  }

  private func isAlias(_ start: Int) -> Bool {
    var i = start
    while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    return i < bytes.count && bytes[i] == UInt8(ascii: "*")
  }

  private func insert(
    _ key: Value, _ value: Value, _ out: inout [String: Value], _ merged: inout [String: Value]
  ) throws(FunctionFailure) {
    if key.isNull { throw failure("a key can't be null") }
    guard let name = try? Conversion.convert(key, to: .string).asString else { throw failure("a key must be a scalar") }
    if name == "<<" {
      for source in value.asSequence ?? [value] {
        guard let mapping = source.asMapping else { throw failure("only maps can be merged") }
        merged.merge(mapping) { old, _ in old }
      }
      return
    }
    out[name] = value
  }

  // MARK: Flow collections

  private mutating func flowSequence() throws(FunctionFailure) -> Value {
    flowDepth += 1
    defer { flowDepth -= 1 }
    at += 1
    var out: [Value] = []
    while true {
      skipBlank()
      if byte() == UInt8(ascii: "]") {
        at += 1
        return .tuple(out)
      }
      guard byte() != nil else { throw failure("a \"]\" is missing") }
      let key = try node(parent: -1, inFlow: true)
      skipBlank()
      if byte() == UInt8(ascii: ":") {
        at += 1
        var pair: [String: Value] = [:]
        var merged: [String: Value] = [:]
        try insert(key, try flowValue(), &pair, &merged)
        out.append(.object(pair))
        skipBlank()
      } else {
        out.append(key)
      }
      if byte() == UInt8(ascii: ",") {
        at += 1
      } else if byte() != UInt8(ascii: "]") {
        throw failure("a comma or \"]\" is needed")
      }
    }
  }

  private mutating func flowMapping() throws(FunctionFailure) -> Value {
    flowDepth += 1
    defer { flowDepth -= 1 }
    at += 1
    var out: [String: Value] = [:]
    var merged: [String: Value] = [:]
    while true {
      skipBlank()
      if byte() == UInt8(ascii: "}") {
        at += 1
        return .object(merged.merging(out) { $1 })
      }
      guard byte() != nil else { throw failure("a \"}\" is missing") }
      let key = try node(parent: -1, inFlow: true)
      skipBlank()
      var value = Value.null()
      if byte() == UInt8(ascii: ":") {
        at += 1
        value = try flowValue()
        skipBlank()
      }
      try insert(key, value, &out, &merged)
      if byte() == UInt8(ascii: ",") {
        at += 1
      } else if byte() != UInt8(ascii: "}") {
        throw failure("a comma or \"}\" is needed")
      }
    }
  }

  private mutating func flowValue() throws(FunctionFailure) -> Value {
    skipBlank()
    if byte() == UInt8(ascii: ",") || byte() == UInt8(ascii: "}") || byte() == UInt8(ascii: "]") { return .null() }
    return try node(parent: -1, inFlow: true)
  }

  // MARK: Scalars

  /// A plain scalar's text on this line, without going past it.
  private mutating func plainLine(inFlow: Bool) -> String {
    let start = at
    var end = at
    while let b = byte(), b != 0x0A {
      if b == UInt8(ascii: ":"),
        isBlank(byte(1)) || (inFlow && [UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(byte(1)))
      {
        break
      }
      if b == UInt8(ascii: "#"), at > start, isBlank(bytes[at - 1]) { break }
      if inFlow,
        [UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}")].contains(b)
      {
        break
      }
      at += 1
      if b != 0x20, b != 0x09 { end = at }
    }
    at = end
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// A plain scalar with its further lines: a line end is a space, an empty line is a line end.
  private mutating func plain(parent: Int, inFlow: Bool) throws(FunctionFailure) -> String {
    var text = plainLine(inFlow: inFlow)
    while true {
      let back = at
      skipSpaces()
      guard byte() == 0x0A, at == back || bytes[back..<at].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
        if byte() != 0x0A { at = back }
        return text
      }
      var lines = 0
      while let b = byte(), b == 0x0A || b == 0x20 || b == 0x09 {
        if b == 0x0A { lines += 1 }
        at += 1
      }
      let ends =
        at >= bytes.count || (!inFlow && column <= parent) || isMarker("---") || isMarker("...")
        || byte() == UInt8(ascii: "#")
        || (inFlow && [UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":")].contains(byte()))
      if ends {
        at = back
        return text
      }
      let more = plainLine(inFlow: inFlow)
      if !inFlow, isKeyEnd() { throw failure("a key must be on one line") }
      if more.isEmpty {
        at = back
        return text
      }
      text += (lines > 1 ? String(repeating: "\n", count: lines - 1) : " ") + more
      if text.utf8.count / 16 > room.weight { throw failure("the text is too large") }
    }
  }

  private mutating func quoted() throws(FunctionFailure) -> String {
    let quote = byte() ?? 0
    at += 1
    var out: [UInt8] = []
    while true {
      guard let b = byte() else { throw failure("a quote is not closed") }
      if b == quote {
        if quote == UInt8(ascii: "'"), byte(1) == quote {
          out.append(quote)
          at += 2
          continue
        }
        at += 1
        return String(decoding: out, as: UTF8.self)
      }
      if b == 0x0A {
        while let last = out.last, last == 0x20 || last == 0x09 { out.removeLast() }
        fold(&out)
        continue
      }
      if b == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        at += 1
        if byte() == 0x0A {
          at += 1
          while byte() == 0x20 || byte() == 0x09 { at += 1 }
          continue
        }
        try escape(&out)
        continue
      }
      out.append(b)
      at += 1
    }
  }

  /// Line ends inside of quotes: one is a space, more are one less.
  private mutating func fold(_ out: inout [UInt8]) {
    var lines = 0
    while let b = byte(), b == 0x0A || b == 0x20 || b == 0x09 {
      if b == 0x0A { lines += 1 }
      at += 1
    }
    out += lines == 1 ? [0x20] : [UInt8](repeating: 0x0A, count: lines - 1)
  }

  private mutating func escape(_ out: inout [UInt8]) throws(FunctionFailure) {
    guard let b = byte() else { throw failure("a quote is not closed") }
    at += 1
    let simple: [Character: UInt32] = [
      "0": 0, "a": 7, "b": 8, "t": 9, "\t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "e": 27, " ": 32, "\"": 34, "/": 47,
      "\\": 92,
      "N": 0x85, "_": 0xA0, "L": 0x2028, "P": 0x2029,
    ]
    let letter = Character(UnicodeScalar(b))
    var code = simple[letter]
    if let count = ["x": 2, "u": 4, "U": 8][letter] {
      let digits = bytes[at...].prefix(count)
      guard digits.count == count, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
        throw failure("\(count) hexadecimal digits are needed")
      }
      code = value
      at += count
    }
    guard let code, let scalar = Unicode.Scalar(code) else { throw failure("there is no such escape") }
    out += String(scalar).utf8
  }

  /// `|` and `>` with their indicators.
  private mutating func blockScalar(_ parent: Int) throws(FunctionFailure) -> String {
    let folded = byte() == UInt8(ascii: ">")
    at += 1
    var chomp: UInt8 = 0
    var indent: Int?
    while let b = byte(), !isBlank(b) {
      if b == UInt8(ascii: "-") || b == UInt8(ascii: "+") {
        chomp = b
      } else if (0x31...0x39).contains(b) {
        indent = max(0, parent) + Int(b - 0x30)
      } else {
        throw failure("after \"|\" or \">\" only - + and a digit can stand")
      }
      at += 1
    }
    skipSpaces()
    guard byte() == nil || byte() == 0x0A else { throw failure("the text must begin on the next line") }
    if at < bytes.count { at += 1 }
    var lines: [ArraySlice<UInt8>] = []
    while at < bytes.count {
      var end = at
      while end < bytes.count, bytes[end] != 0x0A { end += 1 }
      let spaces = bytes[at..<end].prefix { $0 == 0x20 }.count
      let blank = spaces == end - at
      if !blank {
        if indent == nil {
          guard spaces > parent else { break }
          indent = spaces
        }
        guard spaces >= (indent ?? 0) else { break }
      }
      lines.append(blank && spaces <= (indent ?? .max) ? [] : bytes[(at + (indent ?? 0))..<end])
      at = min(end + 1, bytes.count)
      if end >= bytes.count { break }
    }
    var trailing = 0
    while let last = lines.last, last.isEmpty {
      lines.removeLast()
      trailing += 1
    }
    // The next token is on a line of its own: what follows looks from the end of this one.
    if at > 0, at <= bytes.count, at < bytes.count || bytes[at - 1] == 0x0A { at -= 1 }
    var out: [UInt8] = []
    for (i, line) in lines.enumerated() {
      if i > 0 {
        let previous = lines[i - 1]
        func more(_ l: ArraySlice<UInt8>) -> Bool { l.first == 0x20 || l.first == 0x09 }
        if !folded || more(line) || more(previous) || line.isEmpty && previous.isEmpty {
          out.append(0x0A)
        } else if line.isEmpty {
          // Counted when the text goes on.
          out.append(0x0A)
        } else if previous.isEmpty {
          // The line end before the empty lines is theirs.
        } else {
          out.append(0x20)
        }
      }
      out += line
    }
    if !lines.isEmpty, chomp != UInt8(ascii: "-") { out.append(0x0A) }
    if chomp == UInt8(ascii: "+") { out += [UInt8](repeating: 0x0A, count: trailing) }
    return String(decoding: out, as: UTF8.self)
  }

  /// What a plain scalar means.
  private func resolved(_ text: String) -> Value {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null()
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .false
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
      return Number(Double.infinity).map { .number($0) } ?? .string(text)
    case "-.inf", "-.Inf", "-.INF": return Number(-Double.infinity).map { .number($0) } ?? .string(text)
    default: break
    }
    guard let first = text.utf8.first,
      (0x30...0x39).contains(first) || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ".")].contains(first)
    else { return .string(text) }
    if text.hasPrefix("0x"), let n = Number(integer: String(text.dropFirst(2)), base: 16), text.count > 2 {
      return .number(n)
    }
    if text.hasPrefix("0o"), let n = Number(integer: String(text.dropFirst(2)), base: 8), text.count > 2 {
      return .number(n)
    }
    let digits = text.filter { $0 != "_" }
    if let number = Number(digits) { return .number(number) }
    if text.utf8.count == 10, let day = try? Timestamp(parsing: text + "T00:00:00Z") { return .string(day.text) }
    return .string(text)
  }
}
