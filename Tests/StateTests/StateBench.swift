import Codec
import Glibc
import Model
import Testing

@testable import State

private let benchIsOn = getenv("SERAI_BENCH") != nil

/// Prints speed and memory of a large state. Run it with an optimised build:
/// `SERAI_BENCH=1 swift test -c release -Xswiftc -enable-testing --filter StateBench`; `SERAI_BENCH_ALLOCATIONS` sets the
/// size (1,000,000).
@Suite(.enabled(if: benchIsOn, "set SERAI_BENCH to measure"), .serialized) struct StateBench {
  /// Processor time and not the clock: the work is all computing, and a busy machine shall not count.
  static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Resident bytes of this process (proc_pid_statm(5), second field).
  static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
  }

  /// What a client reports of a task that has just started: three events.
  static func runningTask() -> [String: TaskState] {
    var state = TaskState()
    state.state = .running
    state.startedAt = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    state.events = [
      TaskEvent(.received, time: 1_700_000_000_000_000_000, message: "Task received by client"),
      TaskEvent(.taskSetup, time: 1_700_000_000_100_000_000, message: "Building Task Directory"),
      TaskEvent(.started, time: 1_700_000_000_200_000_000, message: "Task started by client"),
    ]
    return ["main": state]
  }

  @Test func aMillionAllocations() throws {
    let total = getenv("SERAI_BENCH_ALLOCATIONS").flatMap { Int(String(cString: $0)) } ?? 1_000_000
    let (nodeCount, perJob) = (5_000, 1_000)
    var cluster = Cluster()
    var nodes: [Identifier] = []
    for number in 0..<nodeCount {
      var payload = NodeRegistration()
      payload.node = makeNode(UInt64(number + 1), cpu: 1_000_000, memory: 1_000_000)
      nodes.append(payload.node.id)
      try cluster.apply(.nodeRegistration(payload))
    }
    let before = Self.residentBytes()
    var generator = SeededGenerator(state: 1)
    var (placing, reporting, planBytes) = (0.0, 0.0, 0)
    for job in 0..<(total / perJob) {
      try cluster.register(makeJob("job-\(job)", count: perJob))
      var plan = PlanResult()
      plan.evaluationID = Identifier(using: &generator)
      plan.namespace = "default"
      plan.jobID = "job-\(job)"
      plan.nodes = Array(nodes[(job % 5 * 1_000)..<(job % 5 * 1_000 + 1_000)])
      plan.placements = (0..<perJob).map { number in
        var placement = Placement()
        placement.id = Identifier(using: &generator)
        placement.node = Int.random(in: 0..<1_000, using: &generator)
        placement.nameIndex = number
        placement.ports = [makePort(20_000 + number)]
        return placement
      }
      var start = Self.seconds()
      try cluster.apply(.planResult(plan))
      placing += Self.seconds() - start
      if job == 0 { planBytes = LogEntry.planResult(plan).encoded(at: .zeroValue).count }
      var payload = AllocationClientUpdates()
      payload.updates = plan.placements.map { placement in
        var update = AllocationStatusChange()
        update.id = placement.id
        update.clientStatus = .running
        update.taskStates = Self.runningTask()
        return update
      }
      start = Self.seconds()
      try cluster.apply(.allocationClientUpdates(payload))
      reporting += Self.seconds() - start
    }
    let bytes = Double(Self.residentBytes() - before) / Double(total)
    print("placements applied: \(Int(Double(total) / placing))/s, \(planBytes / perJob) bytes each in the log")
    print("client updates applied: \(Int(Double(total) / reporting))/s")
    print("memory per running allocation, all indexes: \(Int(bytes)) bytes")
    var start = Self.seconds()
    var pieces: [[UInt8]] = []
    var encoder = StateEncoder(cluster.state.reader)
    while let piece = encoder.next() { pieces.append(piece) }
    print(
      "snapshot: \(pieces.reduce(0) { $0 + $1.count } / total) bytes per allocation, written in \(Self.seconds() - start) s"
    )
    start = Self.seconds()
    var decoder = StateDecoder()
    for piece in pieces { try decoder.add(piece) }
    let restored = try decoder.finish()
    print("snapshot read in \(Self.seconds() - start) s")
    #expect(restored.reader.allocations.count == cluster.state.reader.allocations.count)
    #expect(bytes < 1_500)
  }
}
