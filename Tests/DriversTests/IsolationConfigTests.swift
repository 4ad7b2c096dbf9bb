import Codec
import Isolation
import Linux
import Supervisor
import Testing

@testable import Drivers

/// What a `config` block of an isolated driver asks for, and what of it a node allows.
@Suite struct IsolationConfigTests {
  private let link = SupervisorLink(launcher: SupervisorLauncher(executable: "/nowhere", runtimeDirectory: "/nowhere"))

  private static let range = UserNamespace(firstID: 0x7000_0000)

  private func sandbox(
    _ config: JSONObject, _ settings: IsolationSettings = IsolationSettings(),
    limits: TaskLimits = TaskLimits(cpuMHz: 500, memoryBytes: 64 << 20), change: (inout TaskStart) -> Void = { _ in }
  ) throws -> Sandbox {
    var config = config
    config["command"] = "/bin/true"
    var start = TaskStart(
      allocationID: Identifier(high: 1, low: 2), taskName: "web", attempt: 1, config: config, environment: [],
      user: "", resources: limits, directories: TaskDirectories(allocation: "/data/alloc/x", task: "web"),
      logs: LogRotation(directory: "/data/alloc/x/alloc/logs", maxFiles: 10, maxFileBytes: 10 << 20))
    start.userNamespace = Self.range
    change(&start)
    let sandbox = try ExecDriver(link: link, settings: settings).sandbox(for: start)
    _ = try Plan(sandbox)
    return sandbox
  }

