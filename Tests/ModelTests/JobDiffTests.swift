import Codec
import Model
import Testing

/// The shape of `Diff` in the answer of `PUT /v1/job/:id/plan`.
struct JobDiffTests {
  static func job(_ change: (inout Job) -> Void = { _ in }) -> Job {
    var task = JobTask()
    task.name = "redis"
    task.driver = "exec"
    task.config = ["command": "/bin/redis", "args": ["-p", "6379"], "port_map": [["db": 6379]]]
    task.env = ["FOO": "1"]
    var port = Port()
    port.label = "db"
    var network = NetworkResource()
    network.mode = "host"
    network.dynamicPorts = [port]
    var group = TaskGroup()
    group.name = "cache"
    group.tasks = [task]
    group.networks = [network]
    var job = Job()
    job.id = "example"
    job.datacenters = ["dc1"]
    job.taskGroups = [group]
    change(&job)
    job.canonicalize()
    return job
  }

  @Test func aNewJobIsAddedWhole() throws {
    let diff = JobDiff(from: nil, to: Self.job())
    #expect(diff.type == .added)
    #expect(diff.id == "example")
    #expect(
      diff.fields.map { "\($0.name)=\($0.new)" } == [
        "AllAtOnce=false", "Dispatched=false", "Name=example", "Namespace=default", "Priority=50", "Region=global",
        "Stop=false", "Type=service",
      ])
    #expect(diff.objects.map(\.name) == ["Datacenters"])
    let group = try #require(diff.taskGroups.first)
    #expect(group.type == .added)
    #expect(group.fields.map(\.name) == ["Count"])
    #expect(
      group.objects.map(\.name) == [
        "EphemeralDisk", "Migrate", "Network", "ReschedulePolicy", "RestartPolicy", "Update",
      ])
    let task = try #require(group.tasks.first)
    #expect(task.fields.map(\.name) == ["Driver", "Env[FOO]", "KillTimeout", "Leader", "ShutdownDelay"])
    let config = try #require(task.objects.first { $0.name == "Config" })
    #expect(config.fields.map(\.name) == ["args[0]", "args[1]", "command", "port_map[0][db]"])
    #expect(config.fields.allSatisfy { $0.type == .added && $0.old.isEmpty })
    let network = try #require(group.objects.first { $0.name == "Network" })
    #expect(network.objects.map(\.name) == ["Dynamic Port"])
  }

  @Test func nothingChanged() {
    let diff = JobDiff(from: Self.job(), to: Self.job())
    #expect(diff.type == .none)
    #expect(diff.fields.isEmpty && diff.objects.isEmpty)
    #expect(diff.taskGroups.map(\.type) == [.none])
  }

  @Test func indexesAndStatusAreNoChange() {
    let new = Self.job {
      $0.version = 7
      $0.modifyIndex = 100
      $0.status = .running
      $0.submitTime = 1
    }
    #expect(JobDiff(from: Self.job(), to: new).type == .none)
  }

  @Test func editedFieldsAndEntries() throws {
    let new = Self.job {
      $0.priority = 60
      $0.datacenters = ["dc1", "dc2"]
      $0.taskGroups[0].count = 3
      $0.taskGroups[0].tasks[0].env = ["FOO": "2", "BAR": "x"]
      $0.taskGroups[0].tasks[0].config["args"] = ["-p", "6380"]
    }
    var diff = JobDiff(from: Self.job(), to: new)
    #expect(diff.type == .edited)
    #expect(diff.fields.map { [$0.type.rawValue, $0.name, $0.old, $0.new] } == [["Edited", "Priority", "50", "60"]])
    let datacenters = try #require(diff.objects.first)
    #expect(
      datacenters.fields.map { [$0.type.rawValue, $0.name, $0.old, $0.new] } == [
        ["None", "Datacenters", "dc1", "dc1"], ["Added", "Datacenters", "", "dc2"],
      ])
    var desired = DesiredUpdates()
    desired.place = 2
    desired.destructiveUpdate = 1
    var annotations = PlanAnnotations()
    annotations.desiredTGUpdates = ["cache": desired]
    diff.annotate(with: annotations)
    let group = try #require(diff.taskGroups.first)
    #expect(group.updates == ["create": 2, "create/destroy update": 1])
    #expect(group.fields.map(\.annotations) == [["forces create"]])
    let task = try #require(group.tasks.first)
    #expect(task.annotations == ["forces create/destroy update"])
    #expect(
      task.fields.map { [$0.type.rawValue, $0.name, $0.old, $0.new] } == [
        ["Added", "Env[BAR]", "", "x"], ["Edited", "Env[FOO]", "1", "2"],
      ])
    // Objects list what stayed beside what changed.
    #expect(
      task.objects.first?.fields.map { [$0.type.rawValue, $0.name] } == [
        ["None", "args[0]"], ["Edited", "args[1]"], ["None", "command"], ["None", "port_map[0][db]"],
      ])
  }

  @Test func whatATaskTakesInPlace() throws {
    let new = Self.job { $0.taskGroups[0].tasks[0].killTimeout = .seconds(9) }
    var diff = JobDiff(from: Self.job(), to: new)
    diff.annotate(with: PlanAnnotations())
    #expect(diff.taskGroups.first?.tasks.first?.annotations == ["forces in-place update"])
  }

  @Test func anElementWithoutAKeyIsDeletedAndAdded() throws {
    let new = Self.job { $0.taskGroups[0].networks[0].dynamicPorts[0].to = 80 }
    let objects = try #require(JobDiff(from: Self.job(), to: new).taskGroups.first?.objects)
    #expect(objects.map { [$0.type.rawValue, $0.name] } == [["Deleted", "Network"], ["Added", "Network"]])
  }

  @Test func groupsComeAndGo() {
    let new = Self.job { $0.taskGroups[0].name = "web" }
    let diff = JobDiff(from: Self.job(), to: new)
    #expect(diff.taskGroups.map { [$0.type.rawValue, $0.name] } == [["Deleted", "cache"], ["Added", "web"]])
    #expect(JobDiff(from: Self.job(), to: nil).type == .deleted)
  }

  @Test func orderOfAListCounts() throws {
    var service = Service()
    service.name = "web"
    service.tags = ["a", "b"]
    let old = Self.job { $0.taskGroups[0].services = [service] }
    service.tags = ["b", "a"]
    let new = Self.job { $0.taskGroups[0].services = [service] }
    let object = try #require(JobDiff(from: old, to: new).taskGroups.first?.objects.first)
    #expect(object.type == .edited && object.name == "Service")
    #expect(object.objects.first?.fields.map(\.name) == ["Tags[0]", "Tags[1]"])
  }
}
