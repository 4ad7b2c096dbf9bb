import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Children that are cloned before there is a task for them.
@Suite(.enabled(if: isRoot, needsRoot)) struct SpareTests {
  /// Where a supervisor's children without a task are, by hierarchy.
  func spareGroups(_ fixture: Fixture) throws -> [String] {
    let mounts = Proc.mounts(in: try Files.readText("/proc/self/mountinfo")).filter { $0.type.hasPrefix("cgroup") }
    return Set(mounts.map(\.target)).flatMap { mount -> [String] in
      let group = "\(mount)/\(fixture.name)/task"
      let entries = (try? FileDescriptor.open(group, [.readOnly, .directory]).entries()) ?? []
      return entries.filter { $0.name.hasPrefix(".spare-") }.map { "\(group)/\($0.name)" }
    }
  }

  /// The process in them that the supervisor knows: its first.
  func sparePID(_ fixture: Fixture) throws -> Int32? {
    for group in try spareGroups(fixture) {
      let text = (try? Files.readText("\(group)/cgroup.procs")) ?? ""
      if let pid = text.split(separator: "\n").compactMap({ Int32($0) }).min() { return pid }
    }
    return nil
  }

  /// What the descriptors of a process are.
  func openFiles(of pid: Int32) throws -> [String] {
    let directory = try FileDescriptor.open("/proc/\(pid)/fd", [.readOnly, .directory])
    var links: [String] = []
    for entry in try directory.entries() {
      // The descriptor of the directory itself has gone.
      if let link = try? directory.readSymbolicLink(entry.name) { links.append(link) }
    }
    return links
  }

  static func holdsNothingButItsOwn(_ links: [String]) -> Bool {
    let foreign = ["/lock", "eventpoll", ".stdout.", "pidfd", "eventfd", "signalfd"]
    return Set(links.filter { $0.hasPrefix("socket:") }).count == 1
      && !links.contains { link in foreign.contains { link.contains($0) } }
  }

  func spareDirectories(_ fixture: Fixture) throws -> [String] {
    try FileDescriptor.open(fixture.launcher.runtimeDirectory + "/tasks", [.readOnly, .directory]).entries()
      .map(\.name).filter { $0.hasPrefix(".spare-") }
  }

  /// All that a task can tell of itself but numbers that nobody shares.
  static let view = """
    grep -vE '^(Pid|PPid|Tgid|Ngid|NSpid|NStgid|NSpgid|NSsid|Vm|Rss|voluntary|nonvoluntary|Cpus|Mems|SigQ|Hugetlb)' \
      /proc/self/status
    sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ //; s#/[^ ]*serai-test[^ ]*##; s/ (master|shared):[0-9]+//; s#/fd/[0-9]+#/fd#g' \\
      /proc/self/mountinfo
    cat /proc/self/cgroup /proc/self/oom_score_adj /proc/self/limits /proc/self/uid_map; ls -ln /dev /proc/self/fd | \
      sed -E 's/^(.{10}) .* ([^ ]+( -> .*)?)$/\\1 \\2/; s/[0-9]{4,}//g; s#/proc/[0-9]+/#/proc/#'
    ls /sys/class/net | wc -l; hostname; pwd; echo $$
    for f in /sys/fs/cgroup/*/memory.limit_in_bytes /sys/fs/cgroup/*/pids.max /sys/fs/cgroup/*/cpu.shares \
      /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.weight; do test -r $f && cat $f; done
    cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmni
    """

  @Test(arguments: ["host ids", "own ids", "own network", "root"])
  func aTaskInAChildThatWaitedIsLikeAnother(_ kind: String) async throws {
    try await withSupervisor { fixture, client in
      func change(_ sandbox: inout Sandbox) {
        if kind != "host ids" { sandbox.userNamespace = UserNamespaceChecks.range }
        if kind == "own network" { sandbox.namespaces.insert(.network) }
        if kind == "root" { sandbox.user = "root" }
        sandbox.hostname = "same"
        sandbox.limits.memoryBytes = 48 << 20
        sandbox.limits.cpuShares = 77
        sandbox.limits.pids = 99
        sandbox.oomScoreAdjustment = 7
        sandbox.sysctls = [Sysctl("kernel.msgmni", "123")]
        sandbox.mounts = [.temporary(at: "/secrets", sizeBytes: 1 << 20)]
      }
      let first = try fixture.task("task1", Self.view, change: change)
      let firstStatus = try await client.start(first)
      #expect(try await client.exit(of: first.id).exitCode == 0, "\(fixture.log("task1", "stderr"))")
      var waiting: Int32?
      #expect(
        try await eventually {
          try waiting = sparePID(fixture); return waiting != nil
        })
      let second = try fixture.task("task2", Self.view, change: change)
      let status = try await client.start(second)
      // The control: it really was the child that had waited.
      #expect(status.pid == waiting && status.pid != firstStatus.pid)
      #expect(status.notes == firstStatus.notes)
      #expect(try await client.exit(of: second.id).exitCode == 0, "\(fixture.log("task2", "stderr"))")
      let (one, two) = (fixture.log("task1"), fixture.log("task2").replacing("task2", with: "task1"))
      #expect(one.utf8.count > 2000 && one.contains("123\n") && one.contains("50331648") && one.contains("\n99\n"))
      #expect(one == two)
    }
  }

  @Test func aChildThatWaitsHoldsNothingOfTheSupervisors() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("kind", "exec sleep 60")
      _ = try await client.start(spec)
      #expect(try await eventually { try sparePID(fixture) != nil })
      let pid = try sparePID(fixture) ?? 0
      // Once it has taken its steps: 0-2, its six, /proc, /sys and parts of them.
      var links: [String] = []
      for _ in 0..<1000 where !Self.holdsNothingButItsOwn(links) {
        links = try openFiles(of: pid)
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(Self.holdsNothingButItsOwn(links), "\(links)")
      // The control: the supervisor holds what the child must not.
      let supervisor = try openFiles(of: client.pid)
      #expect(!Self.holdsNothingButItsOwn(supervisor))
    }
  }

  @Test func childrenThatWaitEndWithTheirSupervisorHoweverItEnds() async throws {
    try await withSupervisor { fixture, first in
      func prepare(_ client: SupervisorClient, _ id: String) async throws -> Int32 {
        let spec = try fixture.task(id, "true")
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        try await client.acknowledge(spec.id)
        #expect(try await eventually { try sparePID(fixture) != nil })
        return try #require(try sparePID(fixture))
      }
      // Killed: the child ends by itself, and the next supervisor takes away what is left.
      let orphan = try await prepare(first, "first")
      let pid = first.pid
      kill(pid, SIGKILL)
      #expect(try await eventually { !Files.exists("/proc/\(orphan)/exe") })
      let second = try await fixture.launcher.connect()
      #expect(try await eventually { try spareGroups(fixture).isEmpty && spareDirectories(fixture).isEmpty })
      // Upgraded: gone before the new program begins.
      let child = try await prepare(second, "second")
      try await second.upgrade(executable: second.executable)
      let third = try await fixture.launcher.connect()
      #expect(try await eventually { try !Files.exists("/proc/\(child)/exe") && spareGroups(fixture).isEmpty })
      #expect(try spareDirectories(fixture).isEmpty)
      // Told to end.
      let last = try await prepare(third, "third")
      try await third.shutdown()
      #expect(try await eventually { try !Files.exists("/proc/\(last)/exe") && spareGroups(fixture).isEmpty })
      #expect(try spareDirectories(fixture).isEmpty)
      second.close()
      third.close()
    }
  }

  @Test func aKilledChildIsNotMissed() async throws {
    try await withSupervisor { fixture, client in
      for round in 0..<3 {
        let spec = try fixture.task("round\(round)", "echo \(round)")
        _ = try await client.start(spec)
        #expect(try await client.exit(of: spec.id).exitCode == 0)
        #expect(fixture.log("round\(round)") == "\(round)\n")
        #expect(try await eventually { try sparePID(fixture) != nil })
        let pid = try sparePID(fixture) ?? 0
        #expect(pid > 1 && kill(pid, SIGKILL) == 0)
        for _ in 0..<4000 where Files.exists("/proc/\(pid)/exe") { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
  }
}
