import Codec
import Model
import Testing

struct ValidateTests {
  typealias Change = @Sendable (inout Job) -> Void

  @Test func aGoodJobHasNoErrors() {
    #expect(JobDiffTests.job().validate() == [])
    #expect(JobDiffTests.job().warnings() == [])
  }

  /// Each mistake gives exactly one error that names the block.
  static let mistakes: [(String, Change)] = [
    (
      "job: the job has no id",
      {
        $0.id = ""; $0.name = "x"
      }
    ),
    ("job: the id \"a b\" has a space", { $0.id = "a b" }),
    ("job: priority is 0", { $0.priority = 0 }),
    ("job: priority is 101", { $0.priority = 101 }),
    (
      "job: type is \"cron\"",
      {
        $0.type = "cron"; $0.taskGroups[0].migrate = nil
      }
    ),
    ("job: a datacenter is the empty string", { $0.datacenters = [""] }),
    ("job: the job has no group", { $0.taskGroups = [] }),
    ("job: there are several groups called \"cache\"", { $0.taskGroups.append($0.taskGroups[0]) }),
    (
      "periodic: a job of type \"service\" can't be periodic",
      {
        $0.periodic = PeriodicConfig(); $0.periodic?.spec = "* * * * *"
      }
    ),
    ("constraint: operator is \"~\"", { $0.constraints = [constraint("${attr.cpu.arch}", "~", "x")] }),
    ("constraint: value is missing", { $0.constraints = [constraint("${attr.cpu.arch}", "=", "")] }),
    ("constraint: attribute is missing", { $0.constraints = [constraint("", "=", "x")] }),
    ("constraint: is_set takes no value", { $0.constraints = [constraint("${meta.x}", "is_set", "1")] }),
    ("group \"cache\": count is -1", { $0.taskGroups[0].count = -1 }),
    ("group \"cache\": the group has no task", { $0.taskGroups[0].tasks = [] }),
    (
      "group \"cache\": there are several tasks called \"redis\"",
      { $0.taskGroups[0].tasks.append($0.taskGroups[0].tasks[0]) }
    ),
    (
      "group \"cache\" > restart: mode is \"retry\"",
      {
        $0.taskGroups[0].restartPolicy = restart { $0.mode = "retry" };
        $0.taskGroups[0].tasks[0].restartPolicy = restart { $0.mode = "fail" }
      }
    ),
    (
      "group \"cache\" > reschedule: delay is 1s",
      { $0.taskGroups[0].reschedulePolicy = reschedule { $0.delay = .seconds(1) } }
    ),
    ("group \"cache\" > update: auto_promote needs canaries", { $0.update = update { $0.autoPromote = true } }),
    ("group \"cache\" > update: healthy_deadline", { $0.update = update { $0.progressDeadline = .minutes(1) } }),
    ("group \"cache\" > update: min_healthy_time", { $0.update = update { $0.minHealthyTime = .hours(1) } }),
    (
      "group \"cache\" > ephemeral_disk: size is 5",
      {
        $0.taskGroups[0].ephemeralDisk = EphemeralDisk(); $0.taskGroups[0].ephemeralDisk?.sizeMB = 5;
        $0.taskGroups[0].tasks[0].logConfig = LogConfig(); $0.taskGroups[0].tasks[0].logConfig?.disabled = true
      }
    ),
    ("group \"cache\" > network: mode is \"vlan\"", { $0.taskGroups[0].networks[0].mode = "vlan" }),
    (
      "group \"cache\" > network: port label \"db\" is there twice",
      { $0.taskGroups[0].networks[0].dynamicPorts.append($0.taskGroups[0].networks[0].dynamicPorts[0]) }
    ),
    (
      "group \"cache\" > network: port \"web\": static is 70000",
      { $0.taskGroups[0].networks[0].reservedPorts = [port("web", 70000)] }
    ),
    (
      "group \"cache\" > network: ports \"a\" and \"b\" are both static 80",
      { $0.taskGroups[0].networks[0].reservedPorts = [port("a", 80), port("b", 80)] }
    ),
    ("group \"cache\" > task \"a/b\": the name can't be a directory's", { $0.taskGroups[0].tasks[0].name = "a/b" }),
    ("group \"cache\" > task \"redis\": driver is missing", { $0.taskGroups[0].tasks[0].driver = "" }),
    (
      "group \"cache\" > task \"redis\" > resources: memory is 5",
      { $0.taskGroups[0].tasks[0].resources = resources { $0.memoryMB = 5 } }
    ),
    (
      "group \"cache\" > task \"redis\" > resources: both cpu and cores",
      {
        $0.taskGroups[0].tasks[0].resources = resources {
          $0.cpu = 5; $0.cores = 1
        }
      }
    ),
    (
      "group \"cache\" > task \"redis\" > resources: memory_max (100)",
      { $0.taskGroups[0].tasks[0].resources = resources { $0.memoryMaxMB = 100 } }
    ),
    (
      "group \"cache\" > task \"redis\" > logs: max_files × max_file_size",
      {
        $0.taskGroups[0].tasks[0].logConfig = LogConfig(); $0.taskGroups[0].tasks[0].logConfig?.maxFiles = 100
      }
    ),
    ("group \"cache\" > task \"redis\" > env: \"A=B\"", { $0.taskGroups[0].tasks[0].env = ["A=B": "1"] }),
    (
      "group \"cache\" > task \"redis\" > template: there is nothing to render",
      { $0.taskGroups[0].tasks[0].templates = [template { $0.embeddedTmpl = nil }] }
    ),
    (
      "group \"cache\" > task \"redis\" > template: destination \"../../x\"",
      { $0.taskGroups[0].tasks[0].templates = [template { $0.destPath = "../../x" }] }
    ),
    (
      "group \"cache\" > task \"redis\" > template: perms is \"rw\"",
      { $0.taskGroups[0].tasks[0].templates = [template { $0.perms = "rw" }] }
    ),
    (
      "group \"cache\" > task \"redis\" > lifecycle: hook is missing",
      { $0.taskGroups[0].tasks[0].lifecycle = TaskLifecycle() }
    ),
    (
      "group \"cache\" > task \"redis\" > volume_mount \"data\": the group has no volume \"data\"",
      { $0.taskGroups[0].tasks[0].volumeMounts = [mount()] }
    ),
    (
      "group \"cache\" > service \"web\": there is no port \"http\"; the ports are \"db\"",
      { $0.taskGroups[0].services = [service { $0.portLabel = "http" }] }
    ),
    (
      "group \"cache\" > service \"a_b\": the name must be",
      { $0.taskGroups[0].services = [service { $0.name = "a_b" }] }
    ),
    (
      "group \"cache\" > service \"web\" > check \"c\": interval is 0s",
      { $0.taskGroups[0].services = [service { $0.checks = [check { $0.interval = .zero }] }] }
    ),
    (
      "group \"cache\" > service \"web\" > check \"c\": path is missing",
      { $0.taskGroups[0].services = [service { $0.checks = [check { $0.path = "" }] }] }
    ),
  ]

