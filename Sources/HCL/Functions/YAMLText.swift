internal import BaseEncoding

/// Values as YAML 1.2 in block style: all strings and keys in quotes, texts of several lines as literal blocks.
enum YAMLText {
  static func encode(_ value: Value) -> String {
    switch value.content {
    case .sequence(let v) where !v.isEmpty: return block(value, 0)
    case .mapping(let v) where !v.isEmpty: return block(value, 0)
    case .string(let s): return ended(string(s, 0))
    case .sequence, .mapping: return scalar(value, 0) + "\n"
    // A bare scalar could go on: the end of the document is marked.
    default: return scalar(value, 0) + "\n...\n"
    }
  }

  /// Lines at `indent`, ended by a line end; the first line without its indentation.
  private static func block(_ value: Value, _ indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var out = ""
    if case .mapping = value.content {
      for (i, (key, element)) in (value.sortedPairs ?? []).enumerated() {
        if i > 0 { out += margin }
        if isLiteral(key) {
          out += "? " + ended(string(key, indent)) + margin + ":"
        } else {
          out += quoted(key) + ":"
        }
        out += entry(element, indent, inSequence: false)
      }
    } else {
      for (i, element) in (value.asSequence ?? []).enumerated() {
        if i > 0 { out += margin }
        out += "-" + entry(element, indent, inSequence: true)
      }
    }
    return out
  }

  private static func ended(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }

  /// What follows a colon or a dash.
  private static func entry(_ value: Value, _ indent: Int, inSequence: Bool) -> String {
    switch value.content {
    case .sequence(let v) where !v.isEmpty:
      // A list in a map stands at the level of its key.
      return inSequence
        ? " " + block(value, indent + 2) : "\n" + String(repeating: " ", count: indent) + block(value, indent)
    case .mapping(let v) where !v.isEmpty:
      return inSequence
        ? " " + block(value, indent + 2) : "\n" + String(repeating: " ", count: indent + 2) + block(value, indent + 2)
    default: return " " + ended(scalar(value, indent))
    }
  }

  private static func scalar(_ value: Value, _ indent: Int) -> String {
    switch value.content {
    case .null, .unknown: return "null"
    case .bool(let b): return b ? "true" : "false"
    case .number(let n): return n.isInfinite ? (n.isNegative ? "-.inf" : ".inf") : n.description
    case .string(let s): return string(s, indent)
    case .sequence: return "[]"
    case .mapping: return "{}"
    }
  }

  /// Whether a text is shown as lines: it has several, and all its characters print.
  private static func isLiteral(_ text: String) -> Bool {
    text.contains("\n")
      && text.unicodeScalars.allSatisfy {
        $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x7F && $0.value != 0x85 && $0.value <= 0xFFFF)
      }
      && !text.split(separator: "\n", omittingEmptySubsequences: false).contains { $0.hasSuffix(" ") }
  }

  private static func string(_ text: String, _ indent: Int) -> String {
    guard isLiteral(text) else { return quoted(text) }
    let first = text.unicodeScalars.first
    var head = "|"
    if first == " " || first == "\n" { head += "2" }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last != "" {
      head += "-"
    } else {
      lines.removeLast()
      if lines.last == "" || lines.isEmpty { head += "+" }
    }
    let margin = String(repeating: " ", count: indent + 2)
    return head + "\n" + lines.map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n") + "\n"
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}": out += "\\0"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F || (0x80..<0xA0).contains(scalar.value):
        out += "\\x" + Base16.text([UInt8(scalar.value)]).uppercased()
      case "\u{FEFF}": out += "\\uFEFF"
      case _ where scalar.value > 0xFFFF:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        out += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
