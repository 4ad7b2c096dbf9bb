import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Many starts and stops, with the supervisor killed at moments that nobody chose: nothing may be left.
@Suite(.enabled(if: isRoot, needsRoot)) struct CycleTests {
  /// Cycles in a test run; SERAI_LEAK_CYCLES asks for more (`make leak`: 5,000).
  static let cycles = getenv("SERAI_LEAK_CYCLES").flatMap { Int(String(cString: $0)) } ?? 300

  /// What a host has that a task could leave behind.
  struct HostState: Equatable, CustomStringConvertible {
    var mounts: [String]
    var cgroups: [String]
    var namespaces: Set<String>
    var processes: [String]
    var descriptors: Int

    /// Looks. Only what belongs to this test: the machine does other things at the same time.
    init(_ fixture: Fixture) throws {
      mounts = try Files.readText("/proc/self/mountinfo").split(separator: "\n").map(String.init)
        .filter { $0.contains(fixture.name) }
      let places = Proc.mounts(in: try Files.readText("/proc/self/mountinfo")).filter { $0.type.hasPrefix("cgroup") }
      cgroups = Set(places.map(\.target)).sorted().flatMap { Self.below("\($0)/\(fixture.name)/task") }
      var namespaces: Set<String> = []
      var processes: [String] = []
      for name in try FileDescriptor.open("/proc", [.readOnly, .directory]).entries().map(\.name) {
        guard Int32(name) != nil, let group = try? Files.readText("/proc/\(name)/cgroup"),
          group.contains("/\(fixture.name)/task")
        else { continue }
        processes.append((try? Files.readText("/proc/\(name)/comm")) ?? "")
        if let directory = try? FileDescriptor.open("/proc/\(name)/ns", [.readOnly, .directory]) {
          for kind in ["mnt", "pid", "net", "user", "ipc", "uts", "cgroup"] {
            if let text = try? directory.readSymbolicLink(kind) { namespaces.insert(text) }
          }
        }
      }
      self.namespaces = namespaces
      self.processes = processes
      descriptors = 0
      if let pid = try? Int32(Files.readText(fixture.base + "/supervisor.pid")),
        let directory = try? FileDescriptor.open("/proc/\(pid)/fd", [.readOnly, .directory])
      {
        descriptors = (try? directory.entries().count) ?? 0
      }
    }

    private static func below(_ path: String) -> [String] {
      let entries = (try? FileDescriptor.open(path, [.readOnly, .directory]).entries()) ?? []
      return entries.filter { $0.kind == .directory }.map { "\(path)/\($0.name)" }
    }

    var description: String {
      "mounts \(mounts), cgroups \(cgroups), namespaces \(namespaces), processes \(processes), descriptors \(descriptors)"
    }
  }

  @Test func nothingIsLeftAfterManyStartsStopsAndKills() async throws {
    try await withSupervisor { fixture, first in
      var client = first
      var random = SystemRandomNumberGenerator()
      func remember(_ pid: Int32) throws {
        try Files.replace(fixture.base + "/supervisor.pid", with: Array("\(pid)".utf8))
      }
      func descriptors(_ pid: Int32) throws -> Int {
        try FileDescriptor.open("/proc/\(pid)/fd", [.readOnly, .directory]).entries().count
      }
      // The counters can see a task: otherwise all zeros would prove nothing.
      let seen = try fixture.task("seen", "sleep 60") { $0.userNamespace = UserNamespaceChecks.range }
      _ = try await client.start(seen)
      try remember(client.pid)
      let during = try HostState(fixture)
      #expect(!during.cgroups.isEmpty && during.processes.count >= 2 && during.namespaces.count >= 6)
      try await client.kill(seen.id)
      _ = try await client.exit(of: seen.id)
      try await client.acknowledge(seen.id)

      var kills = 0
      for cycle in 0..<Self.cycles {
        let kind = Int.random(in: 0..<5, using: &random)
        let spec = try fixture.task("cycle", ["exit 0", "sleep 1000", "sleep 1000 & exec sleep 1000"][kind % 3]) {
          if kind % 2 == 0 { $0.userNamespace = UserNamespaceChecks.range }
          if kind == 4 { $0.namespaces.insert(.network) }
        }
        if Int.random(in: 0..<20, using: &random) == 0 {
          // Killed while it starts a task, at a moment nobody chose.
          let victim = client
          async let starting: Void = { _ = try? await victim.start(spec) }()
          try await Task.sleep(for: .microseconds(Int.random(in: 0..<8000, using: &random)))
          kill(victim.pid, SIGKILL)
          await starting
          #expect(try await eventually { !Files.exists("/proc/\(victim.pid)/exe") })
          victim.close()
          client = try await fixture.launcher.connect()
          kills += 1
        } else {
          _ = try? await client.start(spec)
        }
        for task in try await client.list() {
          if kind % 3 != 0 { try? await client.kill(task.id) }
          _ = try await client.exit(of: task.id)
          try await client.acknowledge(task.id)
        }
        if cycle % 100 == 99 { #expect(try await client.list().isEmpty) }
      }
      #expect(Self.cycles < 100 || kills > 0)
      try remember(client.pid)
      let pid = client.pid
      // Children that wait for a task are the supervisor's: two descriptors each, and a group that says what it is.
      func spares() throws -> Int {
        let points = try HostState(fixture).cgroups
        return Set(points.compactMap { $0.split(separator: "/").last }.filter { $0.hasPrefix(".spare-") }).count
      }
      let only = try await eventually(seconds: 30) {
        try HostState(fixture).cgroups.allSatisfy { $0.contains("/.spare-") } && spares() <= 2
      }
      let then = try HostState(fixture)
      #expect(only, "\(then)")
      let (now, waiting) = (try descriptors(pid), try spares())
      kill(pid, SIGKILL)
      #expect(try await eventually { !Files.exists("/proc/\(pid)/exe") })
      client.close()
      let fresh = try await fixture.launcher.connect()
      let gone = try await eventually(seconds: 30) {
        let state = try HostState(fixture)
        return state.mounts.isEmpty && state.cgroups.isEmpty && state.namespaces.isEmpty && state.processes.isEmpty
      }
      let end = try HostState(fixture)
      #expect(gone, "\(end)")
      // Exactly what one without tasks holds, whatever the number of cycles.
      let bare = try descriptors(fresh.pid)
      #expect(now == bare + 2 * waiting, "descriptors: \(now) after \(Self.cycles) cycles, \(waiting) children waiting")
      let left = try FileDescriptor.open(fixture.launcher.runtimeDirectory + "/tasks", [.readOnly, .directory])
        .entries()
      #expect(left.isEmpty)
      print("isolation: \(Self.cycles) cycles, \(kills) kills of the supervisor: \(end)")
      fresh.close()
    }
  }
}
