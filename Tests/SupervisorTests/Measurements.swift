import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Figures, not checks: printed when SERAI_BENCH is set. SERAI_SUPERVISOR names a release build to measure.
@Suite(
  .enabled(if: isRoot, needsRoot), .serialized,
  .enabled(if: getenv("SERAI_BENCH") != nil, "measurements run only with SERAI_BENCH set"))
struct Measurements {
  @Test func startLatency() async throws {
    try await withSupervisor { fixture, client in
      for (name, isolated, gap) in [
        ("isolated hot", true, 0), ("isolated cold", true, 200), ("unconfined hot", false, 0),
      ] {
        var times: [Int64] = []
        let cpu = try cpuNanoseconds(fixture)
        for index in 0..<(gap == 0 ? 200 : 40) {
          if gap > 0 { try await Task.sleep(for: .milliseconds(gap)) }
          var spec = try fixture.spec("s\(index)", Command("/bin/true"))
          if !isolated { spec.sandbox = Sandbox.unconfined(spec.sandbox.command) }
          spec.id = "\(fixture.name).\(name.filter { $0 != " " }).\(index)"
          let begin = Clock.monotonicNanoseconds
          _ = try await client.start(spec)
          times.append(Clock.monotonicNanoseconds - begin)
          _ = try await client.exit(of: spec.id)
          try await client.acknowledge(spec.id)
        }
        times.sort()
        func ms(_ x: Int64) -> Double { Double(x / 10_000) / 100 }
        let used = Double((try cpuNanoseconds(fixture) - cpu) / UInt64(times.count) / 1000) / 1000
        print("  CPU of supervisor and task per start and end: \(used) ms")
        print(
          "start (request to answer after exec), \(name): p50 \(ms(times[times.count / 2])) ms, p99 \(ms(times[times.count * 99 / 100])) ms, min \(ms(times[0])) ms"
        )
      }
    }
  }

  /// CPU time of everything the supervisor did, its tasks included: unlike the times it does not depend on what else the
  /// machine does.
  func cpuNanoseconds(_ fixture: Fixture) throws -> UInt64 {
    try CgroupLayout.ofThisHost().driver.statistics(fixture.name).cpuNanoseconds
  }

  @Test func memoryOfManyTasks() async throws {
    try await withSupervisor { fixture, client in
      func privateKiB() throws -> Int {
        let text = try Files.readText("/proc/\(client.pid)/smaps_rollup")
        return text.split(separator: "\n").filter { $0.hasPrefix("Private_Dirty") }
          .compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +)
      }
      let empty = try privateKiB()
      let count = 200
      let begin = Clock.monotonicNanoseconds
      for index in 0..<count {
        _ = try await client.start(try fixture.spec("m\(index)", Command("/bin/sleep", arguments: ["1000"])))
      }
      let took = Double((Clock.monotonicNanoseconds - begin) / 1_000_000) / 1000
      let full = try privateKiB()
      print(
        "supervisor private memory: \(empty) KiB with 0 tasks, \(full) KiB with \(count): \(Double((full - empty) * 10 / count) / 10) KiB a task; \(count) sequential starts in \(took) s"
      )
    }
  }
}
