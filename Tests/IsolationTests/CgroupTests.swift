import Glibc
import Isolation
import Linux
import Testing

/// The file protocol, on trees of plain files that stand for the kernel's: what is written where, and in which order it
/// may be repeated. What the kernel makes of it is tested as root with the supervisor.
@Suite struct CgroupTests {
  func withTree(_ controllers: [String], _ body: (String) throws -> Void) throws {
    let name = try Randomness.bytes(8).map { String($0, radix: 16) }.joined()
    let base = "/tmp/serai-cgroup-test-\(name)"
    for controller in controllers { try Files.makeDirectories("\(base)/\(controller)") }
    defer { try? Files.removeTree(base) }
    try body(base)
  }

  /// Makes the control files that the kernel would make with the group.
  func populate(_ group: String, _ files: [String: String]) throws {
    try Files.makeDirectories(group)
    for (name, text) in files { try Files.replace("\(group)/\(name)", with: Array(text.utf8)) }
  }

  func text(_ path: String) throws -> String { try Files.readText(path) }

  @Test func layoutsAreToldApart() {
    let hybrid = """
      1 0 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw
      2 1 0:2 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
      3 1 0:3 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      4 1 0:4 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
      5 1 0:5 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
      """
    let v1 = CgroupLayout.v1([
      "cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "memory": "/sys/fs/cgroup/memory",
    ])
    #expect(CgroupLayout.find(mountinfo: hybrid) { _ in "hugetlb\n" } == v1)
    let unified = "2 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    #expect(
      CgroupLayout.find(mountinfo: unified) { _ in "cpuset cpu io memory hugetlb pids\n" } == .v2("/sys/fs/cgroup"))
    #expect(CgroupLayout.find(mountinfo: "") { _ in "" } == nil)
  }

  @Test func weightsFollowTheAgreedFormula() {
    #expect(CgroupUnits.weight(shares: 0) == 1 && CgroupUnits.weight(shares: 2) == 1)
    #expect(CgroupUnits.weight(shares: 1024) == 100)
    #expect(CgroupUnits.weight(shares: 262_144) == 10_000 && CgroupUnits.weight(shares: .max) == 10_000)
    let weights = (2...3000).map { CgroupUnits.weight(shares: UInt64($0)) }
    #expect(weights == weights.sorted())
  }

  @Test func v2LimitsAreWrittenInItsUnits() throws {
    try withTree([]) { base in
      try populate(
        "\(base)/serai/task/x",
        [
          "cpu.weight": "", "cpu.max": "", "memory.max": "", "memory.low": "", "memory.swap.max": "",
          "memory.oom.group": "", "pids.max": "", "cpuset.cpus": "", "io.weight": "", "hugetlb.2MB.max": "",
        ])
      var limits = CgroupLimits()
      limits.cpuShares = 500
      limits.memoryBytes = 64 << 20
      limits.memoryReservationBytes = 32 << 20
      limits.cpus = "1"
      limits.cpuQuotaMicroseconds = 50_000
      limits.ioWeight = 200
      limits.hugePages = [HugePageLimit(size: "2MB", bytes: 4 << 20)]
      // Device rules are a program, which only the kernel's own directories take.
      limits.devices = nil
      let driver = CgroupV2(mount: base)
      try driver.ensure("serai/task/x", limits: limits)
      let group = "\(base)/serai/task/x"
      #expect(try text(group + "/memory.max") == "67108864")
      #expect(try text(group + "/memory.low") == "33554432")
      #expect(try text(group + "/memory.swap.max") == "0")
      #expect(try text(group + "/memory.oom.group") == "1")
      #expect(try text(group + "/pids.max") == "4096")
      #expect(try text(group + "/cpu.max") == "50000 100000")
      #expect(try text(group + "/cpu.weight") == "\(CgroupUnits.weight(shares: 500))")
      #expect(try text(group + "/cpuset.cpus") == "1")
      #expect(try text(group + "/io.weight") == "default 200" && text(group + "/hugetlb.2MB.max") == "4194304")
    }
  }

  @Test func v2StatisticsAndOOMAreRead() throws {
    try withTree([]) { base in
      try populate(
        "\(base)/g",
        [
          "cpu.stat": "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_throttled 2\nthrottled_usec 7\n",
          "memory.current": "4096\n", "memory.peak": "8192\n", "memory.stat": "anon 100\nfile 200\nkernel 300\n",
          "memory.events": "low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\n", "pids.current": "3\n",
          "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=5 wbytes=6 rios=1 wios=1\n",
          "memory.pressure":
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n",
        ])
      let driver = CgroupV2(mount: base)
      let statistics = try driver.statistics("g")
      #expect(statistics.cpuNanoseconds == 1_500_000 && statistics.throttledNanoseconds == 7000)
      #expect(statistics.memoryBytes == 4096 && statistics.memoryPeakBytes == 8192 && statistics.pids == 3)
      #expect(statistics.memoryRSSBytes == 100 && statistics.memoryCacheBytes == 200 && statistics.oomKills == 1)
      #expect(statistics.oomEvents == 2 && statistics.ioReadBytes == 15 && statistics.ioWriteBytes == 26)
      #expect(statistics.memoryPressureMicroseconds == 123 && statistics.cpuPressureMicroseconds == 0)
      // A group that is gone has used nothing, and has nobody in it.
      #expect(try driver.statistics("gone") == CgroupStatistics())
      #expect(try driver.processes("gone") == [])
    }
  }

  @Test func v1LimitsGoToEachControllersHierarchy() throws {
    try withTree(["cpu", "memory", "pids", "cpuset", "devices"]) { base in
      let driver = CgroupV1(
        mounts: Dictionary(
          uniqueKeysWithValues: ["cpu", "memory", "pids", "cpuset", "devices"].map { ($0, "\(base)/\($0)") }))
      try populate("\(base)/cpuset", ["cpuset.cpus": "0-1\n", "cpuset.mems": "0\n"])
      try populate("\(base)/cpuset/t", ["cpuset.cpus": "", "cpuset.mems": ""])
      try populate("\(base)/cpu/t", ["cpu.shares": "", "cpu.cfs_quota_us": "", "cpu.cfs_period_us": ""])
      try populate(
        "\(base)/memory/t",
        [
          "memory.limit_in_bytes": "", "memory.memsw.limit_in_bytes": "", "memory.soft_limit_in_bytes": "",
          "memory.swappiness": "",
        ])
      try populate("\(base)/pids/t", ["pids.max": ""])
      try populate("\(base)/devices/t", ["devices.deny": "", "devices.allow": ""])
      var limits = CgroupLimits()
      limits.cpuShares = 1
      limits.memoryBytes = 1 << 20
      try driver.ensure("t", limits: limits)
      #expect(try text("\(base)/cpu/t/cpu.shares") == "2")
      #expect(try text("\(base)/memory/t/memory.limit_in_bytes") == "1048576")
      #expect(try text("\(base)/memory/t/memory.memsw.limit_in_bytes") == "1048576")
      #expect(try text("\(base)/memory/t/memory.soft_limit_in_bytes") == "-1")
      #expect(try text("\(base)/memory/t/memory.swappiness") == "0")
      #expect(try text("\(base)/pids/t/pids.max") == "4096")
      // An empty cpuset takes no process: it inherits.
      #expect(try text("\(base)/cpuset/t/cpuset.cpus") == "0-1\n" && text("\(base)/cpuset/t/cpuset.mems") == "0\n")
      #expect(try text("\(base)/devices/t/devices.deny") == "a")
      // The last rule written; none allows making nodes.
      #expect(try text("\(base)/devices/t/devices.allow") == "c 136:* rw")
      #expect(DeviceRule.standard.allSatisfy { !$0.ruleText.contains("m") })
    }
  }

  @Test func v1StatisticsAreRead() throws {
    try withTree(["memory", "cpuacct", "pids"]) { base in
      try populate(
        "\(base)/memory/t",
        [
          "memory.usage_in_bytes": "10\n", "memory.max_usage_in_bytes": "20\n",
          "memory.stat": "cache 1\nrss 2\ntotal_cache 3\ntotal_rss 4\n",
          "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        ])
      try populate(
        "\(base)/cpuacct/t", ["cpuacct.usage_all": "cpu user system\n0 60 4\n1 30 5\n"])
      try populate("\(base)/pids/t", ["pids.current": "7\n"])
      let driver = CgroupV1(mounts: ["memory": "\(base)/memory", "cpuacct": "\(base)/cpuacct", "pids": "\(base)/pids"])
      let statistics = try driver.statistics("t")
      #expect(statistics.memoryBytes == 10 && statistics.memoryPeakBytes == 20 && statistics.memoryRSSBytes == 4)
      #expect(statistics.cpuNanoseconds == 99 && statistics.cpuUserNanoseconds == 90 && statistics.pids == 7)
      #expect(driver.oomKills("t") == 2)
    }
  }

  @Test func whatAHostLacksIsRefusedWithTheReason() throws {
    try withTree(["memory"]) { base in
      let driver = CgroupV1(mounts: ["memory": "\(base)/memory"])
      var limits = CgroupLimits()
      limits.pids = nil
      limits.devices = nil
      limits.memoryBytes = 1 << 20
      try driver.check(limits, in: "t")
      for (name, change) in [
        ("cpuQuotaMicroseconds", { $0.cpuQuotaMicroseconds = 1 }), ("cpus", { $0.cpus = "0" }),
        ("pids", { $0.pids = 1 }), ("ioWeight", { $0.ioWeight = 100 }),
        ("hugePages", { $0.hugePages = [HugePageLimit(size: "2MB", bytes: 0)] }), ("devices", { $0.devices = [] }),
      ] as [(String, (inout CgroupLimits) -> Void)] {
        var changed = limits
        change(&changed)
        do throws(SandboxError) {
          try driver.check(changed, in: "t")
          Issue.record("\(name) was not refused")
        } catch {
          #expect(error.field == "limits.\(name)" && error.problem.contains("controller"))
        }
      }
    }
  }

  @Test func v2ControllersThatAreNotGivenDownAreMissing() throws {
    try withTree([]) { base in
      try populate("\(base)/serai/task", ["cgroup.subtree_control": "cpu memory pids\n"])
      let missing = CgroupV2(mount: base).unavailable(in: "serai/task")
      #expect(Set(missing.keys) == ["cpus", "ioWeight", "hugePages"])
    }
  }

  @Test func groupsInsideAGroupBelongToIt() throws {
    try withTree(["freezer"]) { base in
      try populate("\(base)/freezer/t", ["cgroup.procs": "11\n"])
      try populate("\(base)/freezer/t/a/b", ["cgroup.procs": "12\n13\n"])
      try populate("\(base)/freezer/t/a", ["cgroup.procs": ""])
      #expect(try CgroupV1(mounts: ["freezer": "\(base)/freezer"]).processes("t").sorted() == [11, 12, 13])
    }
  }
}

/// The device rules of v2: what the program answers, by a machine of our own and by the kernel.
@Suite struct DeviceProgramTests {
  /// Runs a program as Documentation/bpf/standardization/instruction-set.rst defines the six instructions it uses.
  func allows(_ program: DeviceProgram, type: UInt32, access: UInt32, major: UInt32, minor: UInt32) -> Bool? {
    let context = [access << 16 | type, major, minor]
    let code = program.bytes
    var registers = [UInt64](repeating: 0xdead, count: 11)
    var at = 0
    for _ in 0..<10_000 {
      guard at * 8 + 8 <= code.count else { return nil }
      let bytes = Array(code[at * 8..<at * 8 + 8])
      let destination = Int(bytes[1] & 15)
      let source = Int(bytes[1] >> 4)
      let offset = Int(Int16(bitPattern: UInt16(bytes[2]) | UInt16(bytes[3]) << 8))
      let raw = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 + $1]) << UInt32(8 * $1) }
      let immediate = UInt64(bitPattern: Int64(Int32(bitPattern: raw)))
      at += 1
      switch bytes[0] {
      case 0x61: registers[destination] = UInt64(context[offset / 4])
      case 0xbf: registers[destination] = registers[source]
      case 0xb7: registers[destination] = immediate
      case 0x57: registers[destination] &= immediate
      case 0x77: registers[destination] >>= immediate
      case 0x55: if registers[destination] != immediate { at += offset }
      case 0x95: return registers[0] == 1 ? true : registers[0] == 0 ? false : nil
      default: return nil
      }
    }
    return nil
  }

  @Test func onlyWhatARuleNamesIsAllowed() {
    let program = DeviceProgram(
      DeviceRule.standard + [DeviceRule(isBlock: true, major: 7, minor: 0, isReadOnly: true)])
    let read: UInt32 = 2
    let write: UInt32 = 4
    #expect(allows(program, type: 2, access: read | write, major: 1, minor: 3) == true)
    #expect(allows(program, type: 2, access: read, major: 136, minor: 4711) == true)
    #expect(allows(program, type: 2, access: read, major: 1, minor: 11) == false)
    #expect(allows(program, type: 1, access: read, major: 1, minor: 3) == false)
    #expect(allows(program, type: 2, access: 1, major: 1, minor: 3) == false)
    #expect(allows(program, type: 2, access: 1 | read, major: 136, minor: 1) == false)
    #expect(allows(program, type: 1, access: read, major: 7, minor: 0) == true)
    #expect(allows(program, type: 1, access: write, major: 7, minor: 0) == false)
    #expect(allows(program, type: 1, access: read | write, major: 7, minor: 0) == false)
    #expect(allows(program, type: 1, access: read, major: 7, minor: 1) == false)
    #expect(allows(DeviceProgram([]), type: 2, access: read, major: 1, minor: 3) == false)
  }

  /// A cgroup2 mount of this host; also the side of a hybrid layout, which needs no controller for device rules.
  static let unified: String? = {
    guard geteuid() == 0, let text = try? Files.readText("/proc/self/mountinfo") else { return nil }
    return Proc.mounts(in: text).first { $0.type == "cgroup2" }?.target
  }()

  @Test(.enabled(if: unified != nil, "needs root and a cgroup2 mount")) func theKernelTakesItAndObeys() throws {
    let mount = try #require(Self.unified)
    let name = "serai-test-" + (try Randomness.bytes(4).map { String($0, radix: 16) }.joined())
    let driver = CgroupV2(mount: mount)
    var limits = CgroupLimits()
    limits.pids = nil
    limits.devices = [DeviceRule(major: 1, minor: 3), DeviceRule(major: 1, minor: 5, isReadOnly: true)]
    try driver.ensure(name, limits: limits)
    defer { try? driver.remove(name) }
    func outcome(inside: Bool) throws -> WaitStatus? {
      let script = """
        \(inside ? "echo 0 > \(mount)/\(name)/cgroup.procs || exit 9" : ":"); r=0
        (: < /dev/zero) || r=$((r+1)); (: > /dev/null) || r=$((r+2)); (: > /dev/zero) || r=$((r+4))
        (: < /dev/full) || r=$((r+8)); exit $r
        """
      let process = try ProcessHandle.open(
        pid: try SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script], environment: []).start())
      _ = try poll(process.descriptor, .readable, timeoutMilliseconds: 20_000)
      return try process.reap()
    }
    #expect(try outcome(inside: true)?.exitCode == 12)
    // Control: outside the group everything is open.
    #expect(try outcome(inside: false)?.exitCode == 0)
  }
}
