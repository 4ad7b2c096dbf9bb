import Codec
import Glibc
import Isolation
import Linux
import Log
import Model
import Storage
import Supervisor
import Synchronization
import Testing
import Transport

@testable import Client

let isRoot = geteuid() == 0
let needsRoot: Comment = "starts tasks under a supervisor: needs root"

/// Servers as a client sees them: takes registrations and updates, pushes allocations.
final class FakeServer: Sendable {
  private struct State {
    var secrets: [Identifier: Identifier] = [:]
    var nodes: [Identifier: Node] = [:]
    var allocations: [Identifier: Allocation] = [:]
    var updates: [Identifier: [AllocationClientUpdate]] = [:]
    var streams: [Int: AsyncStream<NodeAllocationsMessage>.Continuation] = [:]
    var nextStream = 0
    var registrations = 0
    var forgetsNodes = false
  }

  private let state = Mutex(State())
  private let endpoint = Mutex<RPCEndpoint?>(nil)
  let port: UInt16

  init(port wanted: UInt16 = 0) throws {
    let box = Box()
    let made = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .server, region: "global", name: "fake")),
      handler: { request in try box.value.withLock { $0 }?.answer(request) ?? [] },
      streamHandler: { request, stream in try await box.value.withLock { $0 }?.stream(request, stream) })
    port = try made.listen(address: "127.0.0.1", port: wanted)
    endpoint.withLock { $0 = made }
    box.value.withLock { $0 = self }
  }

  private final class Box: Sendable { let value = Mutex<FakeServer?>(nil) }

  var address: String { "127.0.0.1:\(port)" }

  func close() async {
    let streams = state.withLock { $0.streams }
    for stream in streams.values { stream.finish() }
    await endpoint.withLock { $0 }?.close()
  }

  private func answer(_ request: RPCRequest) throws -> [UInt8] {
    switch request.method {
    case ClientRPC.register:
      let register = try Binary.decode(NodeRegisterRequest.self, from: request.body)
      try state.withLock { state in
        if let known = state.secrets[register.node.id], known != register.secretID {
          throw RPCError(.permissionDenied, "node \(register.node.id) is registered with another secret")
        }
        state.secrets[register.node.id] = register.secretID
        state.nodes[register.node.id] = register.node
        state.registrations += 1
        state.forgetsNodes = false
      }
      return heartbeat
    case ClientRPC.updateStatus:
      if state.withLock({ $0.forgetsNodes }) { throw RPCError(.notFound, "unknown node") }
      return heartbeat
    case ClientRPC.updateAllocations:
      let update = try Binary.decode(NodeUpdateAllocationsRequest.self, from: request.body)
      state.withLock { state in
        for one in update.updates {
          state.updates[one.id, default: []].append(one)
          state.allocations[one.id]?.clientStatus = one.clientStatus
          state.allocations[one.id]?.taskStates = one.taskStates
        }
      }
      return Binary.encode(NodeUpdateAllocationsResponse())
    default: throw RPCError(.unimplemented, request.method)
    }
  }

  private var heartbeat: [UInt8] {
    var answer = NodeHeartbeatResponse()
    answer.heartbeatTTL = .seconds(1)
    return Binary.encode(answer)
  }

  private func stream(_ request: RPCRequest, _ stream: RPCStream) async throws {
    let (messages, continuation) = AsyncStream<NodeAllocationsMessage>.makeStream()
    var first = NodeAllocationsMessage()
    first.isComplete = true
    let (number, all) = state.withLock { state in
      state.nextStream += 1
      state.streams[state.nextStream] = continuation
      return (state.nextStream, Array(state.allocations.values))
    }
    first.allocations = all
    defer { state.withLock { $0.streams[number] = nil } }
    try await stream.write(ClientRPC.frame(first))
    for await message in messages { try await stream.write(ClientRPC.frame(message)) }
  }

  // MARK: - What tests do

  func forgetNodes() { state.withLock { $0.forgetsNodes = true } }
  var registrations: Int { state.withLock { $0.registrations } }
  var node: Node? { state.withLock { $0.nodes.values.first } }

  func put(_ allocation: Allocation) {
    state.withLock { state in
      var newer = allocation
      if let older = state.allocations[allocation.id] {
        newer.clientStatus = older.clientStatus
        newer.taskStates = older.taskStates
      }
      state.allocations[allocation.id] = newer
      var message = NodeAllocationsMessage()
      message.allocations = [newer]
      for stream in state.streams.values { stream.yield(message) }
    }
  }

  func stop(_ id: Identifier) {
    guard var allocation = state.withLock({ $0.allocations[id] }) else { return }
    allocation.desiredStatus = .stop
    put(allocation)
  }

  func remove(_ id: Identifier) {
    state.withLock { state in
      state.allocations[id] = nil
      var message = NodeAllocationsMessage()
      message.removed = [id]
      for stream in state.streams.values { stream.yield(message) }
    }
  }

  func updates(_ id: Identifier) -> [AllocationClientUpdate] { state.withLock { $0.updates[id] ?? [] } }

  /// The first update that fulfils the condition, waiting at most `seconds`.
  func update(
    of id: Identifier, within seconds: Int = 20, _ what: String, where condition: (AllocationClientUpdate) -> Bool
  ) async throws -> AllocationClientUpdate {
    var found: AllocationClientUpdate?
    try await eventually(what, within: seconds) {
      found = updates(id).last(where: condition)
      return found != nil
    } orSay: {
      updates(id).last.map { "last: \($0.clientStatus) \($0.taskStates.mapValues { $0.events.map(\.displayMessage) })" }
        ?? "no update"
    }
    return try #require(found)
  }
}

