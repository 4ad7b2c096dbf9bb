import HCL
import Testing

/// Expectations from the standards behind the functions and from Nomad's documentation of them.
struct FunctionTests {
  @Test(arguments: [
    // RFC 1321, FIPS 180-4, RFC 4648, RFC 9562.
    ("md5(\"abc\")", "900150983cd24fb0d6963f7d28e17f72"), ("sha1(\"abc\")", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("sha256(\"abc\")", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "sha512(\"abc\")",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    ("md5(\"\")", "d41d8cd98f00b204e9800998ecf8427e"), ("base64encode(\"foobar\")", "Zm9vYmFy"),
    ("base64decode(\"Zm9vYg==\")", "foob"),
    ("uuidv5(\"dns\", \"www.example.com\")", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
    ("urlencode(\"a b&é\")", "a+b%26%C3%A9"),
    ("cidrhost(\"10.12.127.0/20\", 268)", "10.12.113.12"),
    ("cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)", "fd00:fd12:3456:7800:a200::/72"),
    ("cidrnetmask(\"172.16.0.0/12\")", "255.240.0.0"),
    ("formatdate(\"EEE, D MMM YYYY HH:mm aa\", \"2018-01-02T23:12:01Z\")", "Tue, 2 Jan 2018 11:12 pm"),
    ("timeadd(\"2020-02-28T23:30:00Z\", \"1h\")", "2020-02-29T00:30:00Z"),
    ("format(\"%05.1f|%-4s|%x|%q\", 3.14159, \"a\", 255, \"b\")", "003.1|a   |ff|\"b\""),
    ("substr(\"hello\", 1, 3)", "ell"), ("indent(2, \"a\\nb\")", "a\n  b"), ("title(\"hello wORLD\")", "Hello WORLD"),
    ("strrev(\"🇦🇹a\")", "a🇦🇹"),
    ("regex_replace(\"a1b22\", \"(\\\\d+)\", \"<$1>\")", "a<1>b<22>"),
    ("join(\",\", split(\"-\", \"a-b-c\"))", "a,b,c"), ("replace(\"aaa\", \"aa\", \"b\")", "ba"),
  ])
  func givesText(text: String, expected: String) throws {
    #expect(try evaluate(text) == .string(expected))
  }

  @Test(arguments: [
    ("chunklist([1, 2, 3], 2)", "[[1,2],[3]]"), ("flatten([[1], [[2]], []])", "[1,2]"),
    ("merge({a = 1}, {a = 2, b = 3})", "{\"a\":2,\"b\":3}"),
    ("setproduct([\"a\", \"b\"], [1])", "[[\"a\",1],[\"b\",1]]"), ("range(1, 10, 3)", "[1,4,7]"),
    ("zipmap([\"a\"], [1])", "{\"a\":1}"),
    ("setintersection([1, 2], [2, 3])", "[2]"), ("slice([1, 2, 3], 1, 3)", "[2,3]"),
    ("coalesce(null, \"\", \"x\")", "\"\""), ("element([1, 2], 3)", "2"),
    ("regex(\"(\\\\d+)-(\\\\w)\", \"x 12-a\")", "[\"12\",\"a\"]"), ("regex(\"(?P<n>\\\\d)\", \"a1\")", "{\"n\":\"1\"}"),
    ("regexall(\"\\\\d\", \"a1b2\")", "[\"1\",\"2\"]"),
    ("csvdecode(\"a,b\\n1,\\\"x,y\\\"\\n\")", "[{\"a\":\"1\",\"b\":\"x,y\"}]"),
    ("jsondecode(\"[1.10, {}]\")", "[1.1,{}]"), ("parseint(\"-7f\", 16)", "-127"),
    ("yamldecode(\"a: [1, x]\\nb:\\n  - c: |\\n      t\\n\")", "{\"a\":[1,\"x\"],\"b\":[{\"c\":\"t\\n\"}]}"),
    ("floor(-1.5)", "-2"), ("pow(2, 10)", "1024"),
    (
      "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)", "[\"10.1.0.0/20\",\"10.1.16.0/20\",\"10.1.32.0/24\",\"10.1.48.0/20\"]"
    ), ("sort([\"b\", \"a\"])", "[\"a\",\"b\"]"),
  ])
  func givesValue(text: String, expected: String) throws {
    #expect(try json(text) == expected)
  }

  @Test(arguments: [
    "file(\"/etc/passwd\")", "fileexists(\"x\")", "fileset(\".\", \"*\")", "abspath(\".\")", "pathexpand(\"~\")",
    "basename(\"a\")", "dirname(\"a\")",
  ])
  func fileFunctionsAreDisabledWithoutFiles(text: String) {
    do throws(Diagnostics) {
      let expression = HCLParser.parseExpression(SourceFile(name: "f", text: text)).result
      _ = try expression?.evaluate(in: EvaluationContext(functions: functions))
      Issue.record("evaluated")
    } catch {
      #expect(error.all.first?.detail.contains("filesystem function disabled") == true)
    }
  }

  private struct Files: FileAccess {
    let tree = ["/w/a.txt": "A", "/w/d/b.hcl": "B", "/w/d/e/c.hcl": "C", "/h/x": "X"]
    var workingDirectory: String { "/w" }
    var homeDirectory: String? { "/h" }

    func contents(of path: String) throws(FunctionFailure) -> [UInt8] {
      guard let text = tree[path] else { throw FunctionFailure("no such file: \(path)") }
      return Array(text.utf8)
    }
    func kind(of path: String) throws(FunctionFailure) -> FileKind {
      tree[path] != nil ? .file : tree.keys.contains { $0.hasPrefix(path + "/") } ? .directory : .absent
    }
    func entries(of path: String) throws(FunctionFailure) -> [String] {
      Array(
        Set(
          tree.keys.filter { $0.hasPrefix(path + "/") }.compactMap {
            $0.dropFirst(path.count + 1).split(separator: "/").first.map(String.init)
          }))
    }
  }

  @Test(arguments: [
    ("file(\"a.txt\")", "\"A\""), ("file(\"~/x\")", "\"X\""), ("fileexists(\"d/b.hcl\")", "true"),
    ("fileexists(\"nope\")", "false"),
    ("fileset(\".\", \"**/*.{hcl,txt}\")", "[\"a.txt\",\"d/b.hcl\",\"d/e/c.hcl\"]"),
    ("fileset(\"d\", \"*.hcl\")", "[\"b.hcl\"]"), ("abspath(\"../h/./x\")", "\"/h/x\""),
    ("basename(\"/a/b/\")", "\"b\""), ("dirname(\"/a/b\")", "\"/a\""), ("pathexpand(\"~/.ssh\")", "\"/h/.ssh\""),
  ])
  func fileFunctionsSeeTheGivenFiles(text: String, expected: String) throws {
    let context = EvaluationContext(functions: StandardFunctions.table(host: FunctionHost(files: Files())))
    let expression = try #require(HCLParser.parseExpression(SourceFile(name: "f", text: text)).result)
    #expect(JSONText.encode(try expression.evaluate(in: context)) == expected)
  }

  /// Clock and randomness are inputs.
  @Test func hostDecides() throws {
    let host = FunctionHost(
      now: { 1_514_934_721_000_000_000 },
      random: { count in
        // The salt of a published bcrypt test vector for the password "U*U".
        (0..<count).map { [0x10, 0x41, 0x04][$0 % 3] }
      })
    let context = EvaluationContext(functions: StandardFunctions.table(host: host))
    func text(_ source: String) throws -> String? {
      try HCLParser.parseExpression(SourceFile(name: "f", text: source)).result?.evaluate(in: context).asString
    }
    #expect(try text("timestamp()") == "2018-01-02T23:12:01Z")
    #expect(try text("bcrypt(\"U*U\", 5)") == "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
    #expect(try text("uuidv4()") == "10410410-4104-4041-8410-410410410410")
    #expect(throws: Diagnostics.self) { try evaluate("uuidv4()") }
  }
}
