import Codec
import Glibc
import HCL
import Model
import Testing

@testable import Jobspec

/// Five hundred job files with the answers of the reference implementation, where the folder SERAI_ORACLES has them.
@Suite(.enabled(if: oracles() != nil, "SERAI_ORACLES names no folder with data/golden"))
struct GoldenTests {
  @Test(arguments: ["jobspec1-fixtures-1.8.0", "nomad-docs-1.10.5", "nomad-tools-jobs", "nomad-tree"])
  func everyJobFileGivesTheReferenceAnswer(set: String) throws {
    let folder = try #require(oracles()) + "/data"
    let lines = try readFile("\(folder)/golden/\(set).jsonl").split(separator: 0x0A)
    #expect(lines.count > 20)
    for line in lines {
      let golden = try JSON.decode(JSONValue.self, from: Array(line))
      let name = try #require(golden["file"]?.stringValue)
      let source = SourceFile(name: name, bytes: try readFile("\(folder)/fixtures/\(set)/\(name)"))
      check(source, golden)
    }
  }

  private func check(_ source: SourceFile, _ golden: JSONValue) {
    let parser = JobspecParser(host: FunctionHost(now: { 0 }, random: { [UInt8](repeating: 7, count: $0) }))
    do throws(JobspecError) {
      let job = try parser.parse(source)
      guard let expected = golden["job"] else {
        Issue.record("\(source.name): accepted, but: \(golden["err"] ?? .null)")
        return
      }
      compare(expected, job, "\(source.name) as parsed")
      var canonical = job
      canonical.canonicalize()
      compare(golden["canonical"] ?? .null, canonical, "\(source.name) canonical")
    } catch {
      #expect(golden["err"] != nil, "\(source.name): refused: \(error)")
    }
  }

  private func compare(_ expected: JSONValue, _ job: Job, _ what: String) {
    guard let actual = try? JSON.decode(JSONValue.self, from: JSON.encode(job)) else {
      Issue.record("\(what): the encoded job is no JSON")
      return
    }
    let differences = differences(expected, actual, "")
    #expect(differences.isEmpty, "\(what): \(differences.prefix(5).joined(separator: "; "))")
  }

  /// Members that are null count as missing; random UUIDs count as equal.
  private func differences(_ expected: JSONValue, _ actual: JSONValue, _ path: String) -> [String] {
    switch (expected, actual) {
    case (.object(let left), .object(let right)):
      let keys = Set(left.keys).union(right.keys).sorted()
      return keys.flatMap { differences(left[$0] ?? .null, right[$0] ?? .null, "\(path).\($0)") }
    case (.array(let left), .array(let right)) where left.count == right.count:
      return zip(left, right).enumerated().flatMap { differences($0.element.0, $0.element.1, "\(path)[\($0.offset)]") }
    case (.string(let left), .string(let right))
    where left.utf8.count == right.utf8.count && maskingUUIDs(left) == maskingUUIDs(right):
      return []
    default:
      if let left = expected.doubleValue, let right = actual.doubleValue, left == right { return [] }
      return expected == actual ? [] : ["\(path): \(JSON.text(expected)) is \(JSON.text(actual))"]
    }
  }

  /// Version 4 UUIDs replaced by zeros.
  private func maskingUUIDs(_ text: String) -> String {
    var bytes = Array(text.utf8)
    var start = 0
    while start + 36 <= bytes.count {
      let part = bytes[start..<start + 36]
      if Identifier(String(decoding: part, as: UTF8.self)) != nil, part[start + 14] == UInt8(ascii: "4") {
        for place in start..<start + 36 { bytes[place] = UInt8(ascii: "0") }
        start += 36
      } else {
        start += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The folder of reference data, nil when this machine has none.
func oracles() -> String? {
  guard let value = getenv("SERAI_ORACLES").map({ String(cString: $0) }), access(value + "/data/golden", R_OK) == 0
  else {
    return nil
  }
  return value
}

struct UnreadableFile: Error { let path: String }

func readFile(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "r") else { throw UnreadableFile(path: path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
}
