/// Values as JSON text.
public enum JSONText {
  /// The value as compact JSON: keys sorted, numbers with all their digits, null for null. Nil when something in it is
  /// unknown or infinite.
  public static func encode(_ value: Value, escapingHTML: Bool = true) -> String? {
    var out = ""
    return append(value, &out, escapingHTML) ? out : nil
  }

  private static func append(_ value: Value, _ out: inout String, _ html: Bool) -> Bool {
    switch value.content {
    case .unknown: return false
    case .null: out += "null"
    case .bool(let b): out += b ? "true" : "false"
    case .number(let n):
      if n.isInfinite { return false }
      out += n.description
    case .string(let s): out += quoted(s, escapingHTML: html)
    case .sequence(let values):
      out += "["
      for (i, element) in values.enumerated() {
        if i > 0 { out += "," }
        guard append(element, &out, html) else { return false }
      }
      out += "]"
    case .mapping:
      out += "{"
      for (i, (key, element)) in (value.sortedPairs ?? []).enumerated() {
        if i > 0 { out += "," }
        out += quoted(key, escapingHTML: html) + ":"
        guard append(element, &out, html) else { return false }
      }
      out += "}"
    }
    return true
  }

  /// The text as a JSON string.
  ///
  /// - Parameter escapingHTML: also `<`, `>` and `&` become escapes, as users of `jsonencode` know it.
  public static func quoted(_ text: String, escapingHTML: Bool) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "<" where escapingHTML, ">" where escapingHTML, "&" where escapingHTML: out += escape(scalar)
      case "\u{2028}", "\u{2029}": out += escape(scalar)
      case _ where scalar.value < 0x20: out += escape(scalar)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// The type in the notation that JSON descriptions of such values use: `"string"`, `["list","number"]`,
  /// `["object",{"a":"bool"}]`.
  public static func encode(_ type: ValueType) -> String {
    switch type {
    case .dynamic: return "\"dynamic\""
    case .string: return "\"string\""
    case .number: return "\"number\""
    case .bool: return "\"bool\""
    case .list(let t): return "[\"list\",\(encode(t))]"
    case .set(let t): return "[\"set\",\(encode(t))]"
    case .map(let t): return "[\"map\",\(encode(t))]"
    case .tuple(let ts): return "[\"tuple\",[" + ts.map(encode).joined(separator: ",") + "]]"
    case .object(let ts, let optional):
      let attributes = ts.sorted { $0.key < $1.key }.map {
        quoted($0.key, escapingHTML: false) + ":" + encode($0.value)
      }
      let extra =
        optional.isEmpty
        ? "" : ",[" + optional.sorted().map { quoted($0, escapingHTML: false) }.joined(separator: ",") + "]"
      return "[\"object\",{" + attributes.joined(separator: ",") + "}\(extra)]"
    }
  }
}
