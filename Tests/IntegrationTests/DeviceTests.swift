import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Devices from a plugin to a task, through the command line and the API.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct DeviceTests {
  @Test func aTaskGetsTheDevicesThatItsConstraintsName() async throws {
    try await Scratch.with { scratch in
      let gadgets = try Gadgets(scratch)
      let agent = try await gadgets.agent()
      let node = try #require(try await agent.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue)
      let found = try await agent.get("/v1/node/\(node)")["NodeResources"]?["Devices"]?.arrayValue ?? []
      try #require(found.compactMap { $0["Name"]?.stringValue } == ["small", "large"], "\(found)")

      // Two kinds would do; the affinity prefers the one with more memory.
      try await agent.submit(
        "uses",
        shellJob(
          "uses",
          script: """
            echo "$GADGET_IDS from $(cat /opt/gadget/name)"
            head -c 4 /dev/gadget0 | wc -c
            head -c 1 /dev/gadget1 2>/dev/null || echo none
            head -c 4 /dev/zero > /dev/gadget0 && echo written
            exec sleep 86400
            """,
          resources:
            """
            device "acme/gadget" {
              count = 1
              constraint {
                attribute = "${device.attr.memory}"
                operator  = ">="
                value     = "1 GiB"
              }
              affinity {
                attribute = "${device.attr.memory}"
                operator  = ">"
                value     = "4 GiB"
                weight    = 80
              }
            }
            """))
      let allocation = try await agent.allocation(of: "uses", being: "running")
      try await until("the task has looked", orSay: { (try? await agent.log(allocation, "uses")) ?? "" }) {
        try await agent.log(allocation, "uses") == "L0 from large\n4\nnone\nwritten\n"
      }
      let whole = try await agent.get("/v1/allocation/\(allocation.id)")
      let held = whole["AllocatedResources"]?["Tasks"]?["uses"]?["Devices"]?.arrayValue?.first
      try #require(held?["Name"] == "large" && held?["DeviceIDs"]?.arrayValue == ["L0"], "\(JSON.text(whole))")
      // Statistics of the devices that it holds, and of those alone.
      let stats = try await agent.get("/v1/client/allocation/\(allocation.id)/stats")
      let devices = stats["ResourceUsage"]?["DeviceStats"]?.arrayValue ?? []
      try #require(devices.count == 1 && devices[0]["InstanceStats"]?.objectValue?.members.map(\.key) == ["L0"])
      try #require(
        try await agent.succeeds("alloc", "status", "-stats", allocation.short).contains("acme/gadget/large[L0]"))
      try #require(try await agent.succeeds("node", "status", "-stats", node).contains("acme/gadget/large[L0]"))
      // What the job asks for in vain is named.
      let vain = shellJob(
        "vain", script: "true",
        resources:
          """
          device "acme/gadget" {
            constraint {
              attribute = "${device.attr.memory}"
              operator  = ">"
              value     = "64 GiB"
            }
          }
          """)
      let outcome = try await agent.serai("job", "run", try scratch.write("vain.nomad.hcl", vain))
      try #require(outcome.code == 2 && outcome.output.contains("missing devices"), "\(outcome)")
      let why = try await agent.succeeds("job", "why", "vain")
      try #require(why.contains("acme/gadget"), "\(why)")
      for job in ["uses", "vain"] { try await agent.stop(job) }
    }
  }

  @Test func aDeviceIsFreeWhenTheLastProcessOfItsTaskHasEnded() async throws {
    try await Scratch.with { scratch in
      let gadgets = try Gadgets(scratch)
      let agent = try await gadgets.agent()
      let large = "device \"acme/gadget/large\" {}"
      // It takes its time to end: only SIGKILL, after its kill_timeout, does.
      try await agent.submit(
        "first",
        shellJob(
          "first", script: "trap '' TERM INT; while :; do sleep 0.2; done",
          group: "restart { attempts = 0 }", task: "kill_timeout = \"3s\"", resources: large))
      _ = try await agent.allocation(of: "first", being: "running")
      try await agent.submit("second", shellJob("second", script: "exec sleep 86400", resources: large))
      try await until("the second waits") {
        (try await agent.get("/v1/job/second/evaluations").arrayValue ?? []).contains { $0["Status"] == "blocked" }
      }
      try await agent.succeeds("job", "stop", "-detach", "first")
      // The holder is being stopped, and yet the device is not given away before its cgroup is empty.
      try await until("the first is being stopped") {
        try await agent.allocations(of: "first").first?.json["DesiredStatus"] == "stop"
      }
      let second = try await agent.allocation(of: "second", "runs") { $0.status == "running" }
      let ended = try #require(try await agent.allocations(of: "first").first)
      try #require(ended.status == "complete", "its end was reported before the second began")
      try #require(
        HostProcess.tasks(cgroup: agent.cgroup).allSatisfy { !$0.arguments.contains { $0.contains("trap") } },
        "nothing of the first runs when the second does")
      try #require(try modified(ended) <= created(second), "the end is older than the second's start")
      try await agent.stop("second")
    }
  }

  @Test func aDeviceThatFallsIllTakesNoNewTask() async throws {
    try await Scratch.with { scratch in
      let gadgets = try Gadgets(scratch)
      let agent = try await gadgets.agent()
      let large = "device \"acme/gadget/large\" {}"
      try gadgets.write(large: false)
      let node = try #require(try await agent.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue)
      try await until("the servers know") {
        let groups = try await agent.get("/v1/node/\(node)")["NodeResources"]?["Devices"]?.arrayValue ?? []
        return groups.last?["Instances"]?.arrayValue?.first?["Healthy"] == false
      }
      try await agent.submit("waits", shellJob("waits", script: "exec sleep 86400", resources: large))
      try await until("the job waits") {
        (try await agent.get("/v1/job/waits/evaluations").arrayValue ?? []).contains { $0["Status"] == "blocked" }
      }
      // Well again: the waiting job is placed.
      try gadgets.write(large: true)
      _ = try await agent.allocation(of: "waits", being: "running")
      try await agent.stop("waits")
    }
  }

  @Test func tasksKeepTheirDevicesOverARestartOfTheAgent() async throws {
    try await Scratch.with { scratch in
      let gadgets = try Gadgets(scratch)
      let agent = try await gadgets.agent(.both)
      try await agent.submit(
        "keeps",
        shellJob(
          "keeps", script: "exec sleep 86400", resources: "device \"acme/gadget/large\" {}"))
      let first = try await agent.allocation(of: "keeps", being: "running")
      try await agent.kill()
      try await agent.start()
      let again = try await agent.allocation(of: "keeps", being: "running")
      try #require(again.id == first.id && again.task.restarts == 0)
      try await until("commands in it see the device's variables") {
        let outcome = try await agent.serai("alloc", "exec", first.short, "sh", "-c", "echo $GADGET_IDS")
        return outcome.output.contains("L0")
      }
      try await agent.submit(
        "second",
        shellJob("second", script: "true", resources: "device \"acme/gadget/large\" {}"))
      try await until("the second waits for it") {
        (try await agent.get("/v1/job/second/evaluations").arrayValue ?? []).contains { $0["Status"] == "blocked" }
      }
      for job in ["keeps", "second"] { try await agent.stop(job) }
    }
  }

  private func modified(_ allocation: Allocation) throws -> Int64 {
    try #require(allocation.json["ModifyIndex"]?.intValue)
  }
  private func created(_ allocation: Allocation) -> Int64 { allocation.createIndex }
}