  @Test(arguments: mistakes.indices)
  func eachMistakeIsSaid(_ index: Int) {
    let (expected, change) = Self.mistakes[index]
    let errors = JobDiffTests.job(change).validate().map(\.description)
    #expect(errors.count == 1 && errors[0].hasPrefix(expected), "expected \(expected), got \(errors)")
  }

  @Test func allMistakesAtOnce() {
    let errors = JobDiffTests.job {
      $0.priority = 500
      $0.datacenters = [""]
      $0.taskGroups[0].count = -1
      $0.taskGroups[0].tasks[0].driver = ""
      $0.taskGroups[0].tasks[0].resources = resources { $0.memoryMB = 1 }
    }.validate()
    #expect(errors.count == 5)
  }

  @Test func warnings() {
    let warnings = JobDiffTests.job {
      $0.taskGroups[0].networks[0].mBits = 10
      $0.update = update { $0.maxParallel = 5 }
    }.warnings()
    #expect(warnings.map(\.block) == ["group \"cache\" > update", "group \"cache\" > network"])
  }
}

private func constraint(_ left: String, _ operand: String, _ right: String) -> Constraint {
  var constraint = Constraint()
  (constraint.lTarget, constraint.operand, constraint.rTarget) = (left, operand, right)
  return constraint
}

private func made<T: Record>(_ change: (inout T) -> Void) -> T {
  var value = T()
  change(&value)
  return value
}

private func restart(_ change: (inout RestartPolicy) -> Void) -> RestartPolicy { made(change) }
private func reschedule(_ change: (inout ReschedulePolicy) -> Void) -> ReschedulePolicy { made(change) }
private func update(_ change: (inout UpdateStrategy) -> Void) -> UpdateStrategy { made(change) }
private func resources(_ change: (inout Resources) -> Void) -> Resources { made(change) }
private func port(_ label: String, _ value: Int) -> Port {
  made {
    $0.label = label
    $0.value = value
  }
}
private func template(_ change: (inout Template) -> Void) -> Template {
  made {
    $0.embeddedTmpl = "x"
    $0.destPath = "local/x"
    change(&$0)
  }
}
private func mount() -> VolumeMount {
  made {
    $0.volume = "data"
    $0.destination = "/data"
  }
}
private func service(_ change: (inout Service) -> Void) -> Service {
  made {
    $0.name = "web"
    $0.portLabel = "db"
    change(&$0)
  }
}
private func check(_ change: (inout ServiceCheck) -> Void) -> ServiceCheck {
  made {
    $0.name = "c"
    $0.type = "http"
    $0.path = "/"
    $0.interval = .seconds(10)
    $0.timeout = .seconds(2)
    change(&$0)
  }
}
