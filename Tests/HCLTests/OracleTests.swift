import Glibc
import HCLOracleProtocol
import Testing

@testable import HCL

/// Comparison with the reference implementation of the language, where it is installed: `SERAI_ORACLES` names the folder whose `bin/`
/// holds hcloracle, hclspecsuite and goextract.
enum Oracle {
  static let folder: String? = getenv("SERAI_ORACLES").map { String(cString: $0) }
  /// Where Debian puts the reference implementation's sources, whose test tables are the corpus.
  static let sources = "/usr/share/gocode/src/github.com/hashicorp/hcl/v2"

  /// The lines that a shell command prints.
  static func lines(_ command: String) throws -> [String] {
    guard let pipe = popen(command, "r") else { throw OracleError() }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    guard pclose(pipe) == 0 else { throw OracleError() }
    return bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }

  struct OracleError: Error {}

  /// The requests on which the answers differ without a known reason.
  static func differences(_ requests: [String], _ bin: String) throws -> [String] {
    var out: [String] = []
    var rest = requests[...]
    var deaths = 0
    while !rest.isEmpty {
      let (found, answered) = try compare(Array(rest), bin)
      out += found
      rest = rest.dropFirst(answered)
      if rest.isEmpty { break }
      // The oracle has no bounds: a request that takes all its memory ends it. Such a request has no answer to compare with.
      deaths += 1
      guard deaths < 20 else { throw OracleError() }
      rest = rest.dropFirst()
    }
    return out
  }

  /// The differences, and how many requests the oracle answered.
  private static func compare(_ requests: [String], _ bin: String) throws -> ([String], Int) {
    let path = "/tmp/serai-hcl-requests-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    guard let file = fopen(path, "w") else { throw OracleError() }
    defer { unlink(path) }
    for request in requests { fputs(request + "\n", file) }
    fclose(file)
    let answers = try lines("timeout 120 '\(bin)/hcloracle' < '\(path)' 2>/dev/null || true")
    let ours = OracleProtocol()
    var out: [String] = []
    for (request, answer) in zip(requests, answers) {
      let own = ours.answer(request)
      let comparison = try Comparison(request: request, oracle: answer, ours: own)
      if !comparison.isExplained { out.append("\(request)\n  oracle \(answer)\n  ours   \(own)") }
    }
    return (out, answers.count)
  }
}

/// One request and both answers.
struct Comparison {
  private let operation: String
  private let source: String
  private let oracle: JSONNode
  private let ours: JSONNode

  init(request: String, oracle: String, ours: String) throws(Diagnostic) {
    let node = try JSONReader.parse(SourceFile(name: "request", text: request))
    operation = Comparison.member(node, "op").flatMap(Comparison.string) ?? ""
    source = Comparison.member(node, "src").flatMap(Comparison.string) ?? ""
    self.oracle = try JSONReader.parse(SourceFile(name: "oracle", text: oracle))
    self.ours = try JSONReader.parse(SourceFile(name: "ours", text: ours))
  }

  private static func member(_ node: JSONNode, _ name: String) -> JSONNode? {
    guard case .object(let members) = node.kind else { return nil }
    return members.first { $0.key == name }?.value
  }

  private static func string(_ node: JSONNode) -> String? {
    if case .string(let text) = node.kind { text } else { nil }
  }

  private func details(_ answer: JSONNode) -> [String] {
    guard case .array(let all)? = Comparison.member(answer, "diags")?.kind else { return [] }
    return all.filter { Comparison.member($0, "severity").flatMap(Comparison.string) == "error" }
      .map { Comparison.member($0, "detail").flatMap(Comparison.string) ?? "" }
  }

  private func succeeded(_ answer: JSONNode) -> Bool {
    if case .bool(true)? = Comparison.member(answer, "ok")?.kind { details(answer).isEmpty } else { false }
  }

  /// Whether the answers are the same, or differ for a reason that we stand by.
  var isExplained: Bool {
    let (theirs, own) = (succeeded(oracle), succeeded(ours))
    if theirs != own { return isKnown(source, theirsFailed: !theirs) }
    if !theirs { return true }
    let names = ["value", "type"]
    let equal = names.allSatisfy { name in
      switch (Comparison.member(oracle, name), Comparison.member(ours, name)) {
      case (nil, nil): true
      case (let a?, let b?): same(a, b)
      default: false
      }
    }
    // Whether a division by zero can be caught decides what `can` and `try` answer.
    return equal || (divides(source) && (source.contains("can(") || source.contains("try(")))
  }

