// The JSON-lines protocol of the template oracle, answered by our engine: one request in, one answer out. The test
// executable `serai-template` speaks it on standard input and output, so that any tool can compare the two line by line.

public import TemplateEngine

/// Answers requests `{"op":"exec"|"parse"|"fmt"|"duration"|"funcs", …}`.
public enum TemplateOracleProtocol {
  /// What an answer says.
  public struct Answer: Equatable, Sendable {
    /// Whether the request could be done.
    public var ok: Bool
    /// What came out, up to the failure if there was one.
    public var out: ByteString
    /// The failure, in the program's own words, which are not compared.
    public var error: ByteString
    /// Where it failed: `parse` or `exec`.
    public var stage: ByteString

    /// An answer; without a failure `error` and `stage` are empty.
    public init(ok: Bool, out: ByteString = "", error: ByteString = "", stage: ByteString = "") {
      self.ok = ok
      self.out = out
      self.error = error
      self.stage = stage
    }

    /// The answer as a line of JSON.
    public var line: ByteString {
      var fields: [ByteString: TemplateValue] = ["ok": .bool(ok), "out": .string(out)]
      if !error.isEmpty { fields["err"] = .string(error) }
      if !stage.isEmpty { fields["stage"] = .string(stage) }
      return (try? TemplateValue.map(fields).json(.init(escapesHTML: false))) ?? ""
    }

    /// Reads the line of another program; nil when it is none.
    public init?(line: some Sequence<UInt8>) {
      guard case .map(let map)? = try? TemplateValue(json: line) else { return nil }
      func text(_ key: ByteString) -> ByteString {
        if case .string(let text)? = map[key] { text } else { "" }
      }
      self.init(ok: map["ok"]?.isTrue ?? false, out: text("out"), error: text("err"), stage: text("stage"))
    }
  }

  /// Answers a line.
  public static func answer(_ line: some Sequence<UInt8>) -> Answer {
    guard let request = try? TemplateValue(json: line), case .map(let fields) = request else {
      return Answer(ok: false, error: "not a request")
    }
    return answer(fields)
  }

  /// Answers a request.
  public static func answer(_ request: TemplateMap) -> Answer {
    // Go matches the names of fields in any case.
    let fields = Dictionary(
      request.sorted.map { (ByteString($0.key.description.lowercased()), $0.value) }, uniquingKeysWith: { $1 })
    func text(_ key: ByteString) -> ByteString {
      if case .string(let text)? = fields[key] { text } else { "" }
    }
    switch text("op") {
    case "", "exec", "parse":
      var template = Template("t")
      template.leftDelimiter = text("left")
      template.rightDelimiter = text("right")
      if let option = Template.MissingKey(rawValue: text("missingkey").description) { template.missingKey = option }
      if text("missingkey") == "invalid" { template.missingKey = .default }
      if fields["sprig"]?.isTrue ?? false { template.functions = FunctionSets.sprig }
      do {
        if case .map(let definitions)? = fields["defs"] {
          for (name, source) in definitions.sorted {
            if case .string(let source) = source { try template.parse(source, as: name) }
          }
        }
        try template.parse(text("src"))
      } catch {
        return Answer(ok: false, error: error.message, stage: "parse")
      }
      if text("op") == "parse" { return Answer(ok: true, out: template.canonicalText() ?? "") }
      let (out, error) = template.renderPartially(fields["data"] ?? .nil)
      if let error { return Answer(ok: false, out: out, error: error.message, stage: "exec") }
      return Answer(ok: true, out: out)
    case "fmt":
      var arguments: [TemplateValue] = []
      if case .list(let list)? = fields["args"] { arguments = list.elements }
      do {
        return Answer(ok: true, out: try Format.text(text("verb"), arguments))
      } catch {
        return Answer(ok: false, error: ByteString("\(error)"))
      }
    case "duration":
      do {
        let duration = try TemplateDuration(parsing: text("src"))
        return Answer(ok: true, out: ByteString("\(duration.nanoseconds) \(duration)"))
      } catch {
        return Answer(ok: false, error: ByteString("\(error)"))
      }
    case "funcs":
      let names = FunctionSets.sprig.keys.sorted()
      return Answer(ok: true, out: ByteString(names.map(\.description).joined(separator: " ")))
    default: return Answer(ok: true)
    }
  }
}
