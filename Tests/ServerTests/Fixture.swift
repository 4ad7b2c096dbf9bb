import Codec
import Glibc
import Linux
import Log
import Model
import State
import Synchronization
import Testing
import Transport

@testable import Server

/// A clock that tests move: nothing here waits for real time to pass.
final class TestClock: Sendable {
  private let time = Mutex<(wall: Int64, monotonic: Int64)>((1_700_000_000_000_000_000, 0))

  var now: Timestamp { Timestamp(nanoseconds: time.withLock { $0.wall }) }
  var monotonic: Int64 { time.withLock { $0.monotonic } }

  func advance(_ by: Nanoseconds) { time.withLock { $0 = ($0.wall + by.count, $0.monotonic + by.count) } }

  /// Somebody sets the wall clock: no time passes.
  func jump(_ by: Nanoseconds) { time.withLock { $0.wall += by.count } }
}

/// A server on a directory of its own, listening on a free port of the loopback.
final class TestServer: Sendable {
  let path: String
  let clock: TestClock
  let server: Server
  let endpoint: RPCEndpoint
  let address: String

  /// - Parameters:
  ///   - path: a directory that an earlier server of the test left; nil for a fresh one.
  ///   - configure: changes to the documented defaults.
  init(
    at path: String? = nil, clock: TestClock = TestClock(), _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) async throws {
    let directory = try path ?? makeTemporaryDirectory()
    try Files.makeDirectories(directory + "/snapshots", permissions: 0o700)
    var configuration = ServerConfiguration()
    configuration.logPath = directory + "/raft.db"
    configuration.snapshotsPath = directory + "/snapshots"
    configure(&configuration)
    let opened = try await Server.open(configuration, logger: .silent, clock: { clock.now }, monotonic: { clock.monotonic })
    let made = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .server, region: "global", name: "test")),
      handler: { request in
        guard let answer = try await opened.handle(request) else { throw RPCError(.unimplemented, request.method) }
        return answer
      },
      streamHandler: { request, stream in
        guard try await opened.handle(request, stream) else { throw RPCError(.unimplemented, request.method) }
      })
    address = "127.0.0.1:\(try made.listen(address: "127.0.0.1", port: 0))"
    self.path = directory
    self.clock = clock
    server = opened
    endpoint = made
  }

  var reader: StateReader { server.reader }

  /// Lets time pass for the server: what is due by then is done and durable when this returns.
  func pass(_ time: Nanoseconds) async throws {
    clock.advance(time)
    try await settle()
  }

  /// Returns when everything that the server does of its own accord is done.
  func settle() async throws {
    while true {
      let before = try await server.core.propose(.noOperation).index
      if try await server.core.propose(.noOperation).index == before + 1 { return }
    }
  }

  /// Ends the server, keeping its directory.
  func stop() async {
    await server.stop()
    await endpoint.close()
  }

  /// Ends the server and removes its directory.
  func remove() async throws {
    await stop()
    try Files.removeTree(path)
  }

  /// Registers a job, and waits until its evaluation is done.
  @discardableResult
  func run(_ job: Job) async throws -> Evaluation {
    var request = JobRegisterRequest()
    request.job = job
    let response = try await server.register(request, namespace: "default")
    try await settle()
    return try #require(reader.evaluation(response.evalID)?.value)
  }

  func allocations(_ job: String) -> [StoredAllocation] {
    reader.allocations(ofJob: JobKey("default", job)).map(\.value).sorted { $0.createIndex < $1.createIndex }
  }

  func running(_ job: String) -> [StoredAllocation] { allocations(job).filter { !$0.isTerminal } }

  func evaluations(_ job: String) -> [Evaluation] {
    reader.evaluations(ofJob: JobKey("default", job)).map(\.value).sorted { $0.createIndex < $1.createIndex }
  }

  func deployment(_ job: String) -> Deployment? { reader.latestDeployment(ofJob: JobKey("default", job))?.value }
}

/// A client agent as the server sees it: calls over a connection of its own, and says what it is told to say.
final class FakeNode: Sendable {
  let node: Node
  let secret: Identifier
  private let endpoint: RPCEndpoint
  let connection: RPCConnection

