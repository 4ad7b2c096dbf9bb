import Glibc
import TemplateEngine
import TemplateOracleProtocol
import Testing

/// The oracle programs: other implementations of what is under test, found through the environment.
///
/// `SERAI_ORACLES` names the folder whose `bin/` holds `tmploracle` and `goextract`; without it these tests are skipped.
/// `tmploracle` answers requests in JSON lines with Go's text/template, fmt and sprig; `goextract` turns the tables of a Go
/// test file into such requests.
enum Oracle {
  static let folder: String? = getenv("SERAI_ORACLES").map { String(cString: $0) }
  static let reason: Comment = "SERAI_ORACLES does not name a folder with oracle programs"

  static var isPresent: Bool { program("tmploracle") != nil }

  static func program(_ name: String) -> String? {
    guard let folder else { return nil }
    let path = "\(folder)/bin/\(name)"
    return access(path, X_OK) == 0 ? path : nil
  }

  struct Failure: Error { let message: String }

  /// A file of the oracles' `data` folder, or of the folder that `SERAI_ORACLE_DATA` names.
  static func dataFile(_ name: String) -> String? {
    let elsewhere = getenv("SERAI_ORACLE_DATA").map { String(cString: $0) }
    return [folder.map { $0 + "/data" }, elsewhere].compactMap { $0 }.map { "\($0)/\(name)" }
      .first { access($0, R_OK) == 0 }
  }

  /// The root of a Go tree, whose own tests are a source of cases: `GOROOT` or where Debian puts it.
  static let goRoot = getenv("GOROOT").map { String(cString: $0) } ?? "/usr/share/go-1.19"
  static var hasGoTables: Bool {
    program("goextract") != nil && access("\(goRoot)/src/text/template/exec_test.go", R_OK) == 0
  }

  /// Runs a shell command and returns what it printed.
  static func output(of command: String) throws -> [UInt8] {
    guard let pipe = popen(command, "r") else { throw Failure(message: "popen: \(command)") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    guard pclose(pipe) == 0 else { throw Failure(message: "failed: \(command)") }
    return bytes
  }

  /// A file's bytes.
  static func contents(of path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else { throw Failure(message: "cannot open \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// The oracle's answers to requests, in order.
  static func answers(to requests: [[UInt8]]) throws -> [TemplateOracleProtocol.Answer] {
    guard let program = program("tmploracle") else { throw Failure(message: "no tmploracle") }
    var name = Array("/tmp/serai-template-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0, let file = fdopen(descriptor, "w") else { throw Failure(message: "mkstemp") }
    let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    for request in requests {
      let line = request + [0x0A]
      fwrite(line, 1, line.count, file)
    }
    fclose(file)
    return lines(try output(of: "'\(program)' < \(path)")).map {
      TemplateOracleProtocol.Answer(line: $0) ?? .init(ok: false, error: "unreadable answer")
    }
  }

  static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: 0x0A).map(Array.init)
  }

  /// Sends every request to the oracle and to our engine and expects equal answers.
  ///
  /// `explained` says why an oracle's answer may differ from ours, nil where it may not. Returns how many were equal.
  @discardableResult
  static func compare(
    _ requests: [[UInt8]],
    explained: (TemplateOracleProtocol.Answer, TemplateOracleProtocol.Answer) -> String? = { _, _ in nil },
    _ location: SourceLocation = #_sourceLocation
  ) throws -> Int {
    let theirs = try answers(to: requests)
    #expect(theirs.count == requests.count, sourceLocation: location)
    var equal = 0
    var reported = 0
    for (request, their) in zip(requests, theirs) {
      let our = TemplateOracleProtocol.answer(request)
      // The oracle's JSON replaces broken UTF-8; a trip through JSON does the same to ours.
      let seen = TemplateOracleProtocol.Answer(line: our.line.bytes) ?? our
      if seen == their {
        equal += 1
      } else if explained(their, seen) == nil {
        reported += 1
        if reported <= 20 {
          Issue.record(
            "\(ByteString(bytes: request))\n  oracle \(their.line)\n  ours   \(seen.line)", sourceLocation: location)
        }
      }
    }
    #expect(reported == 0, sourceLocation: location)
    return equal
  }
}

/// A small generator of random numbers whose sequence depends on its seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