/// The test's device plugin with two kinds of gadgets, whose nodes are character devices made for the test.
private final class Gadgets: Sendable {
  let scratch: Scratch
  private let node: String

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    try Files.makeDirectories("\(scratch.folder)/plugins", permissions: 0o755)
    try Files.makeDirectories("\(scratch.folder)/gadgets", permissions: 0o755)
    try #require(symlink(try Programs.path("serai-device-test"), "\(scratch.folder)/plugins/gadgets") == 0)
    // A node of its own that behaves like /dev/zero.
    let node = "/dev/\(scratch.name)"
    self.node = node
    try FileDescriptor.open("/dev", [.readOnly, .directory])
      .makeCharacterDevice(scratch.name, permissions: 0o666, major: 1, minor: 5)
    chmod(node, 0o666)
    scratch.atEnd { unlink(node) }
    for (id, kind) in [("S0", "small"), ("L0", "large")] {
      try scratch.write("gadgets/name-\(kind)", "\(kind)\n")
      try scratch.write(
        "gadgets/reserve-\(id).json",
        """
        {"Envs": {"GADGET_IDS": "\(id)"},
         "Mounts": [{"TaskPath": "/opt/gadget/name", "HostPath": "\(scratch.folder)/gadgets/name-\(kind)", "ReadOnly": true}],
         "Devices": [{"TaskPath": "/dev/gadget0", "HostPath": "\(node)", "CgroupPerms": "rw"}]}
        """)
    }
    try scratch.write(
      "gadgets/statistics.json",
      """
      [{"Vendor": "acme", "Type": "gadget", "Name": "small", "InstanceStats": {"S0": \(Self.turns(1))}},
       {"Vendor": "acme", "Type": "gadget", "Name": "large", "InstanceStats": {"L0": \(Self.turns(7))}}]
      """)
    try write(large: true)
  }

  private static func turns(_ number: Int) -> String {
    #"{"Summary": {"Desc": "turns", "Unit": "rpm", "IntNumeratorVal": \#(number), "IntDenominatorVal": 9}, "Timestamp": "2026-01-01T00:00:00Z"}"#
  }

  /// - Parameter large: whether the large one is well.
  func write(large: Bool) throws {
    func group(_ kind: String, _ id: String, _ gibibytes: Int, _ healthy: Bool) -> String {
      """
      {"Vendor": "acme", "Type": "gadget", "Name": "\(kind)",
       "Instances": [{"ID": "\(id)", "Healthy": \(healthy)}],
       "Attributes": {"memory": {"Int": \(gibibytes), "Unit": "GiB"}}}
      """
    }
    try scratch.write("gadgets/groups.json", "[\(group("small", "S0", 2, true)), \(group("large", "L0", 8, large))]")
  }

  func agent(_ role: Agent.Role = .development) async throws -> Agent {
    let agent = try Agent(
      scratch, role,
      settings: """
        plugin_dir = "\(scratch.folder)/plugins"
        plugin "gadgets" {
          config {
            folder = "\(scratch.folder)/gadgets"
          }
        }
        """)
    try await agent.start()
    return agent
  }
}
