/// Reads one YAML document: block and flow collections, plain, quoted, literal and folded scalars, comments.
///
/// Anchors, aliases, tags, complex keys and several documents are refused with an error rather than misread.
struct YAMLReader {
  private struct Line {
    let number: Int
    let indent: Int
    /// Without indentation; comments still in it.
    let text: ArraySlice<UInt8>
  }

  private static let maximumDepth = 200

  private var lines: [Line] = []
  private var at = 0
  private var depth = 0

  static func read(_ bytes: [UInt8]) throws -> TemplateValue {
    var reader = YAMLReader()
    for (number, raw) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      let line = raw.last == 0x0D ? raw.dropLast() : raw
      let indent = line.prefix { $0 == 0x20 }.count
      reader.lines.append(Line(number: number + 1, indent: indent, text: line.dropFirst(indent)))
    }
    reader.skipBlank()
    if let line = reader.current, line.indent == 0, Self.isMarker(line.text, "---") {
      let rest = Self.trimmed(line.text.dropFirst(3))
      if rest.isEmpty {
        reader.at += 1
      } else {
        reader.lines[reader.at] = Line(number: line.number, indent: 4, text: rest[...])
      }
    }
    let value = try reader.node(minimum: 0)
    reader.skipBlank()
    if let line = reader.current, Self.isMarker(line.text, "...") { return value }
    if let line = reader.current {
      throw reader.failure(
        Self.isMarker(line.text, "---") ? "several documents are not supported" : "did not find expected node content")
    }
    return value
  }

  // MARK: Lines

  private var current: Line? { at < lines.count ? lines[at] : nil }

  private func failure(_ message: String, _ line: Int? = nil) -> FunctionFailure {
    FunctionFailure("yaml: line \(line ?? current?.number ?? lines.count): \(message)")
  }

  private static func isMarker(_ text: ArraySlice<UInt8>, _ marker: String) -> Bool {
    text.starts(with: marker.utf8) && (text.count == 3 || text[text.startIndex + 3] == 0x20)
  }

  private static func isBlank(_ text: ArraySlice<UInt8>) -> Bool {
    guard let first = text.first(where: { $0 != 0x20 && $0 != 0x09 }) else { return true }
    return first == UInt8(ascii: "#")
  }

  private mutating func skipBlank() {
    while let line = current, Self.isBlank(line.text) { at += 1 }
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
    ByteText.trim(Array(text)) { $0 == 0x20 || $0 == 0x09 }
  }

  /// Cuts a comment off a plain scalar's line.
  private static func withoutComment(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var end = text.endIndex
    for index in text.indices where text[index] == UInt8(ascii: "#") {
      if index == text.startIndex || text[index - 1] == 0x20 || text[index - 1] == 0x09 {
        end = index
        break
      }
    }
    return trimmed(text[..<end])
  }

  // MARK: Nodes

  private mutating func nested<Result>(_ body: (inout YAMLReader) throws -> Result) throws -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("exceeded max depth") }
    return try body(&self)
  }

  /// The node that begins at the next line with content, if that is indented by at least `minimum`.
  private mutating func node(minimum: Int) throws -> TemplateValue {
    skipBlank()
    guard let line = current, line.indent >= minimum, !Self.isMarker(line.text, "..."),
      !(line.indent == 0 && Self.isMarker(line.text, "---"))
    else { return .nil }
    if line.text.first == 0x09 { throw failure("found character that cannot start any token") }
    return try nested { reader in
      if Self.isItem(line.text) { return try reader.sequence(indent: line.indent) }
      if try reader.keyEnd(line) != nil { return try reader.mapping(indent: line.indent) }
      reader.at += 1
      return try reader.inline(line.text, line: line, parent: minimum - 1)
    }
  }

  private static func isItem(_ text: ArraySlice<UInt8>) -> Bool {
    text.first == UInt8(ascii: "-") && (text.count == 1 || text[text.startIndex + 1] == 0x20)
  }

  private mutating func sequence(indent: Int) throws -> TemplateValue {
    var elements: [TemplateValue] = []
    while true {
      skipBlank()
      guard let line = current, line.indent == indent, Self.isItem(line.text) else { break }
      let rest = line.text.dropFirst()
      let spaces = rest.prefix { $0 == 0x20 }.count
      if Self.isBlank(rest) {
        at += 1
        elements.append(try node(minimum: indent + 1))
      } else {
        // What follows the dash is a node of its own, indented to where it stands.
        lines[at] = Line(number: line.number, indent: indent + 1 + spaces, text: rest.dropFirst(spaces))
        elements.append(try node(minimum: indent + 1))
      }
    }
    if let line = current, !Self.isBlank(line.text), line.indent > indent {
      throw failure("did not find expected '-' indicator")
    }
    return .list(elements)
  }

  private mutating func mapping(indent: Int) throws -> TemplateValue {
    var entries: [ByteString: TemplateValue] = [:]
    while true {
      skipBlank()
      guard let line = current, line.indent == indent, !(indent == 0 && Self.isMarker(line.text, "---")) else { break }
      if Self.isItem(line.text) || Self.isMarker(line.text, "...") && indent == 0 { break }
      guard let (key, end) = try keyEnd(line) else { throw failure("could not find expected ':'") }
      let rest = line.text[(end + 1)...]
      at += 1
      if Self.isBlank(rest) {
        skipBlank()
        // A list may stand at its key's own indentation.
        if let next = current, next.indent == indent, Self.isItem(next.text) {
          entries[key] = try nested { try $0.sequence(indent: indent) }
        } else {
          entries[key] = try node(minimum: indent + 1)
        }
      } else {
        entries[key] = try inline(rest.drop { $0 == 0x20 || $0 == 0x09 }, line: line, parent: indent)
      }
    }
    if let line = current, !Self.isBlank(line.text), line.indent > indent {
      throw failure("did not find expected key")
    }
    return .map(entries)
  }

  /// The key of a line `key: …` and where its colon is; nil when the line is no entry of a map.
  private func keyEnd(_ line: Line) throws -> (key: ByteString, colon: Int)? {
    let text = line.text
    guard let first = text.first else { return nil }
    if first == UInt8(ascii: "?"), text.count == 1 || text[text.startIndex + 1] == 0x20 {
      throw failure("complex keys are not supported", line.number)
    }
    if first == 0x22 || first == 0x27 {
      var index = text.startIndex
      guard let key = try? Self.quoted(text, &index) else { return nil }
      while index < text.endIndex, text[index] == 0x20 { index += 1 }
      guard index < text.endIndex, text[index] == UInt8(ascii: ":"),
        index + 1 == text.endIndex || text[index + 1] == 0x20 || text[index + 1] == 0x09
      else { return nil }
      return (ByteString(bytes: key), index)
    }
    if "[{&*!|>%@`".utf8.contains(first) { return nil }
    for index in text.indices {
      if text[index] == UInt8(ascii: "#"), index > text.startIndex, text[index - 1] == 0x20 { return nil }
      if text[index] == UInt8(ascii: ":"),
        index + 1 == text.endIndex || text[index + 1] == 0x20 || text[index + 1] == 0x09
      {
        return (ByteString(bytes: Self.trimmed(text[..<index])), index)
      }
    }
    return nil
  }

  /// A value on the rest of a line, which may go on below.
  private mutating func inline(_ text: ArraySlice<UInt8>, line: Line, parent: Int) throws -> TemplateValue {
    guard let first = text.first else { return .nil }
    switch first {
    case UInt8(ascii: "&"), UInt8(ascii: "*"): throw failure("anchors and aliases are not supported", line.number)
    case UInt8(ascii: "!"): throw failure("tags are not supported", line.number)
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      return .string(ByteString(bytes: try blockScalar(text, line: line, parent: parent)))
    case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "%"):
      throw failure("found character that cannot start any token", line.number)
    case UInt8(ascii: "["), UInt8(ascii: "{"), 0x22, 0x27:
      // Takes further lines until the collection or string is closed.
      var all = Array(text)
      while true {
        var index = all.startIndex
        if let value = try Self.flow(all[...], &index, 0) {
          guard Self.isBlank(all[index...]) else {
            throw failure("did not find expected end of the value", line.number)
          }
          return value
        }
        guard let next = current else { throw failure("unexpected end of stream", line.number) }
        all += Self.isBlank(next.text) && (first == 0x22 || first == 0x27) ? [0x0A] : [0x20] + Array(next.text)
        at += 1
      }
    default: break
    }
    // A plain scalar goes on over more indented lines.
    var plain = Self.withoutComment(text)
    let hadComment = plain.count < Self.trimmed(text).count
    if try keyEnd(Line(number: line.number, indent: 0, text: plain[...])) != nil {
      throw failure("mapping values are not allowed in this context", line.number)
    }
    var isContinued = false
    var breaks = 0
    while !hadComment, let next = current {
      if next.text.isEmpty {
        breaks += 1
        at += 1
        continue
      }
      guard next.indent > parent, !Self.isBlank(next.text) else { break }
      if try keyEnd(next) != nil { throw failure("mapping values are not allowed in this context") }
      plain += breaks > 0 ? Array(repeating: 0x0A, count: breaks) : [0x20]
      plain += Self.withoutComment(next.text)
      breaks = 0
      isContinued = true
      at += 1
    }
    return isContinued ? .string(ByteString(bytes: plain)) : YAMLScalar.value(plain)
  }

  // MARK: Scalars

  private mutating func blockScalar(_ header: ArraySlice<UInt8>, line: Line, parent: Int) throws -> [UInt8] {
    let isFolded = header.first == UInt8(ascii: ">")
    var chomp: UInt8 = 0
    var indent: Int?
    for byte in Self.withoutComment(header.dropFirst()) {
      switch byte {
      case UInt8(ascii: "-"), UInt8(ascii: "+"): chomp = byte
      case 0x31...0x39: indent = max(parent, 0) + Int(byte - 0x30)
      default: throw failure("did not find expected comment or line break", line.number)
      }
    }
    var body: [(indent: Int, text: [UInt8])] = []
    while let next = current {
      if !next.text.isEmpty {
        let needed = indent ?? next.indent
        if indent == nil {
          guard next.indent > parent else { break }
          indent = next.indent
        }
        guard next.indent >= needed else { break }
        let extra = next.indent - needed
        body.append((extra, Array(repeating: 0x20, count: extra) + Array(next.text)))
      } else {
        body.append((0, Array(repeating: 0x20, count: max(0, next.indent - (indent ?? next.indent)))))
      }
      at += 1
    }
    var trailing = 0
    while let last = body.last, last.text.isEmpty {
      body.removeLast()
      trailing += 1
    }
    // The last line of the text has no line end of its own.
    if at == lines.count, trailing > 0 { trailing -= 1 }
    var out: [UInt8] = []
    for (index, part) in body.enumerated() {
      if index > 0 {
        let previous = body[index - 1]
        let folds = isFolded && part.indent == 0 && previous.indent == 0
        if !folds {
          out.append(0x0A)
        } else if part.text.isEmpty {
          out.append(0x0A)
        } else if !previous.text.isEmpty {
          out.append(0x20)
        }
      }
      out += part.text
    }
    if chomp != UInt8(ascii: "-"), !out.isEmpty { out.append(0x0A) }
    if chomp == UInt8(ascii: "+") { out += repeatElement(0x0A, count: trailing) }
    return out
  }

  /// A quoted string at `index`. Throws when it is not closed.
  private static func quoted(_ text: ArraySlice<UInt8>, _ index: inout Int) throws -> [UInt8] {
    struct Unclosed: Error {}
    let quote = text[index]
    var out: [UInt8] = []
    index += 1
    while index < text.endIndex {
      let byte = text[index]
      if byte == quote {
        if quote == 0x27, index + 1 < text.endIndex, text[index + 1] == 0x27 {
          out.append(0x27)
          index += 2
          continue
        }
        index += 1
        return out
      }
      if quote == 0x22, byte == UInt8(ascii: "\\") {
        index += 1
        guard index < text.endIndex else { break }
        let plain: [UInt8: UInt8] = [
          0x30: 0, 0x61: 7, 0x62: 8, 0x74: 9, 0x6E: 10, 0x76: 11, 0x66: 12, 0x72: 13, 0x65: 27, 0x20: 0x20,
          0x22: 0x22, 0x2F: 0x2F, 0x5C: 0x5C, 0x09: 9,
        ]
        if let value = plain[text[index]] {
          out.append(value)
        } else if let digits = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][text[index]],
          index + digits < text.endIndex,
          let rune = UInt32(String(decoding: text[(index + 1)...(index + digits)], as: UTF8.self), radix: 16)
        {
          Runes.append(rune, to: &out)
          index += digits
        } else {
          throw FunctionFailure("yaml: found unknown escape character")
        }
        index += 1
        continue
      }
      out.append(byte)
      index += 1
    }
    throw Unclosed()
  }

  /// A flow node at `index`; nil when the text ends before the node does.
  private static func flow(_ text: ArraySlice<UInt8>, _ index: inout Int, _ depth: Int) throws -> TemplateValue? {
    guard depth <= maximumDepth else { throw FunctionFailure("yaml: exceeded max depth") }
    func skip(_ index: inout Int) {
      while index < text.endIndex, text[index] == 0x20 || text[index] == 0x09 || text[index] == 0x0A { index += 1 }
    }
    skip(&index)
    guard index < text.endIndex else { return nil }
    switch text[index] {
    case 0x22, 0x27:
      do { return .string(ByteString(bytes: try quoted(text, &index))) } catch let failure as FunctionFailure {
        throw failure
      } catch { return nil }
    case UInt8(ascii: "["):
      index += 1
      var elements: [TemplateValue] = []
      while true {
        skip(&index)
        guard index < text.endIndex else { return nil }
        if text[index] == UInt8(ascii: "]") {
          index += 1
          return .list(elements)
        }
        guard let element = try flow(text, &index, depth + 1) else { return nil }
        elements.append(element)
        skip(&index)
        guard index < text.endIndex else { return nil }
        if text[index] == UInt8(ascii: ",") {
          index += 1
        } else if text[index] != UInt8(ascii: "]") {
          throw FunctionFailure("yaml: did not find expected ',' or ']'")
        }
      }
    case UInt8(ascii: "{"):
      index += 1
      var entries: [ByteString: TemplateValue] = [:]
      while true {
        skip(&index)
        guard index < text.endIndex else { return nil }
        if text[index] == UInt8(ascii: "}") {
          index += 1
          return .map(entries)
        }
        guard let key = try flow(text, &index, depth + 1) else { return nil }
        skip(&index)
        guard index < text.endIndex else { return nil }
        var value = TemplateValue.nil
        if text[index] == UInt8(ascii: ":") {
          index += 1
          skip(&index)
          guard index < text.endIndex else { return nil }
          if text[index] != UInt8(ascii: ","), text[index] != UInt8(ascii: "}") {
            guard let found = try flow(text, &index, depth + 1) else { return nil }
            value = found
          }
        }
        if case .string(let text) = key {
          entries[text] = value
        } else {
          entries[ByteString(bytes: try Formatter.format(Array("%v".utf8), [key], TemplateLimits()))] = value
        }
        skip(&index)
        guard index < text.endIndex else { return nil }
        if text[index] == UInt8(ascii: ",") {
          index += 1
        } else if text[index] != UInt8(ascii: "}") {
          throw FunctionFailure("yaml: did not find expected ',' or '}'")
        }
      }
    case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"):
      throw FunctionFailure("yaml: anchors, aliases and tags are not supported")
    default:
      let start = index
      while index < text.endIndex {
        let byte = text[index]
        if ",[]{}".utf8.contains(byte) { break }
        if byte == UInt8(ascii: ":"),
          index + 1 == text.endIndex || " ,[]{}".utf8.contains(text[index + 1])
        {
          break
        }
        index += 1
      }
      if index == start { throw FunctionFailure("yaml: did not find expected node content") }
      return YAMLScalar.value(trimmed(text[start..<index]))
    }
  }
}
