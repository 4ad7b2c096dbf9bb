import HCL

/// What the program prints besides values.
enum Report {
  private static func quote(_ text: String) -> String { JSONText.quoted(text, escapingHTML: false) }

  private static func json(_ p: SourcePosition) -> String {
    "{\"line\":\(p.line),\"column\":\(p.column),\"byte\":\(p.byte)}"
  }

  private static func json(_ r: SourceRange) -> String {
    "{\"filename\":\(quote(r.file)),\"start\":\(json(r.start)),\"end\":\(json(r.end))}"
  }

  static func json(_ d: Diagnostic) -> String {
    "{\"severity\":\(quote(d.severity.rawValue)),\"summary\":\(quote(d.summary)),\"detail\":\(quote(d.detail))"
      + (d.subject.map { ",\"subject\":" + json($0) } ?? "") + (d.context.map { ",\"context\":" + json($0) } ?? "")
      + "}"
  }

  static func json(_ t: Traversal) -> String {
    var steps = ["{\"kind\":\"root\",\"name\":\(quote(t.root)),\"range\":\(json(t.rootRange))}"]
    for step in t.steps {
      switch step.kind {
      case .attribute(let name):
        steps.append("{\"kind\":\"attr\",\"name\":\(quote(name)),\"range\":\(json(step.range))}")
      case .index(let key):
        steps.append("{\"kind\":\"index\",\"key\":\(JSONText.encode(key) ?? "null"),\"range\":\(json(step.range))}")
      }
    }
    return "{\"root_name\":\(quote(t.root)),\"steps\":[\(steps.joined(separator: ","))],\"range\":\(json(t.range))}"
  }

  static func expressions(_ body: Body) -> [Expression] {
    body.items.flatMap { item in
      switch item {
      case .attribute(let a): [a.expression]
      case .block(let b): expressions(b.body)
      }
    }
  }
}
