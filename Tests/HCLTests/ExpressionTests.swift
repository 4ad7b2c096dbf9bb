import HCL
import Testing

/// Expectations from the HCL native syntax specification, section "Expressions".
struct ExpressionTests {
  @Test(arguments: [
    // Precedence, loosest to tightest: ?: || && == < + * unary.
    ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("10 - 2 - 3", "5"), ("-2 + 5", "3"), ("2 * -3", "-6"), ("7 % 4", "3"),
    ("-7 % 4", "-3"),
    ("1 < 2 && 2 < 3", "true"), ("true || false && false", "true"), ("!true == false", "true"), ("1 + 1 == 2", "true"),
    ("true ? 1 : false ? 2 : 3", "1"), ("false ? 1 : false ? 2 : 3", "3"), ("1 == \"1\"", "false"),
    ("null == null", "true"),
    // Numbers are exact far beyond machine words, and decimal fractions print as they were meant.
    ("0.1 + 0.2", "0.3"), ("9007199254740993 + 0", "9007199254740993"), ("10 / 4", "2.5"), ("1e3", "1000"),
    ("2.50", "2.5"),
    ("123456789012345678901234567890 * 10", "1234567890123456789012345678900"), ("\"3\" * \"4\"", "12"),
    // Collections.
    ("[1, \"a\", null,]", "[1,\"a\",null]"), ("{a = 1, \"b c\": 2, (\"d\") = 3}", "{\"a\":1,\"b c\":2,\"d\":3}"),
    ("{\n a = 1\n b = 2\n}.b", "2"),
    ("[1, 2, 3][1]", "2"), ("[[5]][0].0", "5"), ("{a = {b = [1]}}.a.b[0]", "1"),
    ("[for x in [1, 2, 3] : x * 2 if x > 1]", "[4,6]"),
    ("[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]", "[\"0a\",\"1b\"]"),
    ("{for k, v in {a = 1, b = 2} : v => k}", "{\"1\":\"a\",\"2\":\"b\"}"),
    ("{for s in [\"a\", \"b\", \"a\"] : s => s...}", "{\"a\":[\"a\",\"a\"],\"b\":[\"b\"]}"),
    // Splats.
    ("[{a = 1}, {a = 2}][*].a", "[1,2]"), ("[{a = [1, 2]}].*.a[0]", "[1,2]"), ("[{a = [1, 2]}][*].a[0]", "[1]"),
    ("null[*]", "[]"), ("5[*]", "[5]"),
    // Conditionals bring both sides to one type.
    ("true ? 1 : \"a\"", "\"1\""), ("true ? [1] : [\"a\", \"b\"]", "[\"1\"]"), ("true ? null : 5", "null"),
    ("true ? 1 : nope", "1"),
    ("max([1, 5, 2]...)", "5"), ("try(nope, 1)", "1"), ("can(1 + \"x\")", "false"),
  ])
  func evaluates(text: String, expected: String) throws {
    #expect(try json(text) == expected)
  }

  @Test(arguments: [
    ("1 / 0", "Division by zero", 5), ("nope", "Unknown variable", 1), ("uper(\"x\")", "Call to unknown function", 1),
    ("{a = 1}.b", "Unsupported attribute", 8), ("[1][3]", "Invalid index", 4), ("1 + {}", "Invalid operand", 5),
    ("\"a${null}\"", "Invalid template interpolation value", 5),
    ("true ? 1 : {}", "Inconsistent conditional result types", 8),
    ("{for x in [1, 1] : x => x}", "Duplicate object key", 20),
    ("[for x in 5 : x]", "Iteration over non-iterable value", 11), ("upper()", "Not enough function arguments", 6),
    ("upper(\"a\", \"b\")", "Too many function arguments", 12),
  ])
  func reportsWithPlace(text: String, summary: String, column: Int) throws {
    let expression = try #require(HCLParser.parseExpression(SourceFile(name: "test", text: text)).result)
    let first = try #require(expression.evaluated(in: EvaluationContext(functions: functions)).diagnostics.first)
    #expect(first.summary == summary)
    #expect(first.subject?.start.column == column)
  }

  @Test func unknownValuesSpread() throws {
    let variables = ["u": Value.unknown(.string), "d": Value.dynamic]
    #expect(try evaluate("\"a${u}\"", variables) == .unknown(.string))
    #expect(try evaluate("upper(u)", variables) == .unknown(.string))
    #expect(try evaluate("d + 1", variables) == .unknown(.number))
    #expect(try evaluate("u == \"a\"", variables) == .unknown(.bool))
    #expect(try evaluate("[for x in d : x]", variables) == .dynamic)
    #expect(try evaluate("length([u, u])", variables) == .number(2))
  }

  @Test func listsReferences() throws {
    let text = #"[for k, v in var.m : "${k}${v.x}${attr.a[n]}" if cond] == {x = y, (z) = 1}"#
    let expression = try #require(HCLParser.parseExpression(SourceFile(name: "test", text: text)).result)
    #expect(expression.variables.map(\.text) == ["var.m", "attr.a", "n", "cond", "y", "z"])
  }

  @Test func longChainsEvaluate() throws {
    #expect(try json("0" + String(repeating: " + 1", count: 500)) == "500")
    #expect(try json(String(repeating: "(", count: 100) + "1" + String(repeating: ")", count: 100)) == "1")
  }

  /// What only a running task can resolve stays as text.
  @Test func leavesRuntimeReferences() throws {
    let context = EvaluationContext(
      variables: ["var": .object(["x": .string("v")])], functions: functions,
      unresolved: { $0.root == "attr" || $0.root.hasPrefix("NOMAD_") ? .string("${" + $0.text + "}") : nil })
    func value(_ text: String) throws -> Value? {
      try HCLParser.parseExpression(SourceFile(name: "test", text: text)).get()?.evaluate(in: context)
    }
    #expect(try value("\"${attr.kernel.name}\"") == .string("${attr.kernel.name}"))
    #expect(
      try value("\"a-${attr.unique.network.ip-address}-${var.x}\"") == .string("a-${attr.unique.network.ip-address}-v"))
    #expect(try value("upper(\"${NOMAD_PORT_http}\")") == .string("${NOMAD_PORT_HTTP}"))
    #expect(try value("attr[\"a b\"]") == .string("${attr[\"a b\"]}"))
    #expect(throws: Diagnostics.self) { try value("\"${other.x}\"") }
  }

  /// A few lines can't take all time and memory.
  @Test(.timeLimit(.minutes(5))) func costIsBounded() {
    #expect(throws: Diagnostics.self) {
      try evaluate("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]")
    }
    var doubling = "x0"
    for i in stride(from: 40, to: 0, by: -1) { doubling = "[for x\(i - 1) in [[x\(i), x\(i)]] : \(doubling)]" }
    #expect(throws: Diagnostics.self) { try evaluate(doubling, ["x40": .number(1)]) }
    #expect(throws: Diagnostics.self) {
      try evaluate("format(\"%1000000d\", 1)") == evaluate("format(\"%99999999d\", 1)")
    }
    #expect(throws: Diagnostics.self) { try evaluate("1e99999999") }
  }
}
