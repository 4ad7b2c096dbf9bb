import Codec
import Glibc
import HTTP
import Linux
import Log
import Model
import Server
import State
import Testing
import Transport

@testable import API

/// What a test's agent says of itself.
struct TestInformation: AgentInformation {
  var name = "test.global"
  var region = "global"
  var datacenter = "dc1"
  var version = "0.0.0"
  var configuration = JSONValue.null
  var members: [AgentMember] = {
    var member = AgentMember()
    member.name = "test.global"
    return [member]
  }()
  var leader = "127.0.0.1:4647"
  var peers = ["127.0.0.1:4647"]
  var isDebugging = false
}

/// The API of an agent that is a server only, on a directory of its own.
final class TestAPI: Sendable {
  let path: String
  let server: Server
  let api: API

  init() async throws {
    var template = Array("/tmp/serai-api-XXXXXX".utf8CString)
    _ = try #require(mkdtemp(&template))
    path = String(cString: template)
    try Files.makeDirectories(path + "/snapshots", permissions: 0o700)
    var configuration = ServerConfiguration()
    configuration.logPath = path + "/raft.db"
    configuration.snapshotsPath = path + "/snapshots"
    server = try await Server.open(
      configuration, logger: .silent, clock: { Timestamp(nanoseconds: Clock.realtimeNanoseconds) })
    api = API(context: APIContext(server: server, client: nil, agent: TestInformation(), logger: .silent))
  }

  func remove() async throws {
    await server.stop()
    try Files.removeTree(path)
  }

  func ask(_ method: HTTPMethod, _ target: String, _ body: String = "", headers: HTTPHeaders = [:]) async throws -> Answer {
    let request = HTTPRequest(method: method, target: try HTTPTarget(parsing: target), headers: headers, body: Array(body.utf8))
    return try await Answer(api.respond(to: request))
  }

  func get(_ target: String) async throws -> Answer { try await ask(.get, target) }

  /// Registers a job of one group that asks for what no node has.
  @discardableResult
  func register(_ id: String, namespace: String = "default") async throws -> Answer {
    try await ask(.put, "/v1/jobs?namespace=\(namespace)", job(id))
  }
}

/// A registration's body.
func job(_ id: String) -> String {
  """
  {"Job": {"ID": "\(id)", "Name": "\(id)", "Type": "service", "Datacenters": ["dc1"], "TaskGroups": [
    {"Name": "g", "Tasks": [{"Name": "main", "Driver": "exec", "Config": {"command": "/bin/true"}}]}]}}
  """
}

/// A whole answer.
struct Answer {
  let status: Int
  let headers: HTTPHeaders
  let bytes: [UInt8]

  init(_ response: HTTPResponse) async throws {
    status = response.status.rawValue
    headers = response.headers
    switch response.body {
    case .bytes(let all): bytes = all
    case .stream(let produce):
      let collected = Collected()
      try await produce(HTTPBodyWriter(forwardingTo: { await collected.add($0) }))
      bytes = await collected.bytes
    default: throw TestFailure(description: "an answer of this kind is not expected here")
    }
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var json: JSONValue { get throws { try JSON.decode(JSONValue.self, from: bytes) } }
  /// One member of each element of a list.
  func members(_ name: String) throws -> [String] { try json.arrayValue?.compactMap { $0[name]?.stringValue } ?? [] }
}

private actor Collected {
  var bytes: [UInt8] = []
  func add(_ more: [UInt8]) { bytes += more }
}

struct TestFailure: Error, CustomStringConvertible { let description: String }
