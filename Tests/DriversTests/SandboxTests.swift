import Codec
import Isolation
import Linux
import Supervisor
import Testing

@testable import Drivers

@Suite struct DriverSandboxTests {
  private let link = SupervisorLink(launcher: SupervisorLauncher(executable: "/nowhere", runtimeDirectory: "/nowhere"))

  private func start(_ config: JSONObject, user: String = "") -> TaskStart {
    TaskStart(
      allocationID: Identifier(high: 1, low: 2), taskName: "web", attempt: 1, config: config,
      environment: ["A=1", "NOMAD_X=2"], user: user, resources: TaskLimits(cpuMHz: 100, memoryBytes: 64 << 20),
      directories: TaskDirectories(allocation: "/data/alloc/x", task: "web"),
      logs: LogRotation(directory: "/data/alloc/x/alloc/logs", maxFiles: 10, maxFileBytes: 10 << 20))
  }

  @Test func execIsolatesByDefault() throws {
    let sandbox = try ExecDriver(link: link).sandbox(for: start(["command": "/bin/sh", "args": ["-c", "x"]]))
    #expect(sandbox.root?.taskDirectory == "/data/alloc/x/web")
    #expect(sandbox.root?.layersDirectory == "/data/alloc/x/.layers/web")
    #expect(
      sandbox.mounts == [
        .bind("/data/alloc/x/alloc", at: "/alloc", hasTaskIDs: true),
        .bind("/data/alloc/x/alloc/logs", at: "/alloc/logs", readOnly: true, hasTaskIDs: true),
      ])
    #expect(sandbox.user == "nobody" && sandbox.limits.memoryBytes == 64 << 20 && sandbox.limits.cpuShares == 100)
    #expect(sandbox.namespaces.isSuperset(of: [.mount, .pid, .ipc]) && sandbox.deniedUserIDs == [0...0])
    _ = try Plan(sandbox)
  }

  @Test func execRefusesWhatItDoesNotEnforce() {
    let driver = ExecDriver(link: link)
    for config: JSONObject in [
      ["command": "x", "pid_mode": "host"], ["command": "x", "cap_add": ["sys_admin"]], ["args": []],
      ["command": "x", "image": "redis"], ["command": "x", "cap_add": ["nonsense"]],
    ] {
      #expect(throws: DriverError.self, "\(config)") { try driver.validate(config) }
    }
    #expect(throws: DriverError.self) { try driver.sandbox(for: start(["command": "x"], user: "root")) }
  }

  @Test func volumesKeepTheIDsOfTheirOwnOnDisk() throws {
    var task = start(["command": "x"])
    task.userNamespace = UserNamespace(firstID: 1 << 20)
    task.volumes = [
      TaskVolume(source: "/srv/a", target: "/a", isReadOnly: false),
      TaskVolume(source: "/opt/lib", target: "/lib/x", isReadOnly: true, ids: .host),
    ]
    let sandbox = try ExecDriver(link: link).sandbox(for: task)
    // A volume is the task's own data: its users have the ids on disk that they have inside, whatever the host calls them.
    #expect(sandbox.userNamespace == task.userNamespace)
    #expect(
      Array(sandbox.mounts.suffix(2)) == [
        .bind("/srv/a", at: "/a", hasTaskIDs: true), .bind("/opt/lib", at: "/lib/x", readOnly: true),
      ])
    _ = try Plan(sandbox)
  }

  @Test func aVolumeThatSharesMountsNeedsTheHostsIDs() throws {
    var task = start(["command": "x"])
    task.userNamespace = UserNamespace(firstID: 1 << 20)
    task.volumes = [TaskVolume(source: "/srv/a", target: "/a", isReadOnly: false, propagation: .slave)]
    let sandbox = try ExecDriver(link: link).sandbox(for: task)
    #expect(sandbox.userNamespace == nil && sandbox.mounts.last?.propagation == .slave)
    #expect(sandbox.mounts.last?.recursive == true)
    _ = try Plan(sandbox)
    task.config["userns"] = "require"
    let error = #expect(throws: DriverError.self) { try ExecDriver(link: link).sandbox(for: task) }
    #expect(error?.message.contains("share its mounts") == true)
  }

  @Test func rawExecWithVolumesHasAMountNamespaceAndNothingElse() throws {
    var task = start(["command": "x"])
    task.volumes = [TaskVolume(source: "/srv/a", target: "/data/alloc/x/web/a", isReadOnly: true)]
    let sandbox = try RawExecDriver(link: link, settings: RawExecDriver.Settings()).sandbox(for: task)
    #expect(sandbox.namespaces == [.mount] && sandbox.root == nil)
    #expect(sandbox.mounts == [.bind("/srv/a", at: "/data/alloc/x/web/a", readOnly: true)])
    _ = try Plan(sandbox)
  }

  @Test func devicesAreTheSandboxsOwn() throws {
    var task = start(["command": "x"])
    task.devices = [DeviceNode("/dev/fuse", readOnly: true)]
    #expect(try ExecDriver(link: link).sandbox(for: task).devices == task.devices)
  }

  @Test func rawExecIsolatesNothingAndDropsDeniedVariables() throws {
    let sandbox = try RawExecDriver(link: link, settings: RawExecDriver.Settings()).sandbox(
      for: start(["command": "x", "denied_envvars": ["NOMAD_*"]]))
    #expect(sandbox.root == nil && sandbox.namespaces == [] && sandbox.user == nil)
    #expect(sandbox.limits.memoryBytes == nil && sandbox.command.environment == ["A=1"])
    _ = try Plan(sandbox)
  }

  @Test func attemptNamesAreTakenByTheSupervisorAndReadBack() throws {
    let names = [
      "web", "my task/ü", "a.b", String(repeating: "long ", count: 60), String(repeating: "long ", count: 61),
    ]
    var seen: Set<String> = []
    for name in names {
      let id = AttemptID(allocation: Identifier(high: 1, low: 2), task: name, attempt: 12)
      #expect(TaskSpec.isValid(id: id.description), "\(id)")
      #expect(seen.insert(id.description).inserted)
      let read = try #require(AttemptID(id.description))
      #expect(read == id && read.isOf(task: name) && !read.isOf(task: "other"))
    }
    #expect(AttemptID("something") == nil && AttemptID("x.1.web") == nil)
  }

  @Test func wildcards() {
    #expect(RawExecDriver.matches("AWS_KEY", pattern: "AWS_*") && RawExecDriver.matches("A", pattern: "*"))
    #expect(!RawExecDriver.matches("AWS", pattern: "AWS_*") && RawExecDriver.matches("abc", pattern: "a*c"))
  }
}