  /// Connects and registers.
  init(_ server: TestServer, _ name: String, _ change: (inout Node) -> Void = { _ in }) async throws {
    var generator = SystemRandomNumberGenerator()
    var node = Node()
    node.id = Identifier(using: &generator)
    node.name = name
    node.datacenter = "dc1"
    node.nodePool = "default"
    node.attributes = ["kernel.name": "linux", "driver.exec": "1", "unique.hostname": name]
    var driver = DriverInfo()
    driver.detected = true
    driver.healthy = true
    node.drivers = ["exec": driver]
    var resources = NodeResources()
    resources.cpu.cpuShares = 1000
    resources.memory.memoryMB = 1024
    resources.disk.diskMB = 10_000
    resources.minDynamicPort = 20_000
    resources.maxDynamicPort = 32_000
    node.nodeResources = resources
    change(&node)
    self.node = node
    secret = Identifier(using: &generator)
    endpoint = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .client, region: "global", name: name)),
      handler: { request in throw RPCError(.unimplemented, request.method) })
    connection = try await endpoint.connect(to: server.address)
    _ = try await register()
  }

  var id: Identifier { node.id }

  @discardableResult
  func call<Request: Record, Response: Record>(_ method: String, _ request: Request, _: Response.Type) async throws -> Response {
    let bytes = try await connection.call(method: method, body: Binary.encode(request), timeout: .seconds(10))
    return try Binary.decode(Response.self, from: bytes)
  }

  @discardableResult
  func register(secret other: Identifier? = nil) async throws -> NodeHeartbeatResponse {
    try await call(
      ClientRPC.register, NodeRegisterRequest(node: node, secretID: other ?? secret), NodeHeartbeatResponse.self)
  }

  @discardableResult
  func beat(_ status: NodeStatus = .ready, secret other: Identifier? = nil) async throws -> NodeHeartbeatResponse {
    try await call(
      ClientRPC.updateStatus, NodeUpdateStatusRequest(nodeID: id, secretID: other ?? secret, status: status),
      NodeHeartbeatResponse.self)
  }

  /// Reports one status for allocations.
  func report(_ ids: [Identifier], _ status: AllocationClientStatus, healthy: Bool? = nil, on server: TestServer) async throws {
    let updates = ids.map { id in
      var update = AllocationClientUpdate()
      update.id = id
      update.clientStatus = status
      if let healthy {
        var health = AllocDeploymentStatus()
        health.healthy = healthy
        health.timestamp = server.clock.now
        update.deploymentStatus = health
        update.deploymentID = server.reader.allocation(id)?.value.deploymentID ?? .none
      }
      if status == .failed || status == .complete {
        var task = TaskState()
        task.state = .dead
        task.failed = status == .failed
        task.finishedAt = server.clock.now
        update.taskStates = ["main": task]
      }
      return update
    }
    try await call(
      ClientRPC.updateAllocations, NodeUpdateAllocationsRequest(nodeID: id, secretID: secret, updates: updates),
      NodeUpdateAllocationsResponse.self)
    try await server.settle()
  }

  /// Reports everything that should run on this node as running, with health where a deployment waits for it.
  func runAll(_ server: TestServer, healthy: Bool? = nil) async throws {
    let mine = server.reader.allocations(onNode: id).map(\.value)
    let stopping = mine.filter { $0.isServerTerminal && !$0.isClientTerminal }.map(\.id)
    if !stopping.isEmpty { try await report(stopping, .complete, on: server) }
    let starting = mine.filter { !$0.isTerminal }.map(\.id)
    if !starting.isEmpty { try await report(starting, .running, healthy: healthy, on: server) }
  }

  func close() async { await endpoint.close() }
}

/// A service job with one group.
func makeJob(_ id: String, count: Int = 1, cpu: Int = 100, _ change: (inout Job) -> Void = { _ in }) -> Job {
  var task = JobTask()
  task.name = "main"
  task.driver = "exec"
  task.config = ["command": "/bin/true"]
  var resources = Resources()
  resources.cpu = cpu
  resources.memoryMB = 32
  task.resources = resources
  var group = TaskGroup()
  group.name = "web"
  group.count = count
  group.tasks = [task]
  var job = Job()
  job.id = id
  job.name = id
  job.type = .service
  job.datacenters = ["dc1"]
  job.taskGroups = [group]
  change(&job)
  return job
}

func makeTemporaryDirectory() throws -> String {
  var template = Array("/tmp/serai-server-XXXXXX".utf8CString)
  guard let made = mkdtemp(&template) else { throw TestFailure(description: "mkdtemp: \(errno)") }
  return String(cString: made)
}

struct TestFailure: Error, CustomStringConvertible { let description: String }

/// Polls until the condition holds; throws after twenty seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(20)
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw TestFailure(description: "not within 20 s: \(what)")
}