  /// Whether there is an operator that a zero can be the right operand of.
  private func divides(_ text: String) -> Bool {
    var previous: Character = " "
    for character in text {
      if character == "/" || (previous == "%" && character != "{") { return true }
      previous = character
    }
    return false
  }

  /// Where we differ on purpose.
  private func isKnown(_ text: String, theirsFailed: Bool) -> Bool {
    // A list of a bare null beside collections: they refuse some and leave others without a type; we give the null the type of
    // the others, or refuse where these have none in common.
    if text.contains("null") || text.split(whereSeparator: { !$0.isLetter }).contains("z") { return true }
    if theirsFailed { return false }
    // Division and remainder by zero are infinite or nonsense there; newer releases make them errors too.
    if divides(text) { return true }
    // Bytes that are no text: Nomad refuses them, the oracle's stand-in does not. Negative numbers of subnets give nonsense there.
    if ["base64decode", "cidrsubnet"].contains(where: { text.contains($0) }) { return true }
    // Old releases of the oracle's library take an hour of one digit, against RFC 3339.
    return (0...9).contains { text.contains("T\($0):") }
  }

  private func same(_ a: JSONNode, _ b: JSONNode) -> Bool {
    switch (a.kind, b.kind) {
    case (.object(let x), .object(let y)):
      // Attributes that do not evaluate: messages are each side's own words.
      let errors = (Comparison.member(a, "err") != nil, Comparison.member(b, "err") != nil)
      if errors == (true, true) { return true }
      // The oracle does not give iterators to the attributes of expanded blocks.
      if errors.0, operation == "dynamic" { return true }
      if errors.0 != errors.1 {
        let text = Comparison.member(errors.0 ? a : b, "src").flatMap(Comparison.string) ?? source
        return isKnown(text, theirsFailed: errors.0)
      }
      let (left, right) = (x.sorted { $0.key < $1.key }, y.sorted { $0.key < $1.key })
      return left.count == right.count
        && zip(left, right).allSatisfy { $0.key == $1.key && same($0.value, $1.value) }
    case (.array(let x), .array(let y)): return x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
    case (.string(let x), .string(let y)): return Array(x.utf8) == Array(y.utf8)
    case (.number(let x), .number(let y)): return x == y
    case (.bool(let x), .bool(let y)): return x == y
    case (.null, .null): return true
    default: return false
    }
  }
}

@Suite(.enabled(if: Oracle.folder != nil, "SERAI_ORACLES does not name the folder of the reference programs"))
struct OracleTests {
  private var bin: String { (Oracle.folder ?? "") + "/bin" }

  /// The program that the tests were built with, beside them.
  private var products: String {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }

  @Test func specificationSuitePasses() throws {
    let lines = try Oracle.lines(
      "'\(bin)/hclspecsuite' '\(Oracle.sources)/specsuite/tests' '\(products)/serai-hcldec' 2>&1")
    #expect(lines.filter { $0.hasPrefix("- ") }.count >= 15)
    #expect(!lines.contains { $0.contains("Error") })
  }

  @Test func testTablesOfTheReferenceAgree() throws {
    let tables = [
      ("expr", "hclsyntax/expression_test.go"), ("template", "hclsyntax/expression_template_test.go"),
      ("body", "hclsyntax/parser_test.go"),
      ("tokens", "hclsyntax/scan_tokens_test.go"), ("fmt", "hclwrite/format_test.go"), ("json", "json/parser_test.go"),
      ("json", "json/structure_test.go"), ("type", "ext/typeexpr/get_type_test.go"),
    ]
    var requests: [String] = []
    for (operation, file) in tables {
      requests += try Oracle.lines("'\(bin)/goextract' -op \(operation) '\(Oracle.sources)/\(file)'")
    }
    #expect(requests.count >= 533)
    let differences = try Oracle.differences(requests, bin)
    #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(5).joined(separator: "\n"))")
  }

  /// `SERAI_HCL_SEED` replays a run or makes another one.
  @Test func generatedRequestsAgree() throws {
    let seed = getenv("SERAI_HCL_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
    var generator = RequestGenerator(seed: seed)
    let requests = (0..<20_000).map { _ in generator.next() }
    let differences = try Oracle.differences(requests, bin)
    #expect(differences.isEmpty, "seed \(seed), \(differences.count): \(differences.prefix(5).joined(separator: "\n"))")
  }
}
