import HCL
import Testing

struct ParserTests {
  @Test func keepsOrderAndPlaces() throws {
    let text = """
      # one
      job "a" b { // two
        n = 1
        /* three
        */ g "x" { m = "y" }
      }
      z = [
        1, # in a list
      ]
      """
    let body = try HCLParser.parse(SourceFile(name: "f", text: text)).get()
    let job = try #require(body.blocks.first)
    #expect(job.type == "job" && job.labels == ["a", "b"])
    #expect(job.body.attributes.map(\.name) == ["n"])
    let inner = try #require(job.body.blocks.first)
    #expect(inner.body.attribute("m")?.expression.literalString == "y")
    #expect(inner.typeRange.start == SourcePosition(line: 5, column: 6, byte: 49))
    #expect(body.attribute("z")?.nameRange.start.line == 7)
  }

  /// One mistake on each of twenty lines gives twenty errors, each on its line.
  @Test func reportsAllErrorsOfAFile() {
    let mistakes = [
      "a = ", "b = [1, 2", "c = {x = }", "d = \"unclosed", "e == 1", "f 1", "g { h = 1, i = 2 }", "j = 1 k = 2",
      "l = foo(1", "m = 1 +",
      "n = a.", "o = \"${1\"", "\"p\" = 1", "q = 'x'", "r = x[", "s = ? 1 : 2", "t: 1", "u = [for x in y]", "v = (1",
      "w = 1.2.3",
    ]
    let found = Set(
      diagnostics(mistakes.map { $0 + "\nok_\($0.utf8.count)_\($0.first ?? " ") = 1" }.joined(separator: "\n"))
        .compactMap { $0.subject?.start.line })
    for i in mistakes.indices {
      // A mistake may show only at the end of its line or at the start of the next.
      #expect(found.contains(i * 2 + 1) || found.contains(i * 2 + 2), "no error for line \(i * 2 + 1): \(mistakes[i])")
    }
  }

  @Test(arguments: [
    ("a = 1\na = 2\n", "Attribute redefined", 2, 1), ("a { b = 1, c = 2 }\n", "Invalid single-line block", 1, 10),
    ("a {\n", "Unclosed block", 1, 3),
    ("a = 1 & 2\n", "Unsupported operator", 1, 7), ("a = \"x\ny\"\n", "Invalid multi-line string", 1, 7),
    ("}\n", "Unexpected closing brace", 1, 1),
    ("é = ü ü\n", "Missing line end after argument", 1, 7), ("a = <<EOT\nx\n", "Unterminated template string", 3, 1),
  ])
  func reportsWithPlace(text: String, summary: String, line: Int, column: Int) throws {
    let first = try #require(diagnostics(text).first)
    #expect(first.summary == summary)
    #expect(first.subject?.start.line == line && first.subject?.start.column == column)
  }

  @Test func byteOrderMarkIsNoText() throws {
    let body = try HCLParser.parse(SourceFile(name: "f", bytes: [0xEF, 0xBB, 0xBF] + Array("a = 1".utf8))).get()
    #expect(body.attributes.map(\.name) == ["a"])
  }

  /// Nesting is bounded, whatever nests, and a bound is an error, not a crash.
  @Test(
    .timeLimit(.minutes(10)),
    arguments: [
      ("(", ")"), ("[", "]"), ("{a=", "}"), ("-", ""), ("\"${", "}\""), ("true ? 1 : ", ""), ("f(", ")"), ("!", ""),
      ("x[", "]"), ("[for a in ", ": 1]"),
    ])
  func nestingIsBounded(open: String, close: String) {
    func nested(_ count: Int) -> String {
      "a = " + String(repeating: open, count: count) + "1" + String(repeating: close, count: count) + "\n"
    }
    #expect(!diagnostics(nested(50)).hasErrors)
    #expect(diagnostics(nested(100_000)).hasErrors)
    // Chains are trees too.
    #expect(diagnostics("a = 1" + String(repeating: " + 1", count: 100_000)).hasErrors)
  }

  @Test func deepBlocksAreAnError() {
    let text = String(repeating: "b {\n", count: 50_000) + String(repeating: "}\n", count: 50_000)
    #expect(diagnostics(text).hasErrors)
  }

  @Test func showsSourceAndSuggestion() throws {
    let source = SourceFile(name: "web.hcl", text: "image = \"x\"\nother =\t var.imgae\n")
    let body = try HCLParser.parse(source).get()
    let context = EvaluationContext(variables: ["var": .object(["image": .string("redis")])])
    let found = try #require(body.attribute("other")).expression.evaluated(in: context).diagnostics
    let text = DiagnosticRenderer([source]).render(found)
    #expect(
      text == """
        Error: Unsupported attribute

          on web.hcl line 2, column 13:
          2 │ other =   var.imgae
            │              ^^^^^^

        There is no attribute "imgae" here. Did you mean "image"?

        """)
  }
}
