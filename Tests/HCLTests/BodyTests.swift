import HCL
import Testing

struct BodyTests {
  private func blocks(_ text: String, _ variables: [String: Value] = [:]) throws -> ([Block], EvaluationContext) {
    let context = EvaluationContext(variables: variables, functions: functions)
    let body = try HCLParser.parse(SourceFile(name: "f", text: text)).get()
    return (try body.expandingDynamicBlocks(in: context).get().blocks, context)
  }

  @Test func dynamicBlocksStandForBlocks() throws {
    let (all, context) = try blocks(
      """
      group {
        dynamic "port" {
          for_each = ["http", "rpc"]
          iterator = it
          labels   = [it.value, "l${it.key}"]
          content {
            to = base + it.key
            dynamic "check" {
              for_each = {x = 1}
              content { name = "${it.value}-${check.key}" }
            }
          }
        }
        port "static" {}
      }
      """, ["base": .number(8080)])
    let ports = try #require(all.first).body.blocks
    #expect(ports.map(\.labels) == [["http", "l0"], ["rpc", "l1"], ["static"]])
    #expect(try ports[1].body.attribute("to")?.expression.evaluate(in: context) == .number(8081))
    #expect(
      try ports[1].body.blocks.first?.body.attribute("name")?.expression.evaluate(in: context) == .string("rpc-x"))
    #expect(ports[1].body.attribute("to")?.expression.variables.map(\.text) == ["base"])
  }

  @Test(arguments: [
    "dynamic \"a\" {\n content {}\n}", "dynamic \"a\" {\n for_each = null\n content {}\n}",
    "dynamic \"a\" {\n for_each = []\n}",
    "dynamic {\n}", "dynamic \"a\" {\n for_each = 5\n content {}\n}",
    "dynamic \"a\" {\n for_each = []\n iterator = \"x\"\n content {}\n}",
    "dynamic \"a\" {\n for_each = [1]\n labels = [null]\n content {}\n}",
    "dynamic \"a\" {\n for_each = []\n x = 1\n content {}\n}",
  ])
  func wrongDynamicBlocksAreErrors(text: String) {
    #expect(throws: Diagnostics.self) { try blocks(text + "\n") }
  }

  @Test func readsTypeConstraints() throws {
    func type(_ text: String) -> ValueType? {
      HCLParser.parseExpression(SourceFile(name: "f", text: text)).result.flatMap { TypeConstraint.parse($0).result }
    }
    #expect(
      type("list(object({a = string, b = optional(number)}))")
        == .list(.object(["a": .string, "b": .number], optional: ["b"])))
    #expect(type("map(any)") == .map(.dynamic))
    #expect(type("tuple([bool, set(string)])") == .tuple([.bool, .set(.string)]))
    #expect(type("lst(string)") == nil && type("list") == nil && type("string(1)") == nil)
    let value = try Conversion.convert(
      .object(["a": .number(1)]), to: .object(["a": .string, "b": .number], optional: ["b"]))
    #expect(value == .object(["a": .string("1"), "b": .null(.number)]))
  }

  @Test func conversionNamesThePlace() {
    do throws(Conversion.Failure) {
      _ = try Conversion.convert(
        .tuple([.object(["n": .string("1")]), .object(["n": .string("x")])]), to: .list(.object(["n": .number])))
      Issue.record("converted")
    } catch {
      #expect(error.path == "[1].n")
    }
  }

  @Test func jsonIsTheSameLanguage() throws {
    let body = try HCLParser.parseJSON(
      SourceFile(
        name: "f.json", text: #"{"//": "note", "a": "x-${n}", "b": [1.50, null, {"k${n}": true}], "c": "$${n}"}"#)
    ).get()
    let context = EvaluationContext(variables: ["n": .number(7)])
    let values = try body.attributes.map { JSONText.encode(try $0.expression.evaluate(in: context)) }
    #expect(values == [#""x-7""#, #"[1.5,null,{"k7":true}]"#, #""${n}""#])
    for bad in [
      "", "[1]", "{\"a\":1,}", "{\"a\":01}", "{\"a\":\"\u{1}\"}", "{} x", "{\"a\":1,\"a\":2}",
      String(repeating: "[", count: 100_000),
    ] {
      #expect(HCLParser.parseJSON(SourceFile(name: "f.json", text: bad)).diagnostics.hasErrors)
    }
  }

  @Test func formats() {
    let text = "job \"x\"{\na=1\n  long_name   =[1,2]# c\n\n    g {\nb   = !c&&d[0]-1\n}\n}\n"
    let expected = "job \"x\" {\n  a         = 1\n  long_name = [1, 2] # c\n\n  g {\n    b = !c && d[0] - 1\n  }\n}\n"
    #expect(Formatter.format(SourceFile(name: "f", text: text)) == expected)
    #expect(Formatter.format(SourceFile(name: "f", text: expected)) == expected)
  }
}
