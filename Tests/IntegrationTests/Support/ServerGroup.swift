import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Several servers of one cluster as real processes.
struct ServerGroup: Sendable {
  let servers: [Agent]

  /// Servers that find each other by gossip and make a cluster together; none has begun.
  init(_ scratch: Scratch, _ count: Int, settings: String = "", serverSettings: String = "") throws {
    var servers: [Agent] = []
    for number in 1...count {
      let addresses = servers.map { "\"127.0.0.1:\($0.serfPort)\"" }.joined(separator: ", ")
      servers.append(
        try Agent(
          scratch, .server, label: "s\(number)", settings: settings,
          serverSettings: """
            server_join {
              retry_join     = [\(addresses)]
              retry_interval = "200ms"
            }
            \(serverSettings)
            """, expect: count))
    }
    self.servers = servers
  }

  /// Starts all and waits until one leads and all know it.
  func start() async throws {
    for server in servers { try server.launch() }
    _ = try await leader()
    try await until("all servers are members") { try await servers[0].peers().count == servers.count }
  }

  /// The server that leads, by the word of a majority.
  func leader(among some: [Agent]? = nil, within seconds: Int64 = 60) async throws -> Agent {
    let asked = some ?? servers
    return try await eventually("a server leads", within: seconds, orSay: { logs }) {
      var votes: [String: Int] = [:]
      for server in asked {
        guard let answer = try? await server.request(.get, "/v1/status/leader", timeout: .seconds(2)),
          let address = try? answer.json.stringValue
        else { continue }
        votes[address, default: 0] += 1
      }
      guard let (address, count) = votes.max(by: { $0.value < $1.value }), count > servers.count / 2 else { return nil }
      return asked.first { address == "127.0.0.1:\($0.rpcPort)" }
    }
  }

  func others(than one: Agent) -> [Agent] { servers.filter { $0 !== one } }

  private var logs: String {
    servers.map { "\($0.label): " + $0.logText.split(separator: "\n").suffix(8).joined(separator: "\n") }.joined(
      separator: "\n\n")
  }
}

extension Agent {
  /// The members of the cluster, as this server knows them.
  func peers() async throws -> [JSONValue] {
    try await get("/v1/operator/raft/configuration?stale")["Servers"]?.arrayValue ?? []
  }

  /// Makes a namespace. Nil when the answer does not say whether it was made, or says that it was not.
  func makeNamespace(_ name: String, timeout: Duration = .seconds(10)) async -> Answer? {
    try? await request(.put, "/v1/namespace", body: "{\"Name\": \"\(name)\"}", timeout: timeout)
  }

  /// The names of all namespaces, of a state that nobody can have overtaken.
  func namespaces() async throws -> Set<String> {
    Set(try await get("/v1/namespaces?consistent").arrayValue?.compactMap { $0["Name"]?.stringValue } ?? [])
  }
}
