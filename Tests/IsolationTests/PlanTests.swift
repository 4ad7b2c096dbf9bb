import Glibc
import Isolation
import Linux
import Testing

@Suite struct PlanTests {
  var sandbox: Sandbox {
    var sandbox = Sandbox(command: Command("/bin/true"))
    sandbox.root = Root(taskDirectory: "/data/alloc/a/web", layersDirectory: "/data/alloc/a/.layers/web")
    sandbox.mounts = [.bind("/data/alloc/a/alloc", at: "/alloc"), .temporary(at: "/secrets", sizeBytes: 1 << 20)]
    sandbox.hostname = "web"
    return sandbox
  }

  @Test func theOrderIsTheOneThatProtects() throws {
    let names = try Plan(sandbox).steps.map(\.name)
    func position(_ name: StepName) throws -> Int { try #require(names.firstIndex(of: name), "\(name)") }
    // Charged from the first step, in the group before its namespace, private before the first mount.
    #expect(try position(.cgroup) < position(.cgroupNamespace))
    #expect(try position(.mountPropagation) < position(.rootDirectory))
    #expect(try position(.mountProc) < position(.maskPath))
    #expect(try position(.mount) < position(.pivot))
    // The user is looked up in the task's root; the bounding set needs CAP_SETPCAP, which goes with the user id.
    #expect(try position(.pivot) < position(.user))
    #expect(try position(.capabilities) < position(.identity))
    #expect(try position(.identity) < position(.workingDirectory))
    #expect(try position(.noNewPrivileges) < position(.seccomp))
    #expect(try position(.gate) < position(.execute))
    #expect(Array(names.suffix(3)) == [.descriptors, .seccomp, .execute])
  }

  @Test func volumesInTheHostsTreeAreMountedForTheTaskAloneWithoutARoot() throws {
    var sandbox = Sandbox.unconfined(Command("/bin/true"))
    sandbox.mounts = [.bind("/srv/data", at: "/srv/place")]
    #expect(throws: SandboxError.self) { try Plan(sandbox) }
    sandbox.namespaces = [.mount]
    let plan = try Plan(sandbox)
    #expect(!plan.hasOwnRoot)
    let separate = try #require(plan.steps.firstIndex(of: .mountPropagation(slave: true)))
    #expect(try separate < #require(plan.steps.firstIndex(of: .mount(sandbox.mounts[0]))))
    #expect(plan.steps.allSatisfy { $0.name != .pivot })
  }

  @Test func onlyTasksWithHostIDsShareMountsWithTheHost() throws {
    var sandbox = sandbox
    var mount = Mount.bind("/srv/data", at: "/data")
    mount.propagation = .slave
    sandbox.mounts = [mount]
    sandbox.userNamespace = nil
    _ = try Plan(sandbox)
    sandbox.userNamespace = UserNamespace(firstID: 1 << 20)
    let error = #expect(throws: SandboxError.self) { try Plan(sandbox) }
    #expect(error?.field == "mounts[0].propagation")
  }

  @Test func thePlanForNothingIsolatesNothing() throws {
    let plan = try Plan(Sandbox.unconfined(Command("/bin/true")))
    #expect(plan.cloneNamespaces == [] && !plan.usesInit)
    #expect(plan.steps.allSatisfy { ![.pivot, .seccomp, .noNewPrivileges, .identity, .mountProc].contains($0.name) })
    #expect(plan.steps.contains { $0.name == .cgroup })
  }

  @Test(
    arguments: [
      ("relative target", { @Sendable (s: inout Sandbox) in s.mounts = [.bind("/x", at: "alloc")] }),
      ("target leaves the root", { s in s.mounts = [.bind("/x", at: "/a/../../b")] }),
      ("target in /proc", { s in s.mounts = [.bind("/x", at: "/proc/sys")] }),
      ("target in /dev", { s in s.mounts = [.temporary(at: "/dev/shm", sizeBytes: 1)] }),
      ("target is the root", { s in s.mounts = [.bind("/x", at: "/")] }),
      ("layers inside the task", { s in s.root?.layersDirectory = "/data/alloc/a/web/.layers" }),
      ("unknown capability", { s in s.capabilities = ["net_raw", "fly"] }),
      ("user namespace", { s in s.namespaces.insert(.user) }),
      ("init without a pid namespace", { s in s.namespaces.remove(.pid) }),
      ("root without a mount namespace", { s in s.namespaces.remove(.mount) }),
      ("NUL in an argument", { s in s.command.arguments = ["a\0b"] }),
      ("environment without a name", { s in s.command.environment = ["=x"] }),
      ("host name too long", { s in s.hostname = String(repeating: "x", count: 65) }),
      ("protected from the OOM killer", { s in s.oomScoreAdjustment = -1 }),
      ("filter without no_new_privs", { s in s.noNewPrivileges = false }),
      ("no memory", { s in s.limits.memoryBytes = 1 }),
    ] as [(String, @Sendable (inout Sandbox) -> Void)])
  func refusesWhatItCannotEnforce(_ name: String, _ change: @Sendable (inout Sandbox) -> Void) throws {
    _ = try Plan(sandbox)
    var changed = sandbox
    change(&changed)
    #expect(throws: SandboxError.self, "\(name)") { _ = try Plan(changed) }
  }
}

@Suite struct CapabilityTests {
  @Test func namesAreLibcapsNumbersAreTheKernels() {
    // capabilities(7), linux/capability.h.
    #expect(Capability.number(of: "chown") == 0 && Capability.number(of: "CAP_SYS_ADMIN") == 21)
    #expect(Capability.number(of: "net_bind_service") == 10)
    for bad in ["", "fly", "21", "cap_", "chown ", "chown,kill", "all"] {
      #expect(Capability.number(of: bad) == nil, "\(bad)")
    }
  }

