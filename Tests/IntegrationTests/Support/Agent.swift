import Codec
import Glibc
import HTTP
import Linux
import Model
import Synchronization
import Testing

/// A `serai agent` process: started, killed and started again on the same data directory and ports.
final class Agent: Sendable {
  let scratch: Scratch
  let label: String
  let httpPort: UInt16
  let rpcPort: UInt16
  let serfPort: UInt16
  let dataFolder: String
  /// The control group of the agent's tasks; the test's own unless it has several agents with clients.
  let cgroup: String
  private let arguments: [String]
  private let process = Mutex<Int32?>(nil)

  var address: String { "http://127.0.0.1:\(httpPort)" }
  var logPath: String { "\(scratch.folder)/\(label).log" }
  var logText: String { HostProcess.text(logPath) }

  enum Role { case development, server, client(server: UInt16), clientOf([UInt16]), both }

  /// An agent that has not begun.
  /// - Parameter settings: more of the configuration file, in HCL.
  init(
    _ scratch: Scratch, _ role: Role, label: String = "agent", settings: String = "", clientSettings: String = "",
    serverSettings: String = "",
    dataFolder: String? = nil, ports: (http: UInt16, rpc: UInt16)? = nil, ownCgroup: Bool = false,
    namesCgroup: Bool = true, expect: Int = 1
  ) throws {
    self.scratch = scratch
    self.label = label
    httpPort = try ports?.http ?? FreePorts.next()
    rpcPort = try ports?.rpc ?? FreePorts.next()
    serfPort = try FreePorts.next()
    self.dataFolder = dataFolder ?? "\(scratch.folder)/\(label)"
    let cgroup = ownCgroup ? "\(scratch.name)-\(label)" : scratch.name
    self.cgroup = cgroup
    if ownCgroup { scratch.atEnd { try await AgentCgroups(name: cgroup).remove() } }
    var (server, client, servers) = (true, true, "")
    switch role {
    case .development, .both: break
    case .server: client = false
    case .client(let port): (server, servers) = (false, "servers = [\"127.0.0.1:\(port)\"]")
    case .clientOf(let ports):
      let list = ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
      (server, servers) = (false, "servers = [\(list)]")
    }
    let path = try scratch.write(
      "\(label).hcl",
      """
      name      = "\(label)"
      bind_addr = "127.0.0.1"
      data_dir  = "\(self.dataFolder)"
      log_level = "DEBUG"
      ports {
        http = \(httpPort)
        rpc  = \(rpcPort)
        serf = \(serfPort)
      }
      server {
        enabled          = \(server)
        bootstrap_expect = \(expect)
        \(serverSettings)
      }
      client {
        enabled       = \(client)
        \(namesCgroup ? "cgroup_parent = \"\(cgroup)\"" : "")
        \(servers)
        \(clientSettings)
      }
      \(settings)

      """)
    if case .development = role {
      arguments = ["agent", "-dev", "-config", path]
    } else {
      arguments = ["agent", "-config", path]
    }
  }

  /// A development agent that answers.
  static func development(_ scratch: Scratch, clientSettings: String = "") async throws -> Agent {
    let agent = try Agent(scratch, .development, clientSettings: clientSettings)
    try await agent.start()
    return agent
  }

  // MARK: - Life

  /// Starts the process and waits until the agent is healthy.
  func start() async throws {
    try launch()
    try await waitUntilHealthy()
  }

  /// Starts the process.
  func launch() throws {
    let log = try FileDescriptor.open(logPath, [.writeOnly, .create, .append], permissions: 0o644)
    let program = try Programs.path("serai")
    var request = SpawnRequest(path: program, arguments: [program] + arguments, environment: Scratch.environment())
    request.streams = [nil, log.number, log.number]
    request.newSession = true
    let pid = try request.start()
    process.withLock { $0 = pid }
    scratch.atEnd { [self] in
      if process.withLock({ $0 == pid }) { try await kill() }
    }
  }

  var pid: Int32 { get throws { try #require(process.withLock { $0 }, "the agent \(label) does not run") } }

  func waitUntilHealthy() async throws {
    try await until("the agent \(label) is healthy", orSay: { self.logTail }) {
      if try hasEnded() != nil { throw Failure("the agent \(label) has ended:\n\(logTail)") }
      guard let answer = try? await request(.get, "/v1/agent/health") else { return false }
      return answer.status == .ok
    }
  }

  private var logTail: String { logText.split(separator: "\n").suffix(15).joined(separator: "\n") }

  /// The process' status once it has ended; it is reaped.
  private func hasEnded() throws -> WaitStatus? {
    guard let pid = process.withLock({ $0 }) else { return nil }
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    process.withLock { $0 = nil }
    return WaitStatus(rawValue: status)
  }

  /// Stops the process without ending it, or lets it go on.
  func signal(_ number: Int32) throws { Glibc.kill(try pid, number) }

  /// SIGKILL; returns when the process is gone.
  func kill() async throws {
    Glibc.kill(try pid, SIGKILL)
    _ = try await waitForEnd()
  }

  /// SIGTERM; returns the status with which the agent ended in order.
  @discardableResult
  func terminate() async throws -> WaitStatus {
    Glibc.kill(try pid, SIGTERM)
    return try await waitForEnd()
  }

  func waitForEnd() async throws -> WaitStatus {
    try await eventually("the agent \(label) ends", orSay: { self.logTail }) { try hasEnded() }
  }

  /// The supervisor of this agent's tasks, nil while none runs.
  var supervisor: HostProcess? {
    HostProcess.mentioning("\(dataFolder)/client/supervisor").first {
      $0.arguments.first?.contains("serai-supervisor") == true
    }
  }

  // MARK: - The API

  /// One request; the whole answer.
  func request(
    _ method: HTTPMethod, _ path: String, body: String? = nil, headers: HTTPHeaders = [:],
    timeout: Duration = .seconds(60)
  ) async throws -> Answer {
    let response = try await scratch.http.request(
      HTTPClientRequest(
        method: method, url: address + path, headers: headers, body: body.map { Array($0.utf8) }, timeout: timeout))
    return Answer(status: response.status, headers: response.headers, bytes: try await response.bytes())
  }

  struct Answer: Sendable, CustomStringConvertible {
    var status: HTTPStatus
    var headers: HTTPHeaders
    var bytes: [UInt8]
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: JSONValue { get throws { try JSON.decode(JSONValue.self, from: bytes) } }
    var index: UInt64? { headers["X-Nomad-Index"].flatMap { UInt64($0) } }
    var description: String { "\(status.rawValue) \(text)" }
  }

  /// The JSON at a path that must be there.
  func get(_ path: String) async throws -> JSONValue {
    let answer = try await request(.get, path)
    try #require(answer.status == .ok, "GET \(path): \(answer)")
    return try answer.json
  }

  // MARK: - The command line

  /// Runs `serai` against this agent.
  func serai(_ arguments: String..., in folder: String? = nil) async throws -> Outcome {
    try await scratch.run(try Programs.path("serai"), arguments, environment: ["NOMAD_ADDR": address], in: folder)
  }

  /// Runs `serai`, which must succeed, and returns what it prints.
  @discardableResult
  func succeeds(_ arguments: String..., in folder: String? = nil) async throws -> String {
    let outcome = try await scratch.run(
      try Programs.path("serai"), arguments, environment: ["NOMAD_ADDR": address], in: folder)
    try #require(outcome.code == 0, "serai \(arguments.joined(separator: " ")): \(outcome)")
    return outcome.output
  }
}
