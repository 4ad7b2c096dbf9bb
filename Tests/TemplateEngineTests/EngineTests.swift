import TemplateEngine
import Testing

/// The engine without an oracle: what its documentation promises, and that hostile input ends in an error.
@Suite struct EngineTests {
  static func render(
    _ source: ByteString, _ data: TemplateValue = .nil, limits: TemplateLimits = TemplateLimits(),
    functions: [ByteString: TemplateFunction] = [:]
  ) throws -> ByteString {
    var template = Template("t")
    template.functions = functions
    try template.parse(source)
    return try template.render(data, limits: limits)
  }

  @Test func jobsListedAsUsersDo() throws {
    let jobs = try TemplateValue(
      json: #"[{"ID":"web","Priority":50,"Meta":null},{"ID":"db","Priority":9007199254740993}]"#.utf8)
    #expect(try Self.render("{{range .}}{{.ID}}={{.Priority}}\n{{end}}", jobs) == "web=50\ndb=9007199254740993\n")
    #expect(
      try Self.render(#"{{(index . 1).ID}} {{len .}} {{printf "%05d" (index . 0).Priority}}"#, jobs) == "db 2 00050")
  }

  @Test(arguments: [
    ("{{range $i := 3}}{{$i}}{{end}}", "012"), ("{{range 0}}x{{else}}none{{end}}", "none"),
    ("{{with print nil | len | eq 5}}five{{end}}", "five"),
    ("{{with .x}}a{{else with 7}}{{.}}{{else}}c{{end}}", "7"),
    ("{{$x := 1}}{{range $x = 3}}{{end}}{{$x}}", "2"),
    ("a {{- 1 -}} b", "a1b"), ("{{/* c */ -}}  x", "x"), ("{{block \"b\" 5}}<{{.}}>{{end}}", "<5>"),
    ("{{range $k, $v := .m}}{{if eq $k \"c\"}}{{break}}{{end}}{{$k}}{{$v}}{{end}}", "a1b2"),
    (
      "{{printf \"%v %q %#v %T %6.2f|%-4d|%x\" .m `q` .m.a 1i 3.14159 7 `hi`}}",
      #"map[a:1 b:2 c:3] "q" 1 complex128   3.14|7   |6869"#
    ),
    ("{{printf \"%d\" \"hi\"}}{{printf \"%s\"}}{{printf \"x\" 1}}", "%!d(string=hi)%!s(MISSING)x%!(EXTRA int=1)"),
    ("{{slice \"héllo\" 0 2 | printf \"%q\"}}", #""h\xc3""#),
  ])
  func language(_ source: String, _ expected: String) throws {
    #expect(try Self.render(ByteString(source), ["m": ["a": 1, "b": 2, "c": 3]]).description == expected)
  }

  @Test(arguments: [
    ("{{.X", "template: t:1: unclosed action"), ("{{end}}", "template: t:1: unexpected {{end}}"),
    ("\n{{nope}}", #"template: t:2: function "nope" not defined"#),
    ("{{if .a}}", "template: t:1: unexpected EOF"),
    ("{{.a.b}}", #"template: t:1:4: executing "t" at <.a.b>: can't evaluate field b in type interface {}"#),
    (
      "x\n {{index .l 9}}",
      #"template: t:2:3: executing "t" at <index .l 9>: error calling index: index out of range: 9"#
    ),
  ])
  func messages(_ source: String, _ expected: String) {
    do {
      let out = try Self.render(ByteString(source), ["a": 1, "l": [1]])
      Issue.record("rendered \(out)")
    } catch {
      #expect("\(error)" == expected)
    }
  }

  @Test(arguments: [
    ("{{range 1000000000}}{{end}}", TemplateLimit.steps),
    ("{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}", .depth),
    ("{{range 100}}{{printf \"%099999d\" 1}}{{end}}", .output), ("{{printf \"%999999s%999999s\" 1 2}}", .output),
    ("{{sprig_repeat 1000000000 \"xxxxxxxxxx\"}}", .output), ("{{range loop 100000000000}}{{end}}", .steps),
    ("{{sprig_until 1000000000}}", .steps), ("{{indent 1000000 `a\na\na`}}", .output),
    // Each line doubles what the line before printed.
    ("{{$a := sprig_list 1}}{{range 60}}{{$a = sprig_list $a $a}}{{end}}{{$a}}", .output),
    ("{{$a := sprig_list 1}}{{range 2000}}{{$a = sprig_list $a}}{{end}}{{$a}}", .depth),
    (
      "{{$a := sprig_list 1}}{{range 60}}{{$a = sprig_list $a $a}}{{end}}{{sprig_deepEqual $a (sprig_deepCopy $a)}}",
      .steps
    ),
    ("{{$s := `x`}}{{range 60}}{{$s = print $s $s}}{{end}}", .output),
    (String(repeating: "(", count: 300) + "1" + String(repeating: ")", count: 300), .depth),
  ])
  func limits(_ source: String, _ expected: TemplateLimit) {
    let limits = TemplateLimits(steps: 100_000, outputBytes: 1_000_000, depth: 300)
    let source = source.hasPrefix("(") ? "{{" + source + "}}" : source
    do {
      let out = try Self.render(ByteString(source), limits: limits, functions: ConsulTemplateTests.functions)
      Issue.record("rendered \(out.count) bytes")
    } catch {
      guard case .limit(let limit, _)? = error as? TemplateError else {
        Issue.record("\(error)")
        return
      }
      #expect(limit == expected)
    }
  }

  /// Deeper than any stack: freeing must not recurse.
  @Test func deeplyNestedValuesAreFreed() throws {
    let source: ByteString = "{{$a := sprig_list 1}}{{range 300000}}{{$a = sprig_list $a}}{{end}}done"
    #expect(try Self.render(source, functions: FunctionSets.sprig) == "done")
    var map = TemplateMap()
    for _ in 0..<300_000 { map = TemplateMap(["k": .list([.map(map)])]) }
    #expect(map.count == 1)
  }

  @Test func lazyValuesFunctionsAndObjects() throws {
    struct Broken: Error {}
    let data: TemplateValue = [
      "ok": .lazy(LazyValue { .list([1, .lazy(LazyValue { "two" })]) }), "bad": .lazy(LazyValue { throw Broken() }),
      "f": .function(
        TemplateFunction([.int], variadic: .string, result: .string) { call in
          .text("\(call.arguments.count)")
        }),
      "o": .object(TemplateRecord("api.Job", [("Name", "n"), ("Count", 2)])),
    ]
    #expect(try Self.render("{{.ok}}{{index .ok 1}}{{call .f 1 `a` `b`}}", data) == "[1 two]two3")
    #expect(try Self.render("{{.o.Name}} {{.o}} {{printf `%+v` .o}}", data) == "n {n 2} {Name:n Count:2}")
    #expect(throws: TemplateError.self) { try Self.render("{{.bad}}", data) }
    #expect(throws: TemplateError.self) { try Self.render("{{call .f `a`}}", data) }
  }

  @Test(arguments: ["", "{", "[1,]", "{\"a\"}", "01", "1e", "\"\\u12\"", "nul", "[1] 2", "\"\u{1}\"", "+1", "."])
  func brokenJSON(_ text: String) {
    #expect(throws: (any Error).self) { try TemplateValue(json: text.utf8) }
  }

  @Test func jsonRoundTrip() throws {
    let text = #"{"a":[1,-2.5,1e+300,true,null,"é😀\"\\\n"],"b":{"c":{}}}"#
    #expect(
      try TemplateValue(json: text.utf8).json().description
        == #"{"a":[1,-2.5,1e+300,true,null,"é😀\"\\\n"],"b":{"c":{}}}"#)
    #expect(try TemplateValue(json: "\"\\ud83d\\ude00\\ud800\"".utf8).json().description == "\"😀\u{FFFD}\"")
  }

  /// Random bytes, and templates with random damage, through the entry point that a fuzzer uses.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func randomBytes(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var templates = TemplateGenerator(seed: seed)
    var calls = SprigGenerator(seed: seed)
    let pieces = [
      "{{", "}}", "{{-", " -}}", "range ", "end", "if ", "with ", "define ", "template ", "\"a\"", "$x", ":=", "=", "|",
      "(",
      ")", ".", ".a", "printf ", "%*[3]d", "/*", "*/", "index ", "1", "-", "0x", "'", "`", "\n", "\u{0}", "é", ",",
      "else",
      "break", "sprig_dict ", "sprig_repeat 9999 ", "toYAML", "parseYAML", "parseJSON ", "loop 9 ", "toTOML ", "split ",
    ]
    for round in 0..<3_000 {
      var bytes: [UInt8] = []
      switch round % 3 {
      case 0: bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      case 1: bytes = (0..<random.below(30)).flatMap { _ in Array(random.pick(pieces).utf8) }
      default:
        let request = random.chance(50) ? templates.request() : calls.request()
        if case .map(let fields)? = try? TemplateValue(json: request), case .string(let source)? = fields["src"] {
          bytes = source.bytes
        }
        for _ in 0..<random.below(6) where !bytes.isEmpty {
          bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      TemplateFuzzing.exercise(bytes)
    }
  }
}