  private func refusal(_ config: JSONObject, _ settings: IsolationSettings = IsolationSettings()) -> String {
    do {
      _ = try sandbox(config, settings)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func ulimits() throws {
    let made = try sandbox(["ulimit": ["nofile": "1024:4096", "nproc": "unlimited", "core": 0]])
    #expect(made.resourceLimits.contains(ResourceLimit(.openFiles, soft: 1024, hard: 4096)))
    #expect(made.resourceLimits.contains(ResourceLimit(.processes, .max)))
    #expect(refusal(["ulimit": ["nofile": "9:1"]]).contains("ulimit.nofile"))
    #expect(refusal(["ulimit": ["nofiles": "1"]]).contains("the names are"))
  }

  @Test func mounts() throws {
    var settings = IsolationSettings()
    settings.allowedHostPaths = ["/srv/data"]
    let made = try sandbox(
      [
        "mount": [
          ["type": "bind", "source": "/srv/data/x", "target": "/x", "readonly": true],
          ["type": "tmpfs", "target": "scratch", "tmpfs_options": [["size": 4096, "mode": "1777"]]],
        ]
      ], settings)
    var bind = Mount.bind("/srv/data/x", at: "/x", readOnly: true)
    bind.refusesLinks = true
    #expect(made.mounts.contains(bind))
    #expect(made.mounts.contains(.temporary(at: "/scratch", sizeBytes: 4096, permissions: 0o1777)))
    for path in ["/srv/database", "/srv/data/../../etc", "/etc", "relative", "/srv"] {
      #expect(!refusal(["mount": ["source": .string(path), "target": "/x"]], settings).isEmpty, "\(path)")
    }
    #expect(refusal(["mount": ["source": "/srv/data", "target": "/x"]]).contains("allow_host_paths: none"))
    #expect(refusal(["mount": ["type": "volume", "target": "/x"]]).contains("mount[0]: type must be"))
    #expect(
      refusal(["mount": ["type": "tmpfs", "target": "/x", "sice": 1]]).contains("mount[0]: unknown key \"sice\""))
  }

  @Test func privilegesNeedTheNodesLeave() throws {
    #expect(refusal(["seccomp": "unconfined"]).contains("allow_unconfined_seccomp"))
    #expect(refusal(["no_new_privileges": false]).contains("allow_new_privileges"))
    #expect(refusal(["cap_add": ["sys_admin"]]).contains("allow_caps"))
    var settings = IsolationSettings()
    settings.allowsUnconfinedSeccomp = true
    settings.allowsNewPrivileges = true
    settings.allowedCapabilities.append("sys_admin")
    #expect(refusal(["no_new_privileges": false], settings).contains("needs seccomp = \"unconfined\""))
    let made = try sandbox(
      ["seccomp": "unconfined", "no_new_privileges": false, "cap_add": ["sys_admin"], "cap_drop": ["all"]], settings)
    #expect(made.seccomp == .unconfined && !made.noNewPrivileges && made.capabilities == ["sys_admin"])
  }

  @Test func usersHaveTheAllocationsIDsUnlessSomethingNeedsTheHosts() throws {
    #expect(try sandbox([:]).userNamespace == Self.range)
    #expect(try sandbox(["userns": "require"]).userNamespace == Self.range)
    #expect(try sandbox(["userns": "host"]).userNamespace == nil)
    #expect(try sandbox([:]) { $0.hostIDsReason = "port 80" }.userNamespace == nil)
    #expect(try sandbox(["userns": "require"]) { $0.hostIDsReason = "port 80" }.userNamespace == Self.range)
    #expect(throws: DriverError.self) { try sandbox(["userns": "require"]) { $0.userNamespace = nil } }
    var settings = IsolationSettings()
    settings.allowedHostPaths = ["/srv"]
    settings.deniedUserIDs = [65534...65534]
    #expect(try sandbox(["mount": ["source": "/srv", "target": "/srv"]], settings).userNamespace == nil)
    let readOnly = try sandbox(["mount": ["source": "/srv", "target": "/srv", "readonly": true]], settings)
    #expect(readOnly.userNamespace == Self.range && readOnly.deniedUserIDs == [0...0], "denied are ids of the host")
    #expect(try sandbox(["userns": "host"], settings).deniedUserIDs.contains(65534...65534))
    settings.allowsHostIDs = false
    #expect(refusal(["userns": "host"], settings).contains("allow_host_userns"))
    #expect(throws: DriverError.self) { try sandbox([:], settings) { $0.hostIDsReason = "port 80" } }
    settings.userNamespaceProblem = "EINVAL"
    #expect(refusal(["userns": "require"], settings).contains("EINVAL"))
    #expect(refusal(["userns": "sometimes"]).contains("\"auto\", \"host\" or \"require\""))
  }

  @Test func readOnlyRootSettingsProfilesAndNetwork() throws {
    #expect(try sandbox(["readonly_root": true]).isRootReadOnly)
    #expect(try sandbox(["sysctl": ["kernel.msgmax": 8192]]).sysctls == [Sysctl("kernel.msgmax", "8192")])
    #expect(throws: SandboxError.self) { try sandbox(["sysctl": ["kernel.panic": "1"]]) }
    var settings = IsolationSettings()
    #expect(refusal(["seccomp": "mine.json"], settings).contains("seccomp_profile_dir"))
    settings.seccompProfiles = ["mine.json": #"{"defaultAction": "SCMP_ACT_ALLOW"}"#]
    #expect(
      try sandbox(["seccomp": "mine.json"], settings).seccomp
        == .profile(#"{"defaultAction": "SCMP_ACT_ALLOW"}"#))
    let alone = try sandbox([:]) { $0.hasNoNetwork = true }
    #expect(alone.namespaces.contains(.network))
    // What a job adds by name, a user other than root has too.
    settings.allowedCapabilities.append("sys_time")
    #expect(
      try sandbox(["cap_add": ["sys_time"]], settings).ambientCapabilities == ["net_bind_service", "sys_time"])
    #expect(try sandbox(["cap_drop": ["all"]]).ambientCapabilities == [])
  }

  @Test func initOomScoreAndHardLimit() throws {
    let plain = try sandbox([:])
    #expect(plain.usesInit && plain.limits.cpuQuotaMicroseconds == nil && plain.oomScoreAdjustment == nil)
    #expect(try !sandbox(["init": false]).usesInit)
    #expect(try sandbox(["oom_score_adj": 300]).oomScoreAdjustment == 300)
    #expect(refusal(["oom_score_adj": 2000]).contains("between 0 and 1000"))
    #expect(refusal(["cpu_hard_limit": true]).contains("does not know how fast its cores are"))
    var limits = TaskLimits(cpuMHz: 500, memoryBytes: 64 << 20)
    limits.coreMHz = 2000
    // A quarter of a core: 25 of every 100 ms.
    #expect(try sandbox(["cpu_hard_limit": true], limits: limits).limits.cpuQuotaMicroseconds == 25_000)
  }

  @Test func everyMistakeIsNamedAtOnce() {
    let text = refusal(["work_dir": "x", "ipc_mode": "odd", "seccomp": "x", "ulimt": ["a": "1"]])
    for part in ["work_dir must be", "ipc_mode must be", "is no profile of this node", "did you mean \"ulimit\""] {
      #expect(text.contains(part), "\(part): \(text)")
    }
  }
}
