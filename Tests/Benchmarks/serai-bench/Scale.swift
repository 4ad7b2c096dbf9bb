import Codec
import Glibc
import HTTP
import Linux
import Model
import Synchronization

/// Asks a server for something small again and again.
private final class Reader: Sendable {
  private let server: ServerProcess
  private let isDone = Mutex(false)

  init(_ server: ServerProcess) { self.server = server }

  func stop() { isDone.withLock { $0 = true } }

  /// The longest that an answer took, in nanoseconds.
  func run() async throws -> Int64 {
    var longest: Int64 = 0
    while !isDone.withLock({ $0 }) {
      let began = Clock.monotonicNanoseconds
      _ = try await server.bytes("/v1/job/job-7/summary")
      longest = max(longest, Clock.monotonicNanoseconds - began)
      try await Task.sleep(for: .milliseconds(2))
    }
    return longest
  }
}

/// One server with very many clients, and with very many allocations.
struct Scale {
  let place: Place

  /// 10,000 clients: what keeping them alive costs, and when the server notices that some are gone.
  func heartbeats() async throws -> [Row] {
    let count = 10_000
    try raiseDescriptorLimit(count + 1000)
    let server = try await ServerProcess(place, name: "heartbeats")
    defer { server.stop() }
    let clients = try PlayedClients(count, server: server.rpcAddress, cpu: 16_000, memoryMB: 32_768)
    let began = Clock.monotonicNanoseconds
    try await clients.start(watching: false)
    let registered = Double(Clock.monotonicNanoseconds - began) / 1e9
    // Everybody has been told by then how often to beat with so many others.
    try await Task.sleep(for: .seconds(20))
    let before = try server.processorSeconds()
    try await Task.sleep(for: .seconds(30))
    let share = (try server.processorSeconds() - before) / 30 * 100
    let memory = try Memory.proportional(of: server.pid)
    let noticed = try await noticing(server, clients)
    let failures = clients.failures
    await clients.stop()
    guard failures.isEmpty else { throw Failure("played clients failed: \(failures.joined(separator: "; "))") }
    return [
      Row(what: "registering \(count) nodes, each synced", unit: "s", ours: registered),
      Row(what: "\(count) clients' heartbeats, share of a core", unit: "%", ours: share, budget: .atMost(15)),
      Row(what: "server with \(count) clients, PSS", unit: "MB", ours: memory / 1e6),
      Row(what: "silent client of \(count) noticed, slowest of 100", unit: "s", ours: noticed, budget: .atMost(15)),
    ]
  }

  /// The longest time from a node's last heartbeat until the server counts it as down, in seconds.
  private func noticing(_ server: ServerProcess, _ clients: PlayedClients) async throws -> Double {
    var waiting = Set(clients.nodes.prefix(100).map(\.id))
    clients.silence(waiting)
    var longest = 0.0
    let deadline = Clock.monotonicNanoseconds + 120_000_000_000
    while !waiting.isEmpty {
      guard Clock.monotonicNanoseconds < deadline else {
        throw Failure("\(waiting.count) silent nodes are not noticed")
      }
      try await Task.sleep(for: .milliseconds(250))
      let filter = percentEncoded("Status == \"down\"")
      let down = try await server.get("/v1/nodes?filter=\(filter)").arrayValue ?? []
      let now = Clock.monotonicNanoseconds
      for node in down {
        guard let id = node["ID"]?.stringValue.flatMap({ Identifier($0) }), waiting.remove(id) != nil else { continue }
        longest = max(longest, Double(now - clients.lastBeat(id)) / 1e9)
      }
    }
    return longest
  }

  /// 1,000 jobs × 1,000 allocations that all run: how fast they get there through the API and the clients, what each
  /// costs, what a snapshot costs those who ask meanwhile, and how long a restart takes.
  func million() async throws -> [Row] {
    let (jobs, each, nodes) = (1000, 1000, 5000)
    let total = jobs * each
    try raiseDescriptorLimit(nodes + 1000)
    let server = try await ServerProcess(place, name: "million")
    defer { server.stop() }
    let clients = try PlayedClients(nodes, server: server.rpcAddress, cpu: 64_000, memoryMB: 131_072)
    try await clients.start(watching: true)
    let empty = try Memory.proportional(of: server.pid)
    let began = Clock.monotonicNanoseconds
    for number in 0..<jobs { try await server.put("/v1/jobs", Self.job("job-\(number)", count: each)) }
    let deadline = began + 900_000_000_000
    while clients.running < total {
      guard Clock.monotonicNanoseconds < deadline else {
        throw Failure("\(clients.running) of \(total) run: \(clients.failures.joined(separator: "; "))")
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    let seconds = Double(Clock.monotonicNanoseconds - began) / 1e9
    await clients.stop()
    try await Task.sleep(for: .seconds(15))
    let perAllocation = (try Memory.proportional(of: server.pid) - empty) / Double(total)
    let (snapshot, stall) = try await snapshot(server)
    let restart = try await server.restart()
    return [
      Row(
        what: "\(total) allocations through the API until all are said to run", unit: "/s",
        ours: Double(total) / seconds, isRate: true),
      Row(
        what: "memory of the server per running allocation", unit: "bytes", ours: perAllocation, budget: .atMost(1536)),
      Row(what: "snapshot of \(total) allocations", unit: "s", ours: snapshot),
      Row(what: "longest wait of a read meanwhile", unit: "ms", ours: stall, budget: .atMost(20)),
      Row(what: "restart with \(total) allocations, until it leads", unit: "s", ours: restart),
    ]
  }

  /// How long saving a snapshot takes, in seconds, and the longest that a small read took meanwhile, in milliseconds.
  private func snapshot(_ server: ServerProcess) async throws -> (seconds: Double, stall: Double) {
    let reader = Reader(server)
    let reading = Task { try await reader.run() }
    let began = Clock.monotonicNanoseconds
    let bytes = try await server.bytes("/v1/operator/snapshot")
    let seconds = Double(Clock.monotonicNanoseconds - began) / 1e9
    reader.stop()
    guard bytes.count > 1 << 20 else { throw Failure("the snapshot has \(bytes.count) bytes") }
    return (seconds, Double(try await reading.value) / 1e6)
  }

  private static func job(_ id: String, count: Int) -> JSONValue {
    [
      "Job": [
        "ID": .string(id), "Name": .string(id), "Type": "service", "Datacenters": ["*"],
        "TaskGroups": [
          [
            "Name": "g", "Count": .int(Int64(count)), "EphemeralDisk": ["SizeMB": 300],
            "Tasks": [
              [
                "Name": "main", "Driver": "exec", "Config": ["command": "/bin/true"],
                "Resources": ["CPU": 100, "MemoryMB": 128],
              ]
            ],
          ]
        ],
      ]
    ]
  }

  /// One descriptor a client, on both sides: the server's process inherits the limit.
  private func raiseDescriptorLimit(_ needed: Int) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur >= needed else {
      throw Failure("\(needed) open descriptors are needed, the hard limit is \(limit.rlim_max)")
    }
  }
}
