import Codec
import Glibc
import Linux
import Model
import Synchronization
import Transport

/// Clients that are played: each has a connection of its own, registers a node, keeps it alive, and says of every
/// allocation that it is to run that it runs.
final class PlayedClients: Sendable {
  private struct Contents {
    var silent: Set<Identifier> = []
    var lastBeat: [Identifier: Int64] = [:]
    var running = 0
    var failures: [String] = []
  }

  let nodes: [Node]
  private let endpoint: RPCEndpoint
  private let address: String
  private let contents = Mutex(Contents())
  private let tasks = Mutex<[Task<Void, Never>]>([])

  init(_ count: Int, server: String, cpu: Int64, memoryMB: Int64) throws {
    address = server
    endpoint = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .client, region: "global", name: "played")),
      handler: { request in throw RPCError(.unimplemented, "a played client does not answer \(request.method)") })
    nodes = (0..<count).map { Self.node($0, cpu: cpu, memoryMB: memoryMB) }
  }

  private static func node(_ number: Int, cpu: Int64, memoryMB: Int64) -> Node {
    var random = SystemRandomNumberGenerator()
    var node = Node()
    node.id = Identifier(using: &random)
    node.secretID = Identifier(using: &random)
    node.name = "node-\(number)"
    node.datacenter = "dc1"
    node.nodePool = "default"
    node.status = .ready
    node.attributes = [
      "kernel.name": "linux", "cpu.arch": "amd64", "driver.exec": "1", "unique.hostname": "node-\(number)",
    ]
    var driver = DriverInfo()
    (driver.detected, driver.healthy) = (true, true)
    node.drivers = ["exec": driver]
    var resources = NodeResources()
    resources.cpu.cpuShares = cpu
    resources.memory.memoryMB = memoryMB
    resources.disk.diskMB = 10_000_000
    var network = NodeNetworkResource()
    network.mode = "host"
    var address = NodeNetworkAddress()
    address.alias = "default"
    address.address = "10.\(number / 62_500).\(number / 250 % 250).\(number % 250)"
    network.addresses = [address]
    resources.nodeNetworks = [network]
    node.nodeResources = resources
    return node
  }

  /// Registers all nodes, at most 64 at once, and lets them live.
  func start(watching: Bool) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, node) in nodes.enumerated() {
        if number >= 64 { try await group.next() }
        group.addTask { try await self.begin(node, watching: watching) }
      }
      try await group.waitForAll()
    }
  }

  private func begin(_ node: Node, watching: Bool) async throws {
    let connection = try await endpoint.connect(to: address, timeout: .seconds(60))
    let answer = try await connection.call(
      method: ClientRPC.register, body: Binary.encode(NodeRegisterRequest(node: node, secretID: node.secretID)),
      timeout: .seconds(60))
    let first = try Binary.decode(NodeHeartbeatResponse.self, from: answer)
    contents.withLock { $0.lastBeat[node.id] = Clock.monotonicNanoseconds }
    let beats = Task { await self.beat(node, connection, first.heartbeatTTL) }
    tasks.withLock { $0.append(beats) }
    if watching {
      let watch = Task { await self.watch(node, connection) }
      tasks.withLock { $0.append(watch) }
    }
  }

  private func beat(_ node: Node, _ connection: RPCConnection, _ first: Nanoseconds) async {
    let body = Binary.encode(NodeUpdateStatusRequest(nodeID: node.id, secretID: node.secretID))
    // Those that registered together do not beat together.
    var wait = Double(first.count) * Double.random(in: 0..<0.5)
    do {
      while true {
        try await Task.sleep(nanoseconds: UInt64(wait))
        if contents.withLock({ $0.silent.contains(node.id) }) { return }
        let bytes = try await connection.call(method: ClientRPC.updateStatus, body: body, timeout: .seconds(30))
        contents.withLock { $0.lastBeat[node.id] = Clock.monotonicNanoseconds }
        // As the client does it.
        let next = try Binary.decode(NodeHeartbeatResponse.self, from: bytes).heartbeatTTL
        wait = Double(next.count) * Double.random(in: 0.5..<0.67)
      }
    } catch { note(error) }
  }

  private func watch(_ node: Node, _ connection: RPCConnection) async {
    do {
      let request = NodeWatchAllocationsRequest(nodeID: node.id, secretID: node.secretID)
      let stream = try await connection.openStream(method: ClientRPC.watchAllocations, body: Binary.encode(request))
      var frames = ClientRPC.FrameReader()
      while let bytes = try await stream.read() {
        frames.append(bytes)
        while let message = try frames.next(NodeAllocationsMessage.self) { try await run(message, node, connection) }
      }
    } catch { note(error) }
  }

  private func run(_ message: NodeAllocationsMessage, _ node: Node, _ connection: RPCConnection) async throws {
    var request = NodeUpdateAllocationsRequest()
    (request.nodeID, request.secretID) = (node.id, node.secretID)
    for allocation in message.allocations where allocation.clientStatus == .pending && allocation.desiredStatus == .run
    {
      var update = AllocationClientUpdate()
      update.id = allocation.id
      update.clientStatus = .running
      var state = TaskState()
      state.state = .running
      update.taskStates = ["main": state]
      request.updates.append(update)
    }
    guard !request.updates.isEmpty else { return }
    _ = try await connection.call(
      method: ClientRPC.updateAllocations, body: Binary.encode(request), timeout: .seconds(300))
    contents.withLock { $0.running += request.updates.count }
  }

  private func note(_ error: any Error) {
    if error is CancellationError { return }
    contents.withLock { if $0.failures.count < 5 { $0.failures.append("\(error)") } }
  }

  /// How many allocations were said to run, and the server knows it.
  var running: Int { contents.withLock { $0.running } }

  /// What went wrong, the first few.
  var failures: [String] { contents.withLock { $0.failures } }

  /// These nodes say nothing any more, as if their hosts had lost power: the connections stay.
  func silence(_ ids: some Sequence<Identifier>) { contents.withLock { $0.silent.formUnion(ids) } }

  /// When the server last heard of a node, on the monotonic clock.
  func lastBeat(_ id: Identifier) -> Int64 { contents.withLock { $0.lastBeat[id] ?? 0 } }

  func stop() async {
    for task in tasks.withLock({ $0 }) { task.cancel() }
    await endpoint.close()
  }
}
