import Glibc
import Linux

/// Memory of an idle agent, and of many tasks: starts of a thousand at once, what they cost, and asking how they do.
struct Density {
  let place: Place

  func rows() async throws -> [Row] { try await idleAgent() + tasks() }

  private func idleAgent() async throws -> [Row] {
    let agent = try await AgentProcess(place, name: "idle")
    defer { agent.stop() }
    // What the start needed is given back by then.
    Clock.sleep(nanoseconds: 12_000_000_000)
    let (server, supervisor) = (
      try Memory.proportional(of: agent.pid), try Memory.proportional(of: try agent.supervisor)
    )
    return [
      Row(
        what: "idle agent -dev with its supervisor, PSS", unit: "MB", ours: (server + supervisor) / 1e6,
        budget: .atMost(25)),
      Row(
        what: "idle agent -dev, memory of its own", unit: "MB", ours: try Memory.anonymous(of: agent.pid) / 1e6),
    ]
  }

  private func tasks() async throws -> [Row] {
    let many = try Supervised(place, name: "density", entries: place.entries)
    var rows: [Row] = []
    var running: [Supervised.Request] = []
    var privateAtOne = 0.0
    var kernelAtOne = 0.0
    for count in [1, 200, 1000] {
      let requests = try (running.count..<count).map { _ in try many.task("pause") }
      let began = Clock.monotonicNanoseconds
      try await withThrowingTaskGroup(of: Void.self) { group in
        for request in requests { group.addTask { try await many.start(request) } }
        try await group.waitForAll()
      }
      running += requests
      let seconds = Double(Clock.monotonicNanoseconds - began) / 1e9
      Clock.sleep(nanoseconds: 1_000_000_000)
      let memory = try Memory.anonymous(of: try many.pid)
      let kernel = try kernelMemory()
      switch count {
      case 1:
        (privateAtOne, kernelAtOne) = (memory, kernel)
        rows.append(
          Row(
            what: "supervisor with 1 task, memory of its own", unit: "KB", ours: memory / 1000,
            budget: .atMost(1000 + 64)))
      case 200:
        rows.append(
          Row(
            what: "supervisor with 200 tasks, memory of its own", unit: "KB", ours: memory / 1000,
            budget: .atMost(1000 + 64 * 200)))
      default:
        rows.append(
          Row(what: "start of \(requests.count) tasks at once", unit: "s", ours: seconds, budget: .atMost(5)))
        rows.append(
          Row(
            what: "supervisor, memory of its own per task of 1,000", unit: "KB", peer: ("conmon", 400),
            ours: (memory - privateAtOne) / 1000 / Double(count - 1), budget: .atMost(64)))
        rows.append(
          Row(
            what: "kernel memory per task of 1,000", unit: "KB", ours: (kernel - kernelAtOne) / 1000 / Double(count - 1)
          ))
        rows.append(try await statistics(many, running))
      }
    }
    try await end(many, running)
    return rows
  }

  /// Memory that the kernel holds for itself, in bytes: slabs, page tables, stacks, per-CPU data.
  private func kernelMemory() throws -> Double {
    let names: Set<Substring> = ["Slab:", "KernelStack:", "PageTables:", "Percpu:"]
    return try Files.readText("/proc/meminfo").split(separator: "\n").reduce(0) { total, line in
      let words = line.split(separator: " ")
      guard words.count >= 2, names.contains(words[0]) else { return total }
      return total + (Double(words[1]) ?? 0) * 1024
    }
  }

  /// CPU time, in all processes of the supervisor, of asking what every task uses.
  private func statistics(_ many: Supervised, _ running: [Supervised.Request]) async throws -> Row {
    let supervisor = try many.pid
    var best = Double.infinity
    for _ in 0..<5 {
      let before = (try cpuTime(of: supervisor), ownCPUTime())
      try await many.statistics(running)
      let after = (try cpuTime(of: supervisor), ownCPUTime())
      best = min(best, after.0 - before.0 + after.1 - before.1)
    }
    return Row(
      what: "statistics of \(running.count) tasks, CPU time of both sides", unit: "ms", ours: best, budget: .atMost(20))
  }

  /// In milliseconds.
  private func cpuTime(of pid: Int32) throws -> Double {
    let text = try Files.readText("/proc/\(pid)/schedstat")
    return (text.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e6
  }

  private func ownCPUTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }

  private func end(_ many: Supervised, _ running: [Supervised.Request]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for request in running { group.addTask { try await many.kill(request) } }
      try await group.waitForAll()
    }
    try await many.shutdown()
  }
}
