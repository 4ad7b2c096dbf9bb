import TemplateEngine
import Testing

/// A host with an environment, a fixed clock and a table of values.
struct TableHost: TemplateHost {
  var variables: [ByteString: ByteString] = [:]
  var values: [TemplateDependency: TemplateValue] = [:]
  var now = TemplateTime(seconds: 0)

  var environment: [ByteString: ByteString] { variables }
  func environmentVariable(_ name: ByteString) -> ByteString? { variables[name] }
  func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) } }
  func value(of dependency: TemplateDependency) -> TemplateValue? { values[dependency] }
}

@Suite struct ConsulTemplateTests {
  static let functions = FunctionSets.consulTemplate.merging(FunctionSets.sprig) { first, _ in first }

  static func render(
    _ source: ByteString, data: TemplateValue = .nil, host: TableHost = TableHost(),
    missingKey: Template.MissingKey = .default
  ) throws -> ByteString {
    var template = Template("t")
    template.functions = functions
    template.missingKey = missingKey
    try template.parse(source)
    return try template.render(data, host: host)
  }

  /// consul-template's own table, the rows that need neither Consul nor Vault nor Nomad.
  ///
  /// Left out: plugins, deny lists and functions added by an embedder, spew's dumps, and network interfaces.
  @Test(.enabled(if: Oracle.dataFile("consul_template_cases.jsonl") != nil, Oracle.reason))
  func referenceTable() throws {
    guard let path = Oracle.dataFile("consul_template_cases.jsonl") else { return }
    let absent = ["plugin", "spew", "external", "denylist", "sprig_reverse_disabled", "sockaddr"]
    var count = 0
    for line in Oracle.lines(try Oracle.contents(of: path)) {
      guard case .map(let row) = try TemplateValue(json: line), row["needs_backend"]?.isTrue == false,
        case .string(let name)? = row["name"], case .string(let source)? = row["src"],
        case .string(let expected)? = row["out"], !absent.contains(where: { name.description.contains($0) })
      else { continue }
      var host = TableHost()
      if case .list(let variables)? = row["env"] {
        for case .string(let pair) in variables.elements {
          let parts = pair.description.split(separator: "=", maxSplits: 1).map(ByteString.init)
          host.variables[parts[0]] = parts[1]
        }
      }
      count += 1
      let option: Template.MissingKey = name == "err_missing_keys__true" ? .error : .default
      do {
        let out = try Self.render(source, host: host, missingKey: option)
        #expect(row["err"]?.isTrue == false, "\(name): no error, but \(out)")
        #expect(out == expected, "\(name)")
      } catch {
        #expect(row["err"]?.isTrue == true, "\(name): \(error)")
      }
    }
    #expect(count > 60)
  }