  @Test func addAndDropActOnTheDefaultSet() throws {
    #expect(Capability.defaultNames.count == 13)
    #expect(try Capability.names(add: ["NET_RAW"], drop: ["cap_chown"]).contains("net_raw"))
    #expect(try !Capability.names(add: ["NET_RAW"], drop: ["cap_chown"]).contains("chown"))
    #expect(try Capability.names(add: ["kill"], drop: ["all"]) == ["kill"])
    #expect(try Capability.names(add: ["all"], drop: []).count >= 41)
    #expect(throws: SandboxError.self) { _ = try Capability.names(add: ["fly"], drop: []) }
    #expect(try Capability.mask(of: ["chown", "kill"]) == 0b100001)
  }
}

@Suite struct AccountTests {
  let accounts = Accounts(
    passwd: """
      root:x:0:0:root:/root:/bin/bash
      nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
      app:x:1000:100::/home/app:/bin/sh
      broken:x:abc:100::/:/bin/sh
      short:x:5
      """,
    group: "root:x:0:\nusers:x:100:app\nvideo:x:44:app,other\naudio:x:29:other\ndocker:x:999:app\n")

  @Test func namesAndIDsAreFoundWithTheirGroups() {
    let app = Account(name: "app", uid: 1000, gid: 100, groups: [44, 999], home: "/home/app")
    #expect(accounts.account("app") == app)
    #expect(accounts.account("1000") == app)
    #expect(accounts.account("0")?.name == "root")
    #expect(accounts.account("nobody")?.gid == 65534)
    #expect(accounts.account("4242") == Account(name: "4242", uid: 4242, gid: 65534, groups: [], home: "/"))
  }

  @Test(arguments: [
    "", "ro", "root ", "+0", "-1", "00", "1000:0", "4294967295", "99999999999", "broken", "short", "٠", "root:x",
  ])
  func whatIsNoUserIsRefused(_ name: String) { #expect(accounts.account(name) == nil) }

  @Test func nobodyIsKnownWithoutAPasswdFile() {
    #expect(Accounts(passwd: "", group: "").account("nobody")?.uid == 65534)
    #expect(Accounts(passwd: "", group: "").account("root") == nil)
  }
}

@Suite struct ReportTests {
  @Test func reportsSurviveTheSocket() {
    let report = Report(isFailure: true, step: .mountProc, errno: .busy, object: "/proc")
    #expect(Report(decoding: report.encoded) == report)
    // What serai_init.c writes: kind 0, step 255, two zero bytes, errno, path.
    #expect(
      Report(decoding: [0, 255, 0, 0, 2, 0, 0, 0] + Array("/x".utf8))
        == Report(isFailure: true, step: .execute, errno: .noSuchFile, object: "/x"))
    #expect(Report(decoding: []) == nil && Report(decoding: [0, 99, 0, 0, 0, 0, 0, 0]) == nil)
  }
}

@Suite struct SeccompTests {
  @Test func theFilterCompilesAndFits() throws {
    let filter = try SeccompFilter.standard()
    #expect(filter.programs.count == 2)
    // seccomp(2): at most 4,096 instructions of 8 bytes.
    for program in filter.programs { #expect(program.count % 8 == 0 && (1...4096).contains(program.count / 8)) }
  }
}

@Suite struct IDRangePoolTests {
  @Test func everyAllocationHasARangeOfItsOwnAndKeepsIt() throws {
    var pool = try IDRangePool(firstID: 100_000, count: 3)
    let first = pool.range(for: "a")
    #expect(first == UserNamespace(firstID: 100_000, count: 65536))
    #expect(pool.range(for: "b")?.firstID == 165_536 && pool.range(for: "a") == first)
    // What was given back rests until the others are taken.
    pool.release("a")
    #expect(pool.range(for: "c")?.firstID == 231_072)
    #expect(pool.range(for: "d")?.firstID == 100_000)
    #expect(pool.range(for: "e") == nil)
    // After a restart.
    var again = try IDRangePool(firstID: 100_000, count: 3, taken: pool.taken)
    #expect(again.range(for: "b")?.firstID == 165_536 && again.range(for: "e") == nil)
    again.release("nobody")
    #expect(again.taken == pool.taken)
  }

  @Test func theHostsOwnIDsAreRefused() {
    for (first, count) in [(0, 1), (65535, 1), (65536, 0), (4_294_900_000, 2)] as [(UInt32, Int)] {
      #expect(throws: SandboxError.self) { _ = try IDRangePool(firstID: first, count: count) }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "makes a user namespace: needs root"))
  func theProbeSaysWhatIsMissing() {
    #expect(UserNamespace.problem(below: "/var/tmp") == nil)
    // procfs cannot map ids.
    #expect(UserNamespace.problem(below: "/proc")?.contains("EINVAL") == true)
  }
}