/// Polls until the condition holds; records an issue and throws when it does not in time.
func eventually(
  _ what: String, within seconds: Int = 20, _ condition: () async throws -> Bool, orSay: () -> String = { "" }
) async throws {
  let deadline = Clock.monotonicNanoseconds + Int64(seconds) * 1_000_000_000
  while Clock.monotonicNanoseconds < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw TestTimeout(description: "not within \(seconds) s: \(what); \(orSay())")
}

struct TestTimeout: Error, CustomStringConvertible { var description: String }

/// A client with a data directory, a supervisor and a cgroup that exist for one test only.
final class ClientFixture: Sendable {
  let name: String
  let base: String
  let server: FakeServer
  private let running = Mutex<(client: Client, endpoint: RPCEndpoint, store: ClientStore)?>(nil)

  init(server: FakeServer? = nil) throws {
    name = "serai-ct-" + (try Randomness.bytes(4).map { String($0, radix: 16) }.joined())
    base = "/var/tmp/\(name)"
    self.server = try server ?? FakeServer()
    try Files.makeDirectories(base + "/client", permissions: 0o700)
    _ = chmod(base, 0o711)
    try Files.makeDirectories(base + "/alloc", permissions: 0o711)
  }

  var configuration: ClientConfiguration {
    get throws {
      var configuration = ClientConfiguration(
        stateDirectory: base + "/client", allocationDirectory: base + "/alloc")
      configuration.servers = [server.address]
      configuration.nodeName = name
      configuration.nodeClass = "test"
      configuration.plugins = ["raw_exec": ["enabled": true]]
      configuration.supervisorPath = try Self.supervisorPath()
      configuration.supervisorDirectory = "/run/\(name)"
      configuration.supervisorCgroup = name
      configuration.version = "0.1.0"
      return configuration
    }
  }

  private static func supervisorPath() throws -> String {
    var directory = Files.parent(of: try FileDescriptor.open("/proc/self", [.directory]).readSymbolicLink("exe"))
    // `swift test` runs a helper of the toolchain; the bundle it loads is in its arguments.
    for argument in CommandLine.arguments where argument.contains(".build/") {
      let bundle = argument.split(separator: "=").last.map(String.init) ?? argument
      directory = Files.parent(of: bundle)
      if Files.exists(directory + "/serai-supervisor") { break }
    }
    let path = directory + "/serai-supervisor"
    try #require(Files.exists(path), "no serai-supervisor beside the tests in \(directory)")
    return path
  }

