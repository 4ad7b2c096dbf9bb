import Codec
import FoundationEssentials
import Model

/// The golden answers of `POST /v1/jobs/parse`, when an oracles tree is at hand.
struct GoldenJob: Sendable {
  var file: String
  var job: JSONValue
  var canonical: JSONValue

  static let folder = ProcessInfo.processInfo.environment["SERAI_ORACLES"].map { $0 + "/data/golden" }

  static func load() throws -> [GoldenJob] {
    guard let folder else { return [] }
    var result: [GoldenJob] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where name.hasSuffix(".jsonl") {
      let data = try Data(contentsOf: URL(filePath: folder + "/" + name))
      for line in data.split(separator: 0x0A) {
        let value = try JSON.decode(JSONValue.self, from: Array(line))
        guard let job = value["job"], let canonical = value["canonical"] else { continue }
        result.append(GoldenJob(file: value["file"]?.stringValue ?? "?", job: job, canonical: canonical))
      }
    }
    return result
  }
}

/// Where two JSON values differ; null and missing count as equal.
func differences(_ left: JSONValue, _ right: JSONValue, at path: String = "") -> [String] {
  switch (left, right) {
  case (.object(let left), .object(let right)):
    return Set(left.keys + right.keys).sorted().flatMap {
      differences(left[$0] ?? .null, right[$0] ?? .null, at: "\(path).\($0)")
    }
  case (.array(let left), .array(let right)):
    if left.count != right.count { return ["\(path): \(left.count) elements, \(right.count) elements"] }
    return zip(left, right).flatMap { differences($0, $1, at: path + "[]") }
  default:
    if left == right { return [] }
    if let left = left.doubleValue, let right = right.doubleValue, left == right { return [] }
    return ["\(path): \(JSON.text(left).prefix(120)), \(JSON.text(right).prefix(120))"]
  }
}
