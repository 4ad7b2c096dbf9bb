import TemplateEngine
import TemplateOracleProtocol
import Testing

/// Our engine beside Go's own text/template and fmt.
@Suite(.enabled(if: Oracle.isPresent, Oracle.reason))
struct OracleTests {
  /// What we do on purpose that the oracle's version of the language (Go 1.19) does not.
  static func explained(_ their: TemplateOracleProtocol.Answer, _ our: TemplateOracleProtocol.Answer) -> String? {
    let text = their.error.description
    if let range = text.ranges(of: "range can't iterate over ").last, Int(text[range.upperBound...]) != nil {
      return "ranging over integers came with Go 1.24"
    }
    if text.contains("unexpected <with> in else") { return "{{else with}} came with Go 1.23" }
    if text.contains("error calling slice: index out of range") {
      return "Go's limit for slicing is a slice's capacity, an accident of how it was decoded; ours is its length"
    }
    return nil
  }

  @Test(
    .enabled(if: Oracle.hasGoTables, "no Go sources or no goextract"),
    arguments: [
      ("exec", "text/template/exec_test.go"), ("exec", "text/template/multi_test.go"),
      ("parse", "text/template/parse/parse_test.go"), ("parse", "text/template/parse/lex_test.go"),
    ])
  func goTables(_ operation: String, _ file: String) throws {
    let path = "\(Oracle.goRoot)/src/\(file)"
    let extract = try #require(Oracle.program("goextract"))
    let requests = Oracle.lines(
      try Oracle.output(of: "'\(extract)' -op \(operation) -nth 1 '\(path)' 2>/dev/null"))
    #expect(requests.count > 20)
    try Oracle.compare(requests)
    guard operation == "exec" else { return }
    // The same templates over data, with each way to treat missing keys.
    let data = #"""
      {"True":true,"I":17,"X":"x","S":"xyz","SI":[3,4,5],"SIEmpty":[],"SB":[true,false],"MSI":{"one":1,"two":2,"three":3},
      "MSIone":{"one":1},"MSIEmpty":{},"SMSI":[{"one":1,"two":2},{"eleven":11}],"Empty0":null,"Empty3":[7,8],
      "Empty4":{"X":"UinEmpty"},"PSI":[21,22],"NIL":null,"U":{"V":"v"},"Float":1.5}
      """#
    var wider: [[UInt8]] = []
    for request in requests {
      for option in ["default", "zero", "error"] {
        guard case .map(let fields)? = try? TemplateValue(json: request) else { continue }
        fields["data"] = try TemplateValue(json: data.utf8)
        fields["missingkey"] = .text(option)
        wider.append(try TemplateValue.map(fields).json().bytes)
      }
    }
    try Oracle.compare(wider, explained: Self.explained)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func generatedTemplates(_ seed: UInt64) throws {
    var generator = TemplateGenerator(seed: seed)
    let requests = (0..<2_000).map { _ in generator.request() }
    let equal = try Oracle.compare(requests, explained: Self.explained)
    #expect(equal > 1_900)
  }

  @Test(arguments: [11, 12] as [UInt64])
  func generatedFormats(_ seed: UInt64) throws {
    var generator = FormatGenerator(seed: seed)
    let requests = (0..<3_000).map { _ in generator.request() }
    let equal = try Oracle.compare(requests)
    #expect(equal == requests.count)
  }

  @Test(arguments: [31, 32] as [UInt64])
  func sprigFunctions(_ seed: UInt64) throws {
    var generator = SprigGenerator(seed: seed)
    let requests = (0..<4_000).map { _ in generator.request() }
    let equal = try Oracle.compare(requests) { their, our in
      if let explained = Self.explained(their, our) { return explained }
      let (text, out) = (their.error.description, their.out.description)
      if out.contains("}(nil)") || out.contains("[]string(nil)") {
        return "we have no nil slice beside the empty one, which only %#v tells apart"
      }
      if text.contains("assignment to entry in nil map") { return "a nil map is an empty map here" }
      return nil
    }
    #expect(equal > 3_950)
  }

  @Test func durations() throws {
    var random = SeededGenerator(seed: 21)
    var requests: [[UInt8]] = []
    for _ in 0..<1_000 {
      var text = random.pick(["", "", "-", "+"])
      for _ in 0..<random.below(4) {
        text += random.pick(["1", "0", "1.5", ".5", "3.", "90", "0.000000001", "9223372036854775807", "x", "."])
        text += random.pick(["ns", "us", "µs", "ms", "s", "m", "h", "d", "", "h"])
      }
      requests.append(try TemplateValue.map(["op": "duration", "src": .text(text)]).json().bytes)
    }
    try Oracle.compare(requests)
  }
}