  @Test func missingDependenciesAreReported() throws {
    var template = Template("t")
    template.functions = Self.functions
    try template.parse(
      """
      {{key "a"}}{{range service "web" "passing"}}{{.Address}}{{end}}{{with secret "s/x"}}{{.Data.k}}{{end}}\
      {{with nomadVar "p"}}{{.user}}{{end}}{{keyOrDefault "b" "dflt"}}
      """)
    let first = try template.renderTracking(host: TableHost())
    #expect(first.output == "dflt")
    #expect(first.missing == first.used)
    #expect(
      first.missing.map(\.description).sorted() == [
        #"key("a")"#, #"keyOrDefault("b")"#, #"nomadVar("p")"#, #"secret("s/x")"#, #"service("web", "passing")"#,
      ])
    var host = TableHost()
    host.values[TemplateDependency("key", ["a"])] = "A"
    host.values[TemplateDependency("service", ["web", "passing"])] = [["Address": "10.0.0.1"], ["Address": "10.0.0.2"]]
    host.values[TemplateDependency("secret", ["s/x"])] = ["Data": ["k": "K"]]
    host.values[TemplateDependency("nomadVar", ["p"])] = ["user": "U"]
    let second = try template.renderTracking(host: host)
    #expect(second.output == "A10.0.0.110.0.0.2KUdflt")
    #expect(second.missing == [TemplateDependency("keyOrDefault", ["b"])])
  }

  @Test(arguments: [
    (#"{{range $k, $v := tree "l" | explode}}{{$k}}{{$v}}{{end}}"#, "foomap[bar:a]zipmap[zap:b]"),
    (
      #"{{range $k, $p := tree "l" | byKey}}{{$k}}:{{range $p}}{{.Key}}={{.Value}}{{end}}{{end}}"#, "foo:bar=azip:zap=b"
    ),
    (#"{{range service "w"}}{{if .Tags | contains "prod"}}{{.Address}}{{end}}{{end}}"#, "1.2.3.4"),
    (
      #"{{range $t, $s := service "w" | byTag}}{{$t}}:{{range $s}}{{.Address}}{{end}} {{end}}"#,
      "prod:1.2.3.4 x:1.2.3.45.6.7.8 "
    ),
    (
      #"{{$b := "{\"zip\":{\"zap\":\"t\"}}" | parseJSON}}{{tree "l" | explode | mergeMapWithOverride $b}}"#,
      "map[foo:map[bar:a] zip:map[zap:b]]"
    ),
    (
      #"{{$b := "{\"zip\":{\"zap\":\"t\"}}" | parseJSON}}{{tree "l" | explode | mergeMap $b}}"#,
      "map[foo:map[bar:a] zip:map[zap:t]]"
    ),
    (
      #"{{range service "w"}}{{if .Tags | containsAll (parseJSON "[\"prod\",\"x\"]")}}{{.Address}}{{end}}{{end}}"#,
      "1.2.3.4"
    ),
    (#"{{define "c"}}<{{.}}>{{end}}{{executeTemplate "c" "foo"}}"#, "<foo>"),
  ])
  func dependencyHelpers(_ source: String, _ expected: String) throws {
    var host = TableHost()
    host.values[TemplateDependency("tree", ["l"])] = [
      ["Key": "foo/bar", "Value": "a", "Path": "l/foo/bar"], ["Key": "zip/zap", "Value": "b", "Path": "l/zip/zap"],
    ]
    host.values[TemplateDependency("service", ["w"])] = [
      ["Address": "1.2.3.4", "Tags": ["prod", "x"]], ["Address": "5.6.7.8", "Tags": ["x"]],
    ]
    #expect(try Self.render(ByteString(source), host: host).description == expected)
  }

  @Test(arguments: [
    (#"{"a":[1,{"b":"x"}],"c":{"d":null,"e":"yes"},"f":[]}"#, "a:\n- 1\n- b: x\nc:\n  d: null\n  e: \"yes\"\nf: []"),
    (
      ##"{"k10":1,"k2":2,"s":"a: b","t":"l1\nl2\n","u":"","v":"#x"}"##,
      "k2: 2\nk10: 1\ns: 'a: b'\nt: |\n  l1\n  l2\nu: \"\"\nv: '#x'"
    ),
    (#"[[1,2],[3]]"#, "- - 1\n  - 2\n- - 3"),
    (#""plain""#, "plain"),
  ])
  func yaml(_ json: String, _ expected: String) throws {
    let out = try Self.render("{{.|toYAML}}", data: TemplateValue(json: json.utf8))
    #expect(out.description == expected)
    let back = try Self.render("{{.|toYAML|parseYAML|toJSON}}", data: TemplateValue(json: json.utf8))
    #expect(back == (try TemplateValue(json: json.utf8).json()))
  }

  @Test(arguments: [
    (
      "a: 1\nb:\n  - x\n  - y: 2\n    z: [1, 'two', {k: v}]\n# note\nc: \"q\\tq\" # tail\n",
      #"{"a":1,"b":["x",{"y":2,"z":[1,"two",{"k":"v"}]}],"c":"q\tq"}"#
    ),
    ("---\nt: |\n  one\n    two\n\n  three\nf: >-\n  a\n  b\n\n  c\n", #"{"f":"a b\nc","t":"one\n  two\n\nthree\n"}"#),
    ("- a\n-\n  b: ~\n- - 1\n  - yes\n- {}", #"["a",{"b":null},[1,true],{}]"#),
    ("k:\n- 1\n- 2\nl: word\n  more", #"{"k":[1,2],"l":"word more"}"#),
    ("x: 0x1F\ny: 1_000\nz: 1.5e3\nw: 012\n", #"{"w":10,"x":31,"y":1000,"z":1500}"#),
    ("", "{}"),
    ("k: &x {a: 1}\nl: *x\nm: {<<: *x, b: 2}\n", #"{"k":{"a":1},"l":{"a":1},"m":{"a":1,"b":2}}"#),
    ("base: &b {a: 1}\nown: {a: 2, <<: [*b, {a: 3, c: 4}]}\n", #"{"base":{"a":1},"own":{"a":2,"c":4}}"#),
    (
      "a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !!binary aGk=\ne: !own 5\n",
      #"{"a":"1","b":2,"c":3,"d":"hi","e":"5"}"#
    ),
    ("? a\n: 1\n? b\n", #"{"a":1,"b":null}"#),
  ])
  func yamlReading(_ yaml: String, _ expected: String) throws {
    #expect(try Self.render("{{.|parseYAML|toJSON}}", data: .text(yaml)).description == expected)
  }

  @Test(arguments: [
    "a: b: c", "a: [1", "k: *x", "- a\nb: 1", "a: \"open", "a: !!int x", "? [a]", "a: {b", "a: !!binary '?'",
    "a: {<<: 1}",
    "a\n---\nb\n",
  ])
  func yamlErrors(_ yaml: String) {
    #expect(throws: TemplateError.self) { try Self.render("{{.|parseYAML}}", data: .text(yaml)) }
  }

  @Test func toml() throws {
    let data = try TemplateValue(
      json: #"{"b":{"c":{"d":1},"e":"x"},"a":[1,2],"t":[{"n":1},{"n":2}],"f":1.0,"odd key":true}"#.utf8)
    #expect(
      try Self.render("{{.|toTOML}}", data: data).description == """
        a = [1, 2]
        f = 1.0
        "odd key" = true

        [b]
          e = "x"

          [b.c]
            d = 1

        [[t]]
          n = 1

        [[t]]
          n = 2
        """)
  }

  @Test(arguments: [
    ("{{2 | add 2.5}}", "4.5"), ("{{7 | subtract 2}}", "5"), ("{{7 | divide 2}}", "3"), ("{{7 | modulo 4}}", "3"),
    ("{{printf \"%T\" (add 1 2)}}", "int64"),
    (#"{{"FOO"|toLower}}{{"x"|md5sum}}"#, "foo9dd4e461268c8034f5c8564e155c67a6"),
    (#"{{sha256Hex ""}}"#, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (#"{{sprig_sha1sum "abc"}}"#, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (#"{{range loop 2 "5"}}{{.}}{{end}}"#, "234"), (#"{{timestamp "2006-01-02T15:04"}}"#, "1970-01-01T00:00"),
    (#"{{scratch.MapSet "m" "k" 1}}{{scratch.MapSetX "m" "k" 2}}{{scratch.Get "m"}}"#, "map[k:1]"),
    (#"{{$d := sprig_dict}}{{$_ := sprig_set $d "a" 1}}{{$d}}"#, "map[a:1]"),
  ])
  func helpers(_ source: String, _ expected: String) throws {
    #expect(try Self.render(ByteString(source)).description == expected)
  }

  @Test(arguments: [
    (#"{{mustEnv "X"}}"#, #""X" was not found"#), ("{{divide 0 1}}", "integer divide by zero"),
    (#"{{"x"|parseInt}}"#, #"parseInt: strconv.ParseInt: parsing "x": invalid syntax"#),
    (#"{{$d := sprig_dict}}{{sprig_set $d "self" (sprig_list $d)}}"#, "a map cannot be stored inside itself"),
    (#"{{indent -1 "x"}}"#, "indent value must be a positive integer"),
  ])
  func failures(_ source: String, _ expected: String) {
    do {
      let out = try Self.render(ByteString(source))
      Issue.record("rendered \(out)")
    } catch {
      #expect("\(error)".contains(expected), "\(error)")
    }
  }

  @Test func deniedFunctionsFail() throws {
    var template = Template("t")
    template.functions = FunctionSets.denying(["env"], in: Self.functions)
    try template.parse(#"{{env "HOME"}}"#)
    #expect(
      throws: TemplateError.execution(
        #"template: t:1:2: executing "t" at <env "HOME">: error calling env: function is disabled"#)
    ) {
      try template.render(.nil)
    }
  }
}