  /// A client on the data directory; what an earlier one left is there.
  func start() async throws -> Client {
    let endpoint = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .client, region: "global", name: name)),
      handler: { request in throw RPCError(.unimplemented, request.method) })
    let store = try ClientStore(owning: try ClientDatabase(opening: base + "/client/state.db"))
    let client = Client(configuration: try configuration, endpoint: endpoint, store: store, log: .silent)
    running.withLock { $0 = (client, endpoint, store) }
    try await client.start()
    return client
  }

  /// Ends the client and leaves its tasks alone.
  func leave() async {
    guard let (client, endpoint, store) = running.withLock({ $0.take() }) else { return }
    await client.stop()
    await endpoint.close()
    await store.close()
  }

  /// Ends everything and removes every trace, whatever the test did.
  func cleanUp(closingServer: Bool = true) async {
    if running.withLock({ $0 == nil }) { _ = try? await start() }
    if let (client, endpoint, store) = running.withLock({ $0.take() }) {
      await client.stop(endingTasks: true)
      await endpoint.close()
      await store.close()
    }
    if closingServer { await server.close() }
    try? Files.removeTree(base)
    try? Files.removeTree("/run/\(name)")
    await removeCgroups()
  }

  /// The supervisor leaves its own group a moment after it has answered.
  private func removeCgroups() async {
    let cgroups = (try? CgroupLayout.ofThisHost())?.driver
    let deadline = Clock.monotonicNanoseconds + 5_000_000_000
    while Clock.monotonicNanoseconds < deadline {
      do {
        for part in ["task", "supervisor"] { try cgroups?.remove("\(name)/\(part)") }
        try cgroups?.remove(name)
        return
      } catch {
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  /// The process that runs this test's supervisor; nil while there is none.
  var supervisorProcess: Int32? {
    for name in HostFiles.names(in: "/proc") {
      guard let pid = Int32(name), let command = HostFiles.text("/proc/\(name)/cmdline"),
        command.hasPrefix("serai-supervisor\0"), command.contains("/run/\(self.name)\0")
      else { continue }
      // A killed one that nobody has reaped yet has no command line any more, so this one lives.
      return pid
    }
    return nil
  }

  func logText(_ allocation: Allocation, _ task: String, _ kind: String = "stdout", _ number: Int = 0) -> String {
    (try? Files.readText("\(base)/alloc/\(allocation.id)/alloc/logs/\(task).\(kind).\(number)")) ?? ""
  }
}

/// An allocation of a job with one group.
func makeAllocation(
  type: JobType = "service", tasks: [JobTask], change: (inout Job, inout Allocation) -> Void = { _, _ in }
) -> Allocation {
  var generator = SystemRandomNumberGenerator()
  var group = TaskGroup()
  group.name = "group"
  group.count = 1
  group.tasks = tasks
  var job = Job()
  job.id = "job"
  job.name = "job"
  job.type = type
  job.taskGroups = [group]
  var allocation = Allocation()
  allocation.id = Identifier(using: &generator)
  allocation.namespace = "default"
  allocation.name = "job.group[0]"
  allocation.jobID = job.id
  allocation.taskGroup = group.name
  change(&job, &allocation)
  allocation.job = job
  return allocation
}

func makeTask(_ name: String = "main", driver: String = "exec", script: String) -> JobTask {
  var task = JobTask()
  task.name = name
  task.driver = driver
  task.config = ["command": "/bin/sh", "args": ["-c", .string(script)]]
  var resources = Resources()
  resources.cpu = 100
  resources.memoryMB = 64
  task.resources = resources
  var policy = RestartPolicy()
  policy.attempts = 0
  policy.interval = .minutes(10)
  policy.delay = .milliseconds(20)
  policy.mode = "fail"
  task.restartPolicy = policy
  return task
}
