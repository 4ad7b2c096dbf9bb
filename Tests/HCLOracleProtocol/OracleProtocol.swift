import HCL

/// Answers the requests of `serai-hcl`: see its main file for the protocol.
package struct OracleProtocol {
  private let functions = StandardFunctions.table(host: FunctionHost())

  package init() {}

  /// The answer to one request, both one line of JSON.
  package func answer(_ line: String) -> String {
    // Values would normalize the source text: the request is read as plain JSON.
    guard let node = try? JSONReader.parse(SourceFile(name: "request", text: line)),
      case .object(let members) = node.kind
    else {
      return failure("request", "not a JSON object")
    }
    let request = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    func string(_ key: String) -> String? {
      if case .string(let s)? = request[key]?.kind { s } else { nil }
    }
    let source = SourceFile(name: "in.hcl", text: string("src") ?? "")
    var variables = request["vars"]?.value.asMapping ?? [:]
    for (name, text) in request["vars_hcl"]?.value.asMapping ?? [:] {
      let parsed = HCLParser.parseExpression(SourceFile(name: "vars", text: text.asString ?? ""))
      guard !parsed.diagnostics.hasErrors, let expression = parsed.result else {
        return answer(diagnostics: parsed.diagnostics)
      }
      let value = expression.evaluated(in: EvaluationContext(functions: functions))
      if value.diagnostics.hasErrors { return answer(diagnostics: value.diagnostics) }
      variables[name] = value.value
    }
    let context = EvaluationContext(variables: variables, functions: functions)
    switch string("op") {
    case "expr": return evaluate(HCLParser.parseExpression(source), context)
    case "template": return evaluate(HCLParser.parseTemplate(source), context)
    case "body":
      let parsed = HCLParser.parse(source)
      if parsed.diagnostics.hasErrors { return answer(diagnostics: parsed.diagnostics) }
      let dumped = dump(parsed.result, context, source)
      return answer(json: "{\"type\":\"\"" + dumped + "}", parsed.diagnostics)
    case "dynamic": return dynamic(source, context)
    case "json":
      let parsed = HCLParser.parseJSON(SourceFile(name: "in.json", bytes: source.bytes))
      var diagnostics = parsed.diagnostics
      if diagnostics.hasErrors { return answer(diagnostics: diagnostics) }
      var members: [String] = []
      for attribute in parsed.result.attributes.sorted(by: { $0.name < $1.name }) {
        let value = attribute.expression.evaluated(in: context)
        diagnostics += value.diagnostics
        if !value.diagnostics.hasErrors { members.append(quote(attribute.name) + ":" + text(value.value)) }
      }
      return answer(json: "{" + members.joined(separator: ",") + "}", diagnostics)
    case "tokens":
      let parsed = HCLParser.tokens(of: source)
      let tokens = parsed.result.map { token in
        "[\"\(token.kind.rawValue)\",\(quote(source.text(token.start.byte, token.end.byte))),\(token.start.line),"
          + "\(token.start.column),\(token.start.byte)]"
      }
      return answer(json: "[" + tokens.joined(separator: ",") + "]", parsed.diagnostics)
    case "fmt":
      let parsed = HCLParser.parse(source)
      return answer(json: quote(Formatter.format(source)), parsed.diagnostics)
    case "vars":
      let parsed = HCLParser.parseExpression(source)
      guard !parsed.diagnostics.hasErrors, let expression = parsed.result else {
        return answer(diagnostics: parsed.diagnostics)
      }
      let texts = expression.variables.map { quote(source.text($0.range)) }
      return answer(json: texts.isEmpty ? "null" : "[" + texts.joined(separator: ",") + "]", parsed.diagnostics)
    case "type":
      let parsed = HCLParser.parseExpression(source)
      guard !parsed.diagnostics.hasErrors, let expression = parsed.result else {
        return answer(diagnostics: parsed.diagnostics)
      }
      let type = TypeConstraint.parse(expression)
      guard let result = type.result else { return answer(diagnostics: type.diagnostics) }
      return "{\"ok\":true,\"type\":\(JSONText.encode(result))}"
    case "funcs": return answer(json: "[" + functions.keys.sorted().map(quote).joined(separator: ",") + "]", [])
    default: return failure("request", "unknown op")
    }
  }

  private func evaluate(_ parsed: Parsed<Expression?>, _ context: EvaluationContext) -> String {
    guard !parsed.diagnostics.hasErrors, let expression = parsed.result else {
      return answer(diagnostics: parsed.diagnostics)
    }
    let result = expression.evaluated(in: context)
    if result.diagnostics.hasErrors { return answer(diagnostics: result.diagnostics) }
    return "{\"ok\":true,\(content(result.value))\(diags(result.diagnostics))}"
  }

  private func dynamic(_ source: SourceFile, _ context: EvaluationContext) -> String {
    let parsed = HCLParser.parse(source)
    if parsed.diagnostics.hasErrors { return answer(diagnostics: parsed.diagnostics) }
    let expanded = parsed.result.expandingDynamicBlocks(in: context)
    var diagnostics = expanded.diagnostics
    let blocks = expanded.result.blocks.map { block in
      let attributes = block.body.attributes.sorted { $0.name < $1.name }.map { attribute in
        let result = attribute.expression.evaluated(in: context)
        if let first = result.diagnostics.first(where: { $0.severity == .error }) {
          return "{\"name\":\(quote(attribute.name)),\"err\":\(quote(first.summary)),\"line\":0}"
        }
        return "{\"name\":\(quote(attribute.name)),\(content(result.value)),\"line\":0}"
      }
      if !block.body.blocks.isEmpty {
        diagnostics.append(Diagnostic(.error, "Unexpected block", "", subject: block.body.blocks[0].typeRange))
      }
      return "{\"type\":\(quote(block.type))" + labels(block.labels)
        + (attributes.isEmpty ? "" : ",\"attrs\":[" + attributes.joined(separator: ",") + "]") + "}"
    }
    return answer(json: blocks.isEmpty ? "null" : "[" + blocks.joined(separator: ",") + "]", expanded.diagnostics)
  }

  private func labels(_ labels: [String]) -> String {
    labels.isEmpty ? "" : ",\"labels\":[" + labels.map(quote).joined(separator: ",") + "]"
  }

  private func dump(_ body: Body, _ context: EvaluationContext, _ source: SourceFile) -> String {
    let attributes = body.attributes.map { attribute in
      let result = attribute.expression.evaluated(in: context)
      let head = "{\"name\":\(quote(attribute.name)),\"line\":\(attribute.range.start.line)"
      if let first = result.diagnostics.first(where: { $0.severity == .error }) {
        return head + ",\"src\":\(quote(source.text(attribute.expression.range))),\"err\":\(quote(first.summary))}"
      }
      return head + ",\(content(result.value))}"
    }
    let blocks = body.blocks.map { block in
      "{\"type\":\(quote(block.type))" + labels(block.labels) + dump(block.body, context, source) + "}"
    }
    return (attributes.isEmpty ? "" : ",\"attrs\":[" + attributes.joined(separator: ",") + "]")
      + (blocks.isEmpty ? "" : ",\"blocks\":[" + blocks.joined(separator: ",") + "]")
  }

  // MARK: Answers

  private func text(_ value: Value) -> String {
    guard value.isWhollyKnown else { return "\"<unknown>\"" }
    return JSONText.encode(value, escapingHTML: false) ?? "\"<unmarshalable: cannot serialize infinity as JSON>\""
  }

  private func content(_ value: Value) -> String {
    guard value.isWhollyKnown else { return "\"value\":\"<unknown>\"" }
    return "\"value\":\(text(value)),\"type\":\(JSONText.encode(value.type))"
  }

  private func quote(_ text: String) -> String { JSONText.quoted(text, escapingHTML: false) }

  private func answer(diagnostics: [Diagnostic]) -> String { "{\"ok\":\(!diagnostics.hasErrors)\(diags(diagnostics))}" }

  private func answer(json: String, _ diagnostics: [Diagnostic]) -> String {
    "{\"ok\":\(!diagnostics.hasErrors),\"value\":\(json)\(diags(diagnostics))}"
  }

  private func failure(_ severity: String, _ summary: String) -> String {
    "{\"ok\":false,\"diags\":[{\"severity\":\(quote(severity)),\"summary\":\(quote(summary)),\"detail\":\"\"}]}"
  }

  private func diags(_ diagnostics: [Diagnostic]) -> String {
    if diagnostics.isEmpty { return "" }
    let items = diagnostics.map { d in
      var out = "{\"severity\":\"\(d.severity.rawValue)\",\"summary\":\(quote(d.summary)),\"detail\":\(quote(d.detail))"
      if let subject = d.subject {
        out += ",\"start\":" + place(subject.start) + ",\"end\":" + place(subject.end)
      }
      return out + "}"
    }
    return ",\"diags\":[" + items.joined(separator: ",") + "]"
  }

  private func place(_ p: SourcePosition) -> String { "{\"line\":\(p.line),\"col\":\(p.column),\"byte\":\(p.byte)}" }
}
