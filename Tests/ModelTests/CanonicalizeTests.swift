import Codec
import Model
import Testing

/// The defaults that the job specification documents; the golden answers hold many more cases where they are at hand.
struct CanonicalizeTests {
  static func canonical(_ type: String, _ more: String = "") throws -> Job {
    var job = try JSON.decode(
      Job.self,
      from: """
        {"ID":"a","Type":"\(type)","TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Driver":"exec"\(more)}]}]}
        """)
    job.canonicalize()
    return job
  }

  @Test func serviceJob() throws {
    let job = try Self.canonical("service")
    #expect(job.name == "a" && job.namespace == "default" && job.region == "global" && job.priority == 50)
    let group = job.taskGroups[0]
    #expect(group.count == 1)
    #expect(group.ephemeralDisk?.sizeMB == 300)
    #expect(group.restartPolicy?.attempts == 2 && group.restartPolicy?.interval == .minutes(30))
    #expect(group.restartPolicy?.delay == .seconds(15) && group.restartPolicy?.mode == "fail")
    #expect(group.reschedulePolicy?.unlimited == true && group.reschedulePolicy?.delay == .seconds(30))
    #expect(group.reschedulePolicy?.delayFunction == "exponential" && group.reschedulePolicy?.maxDelay == .hours(1))
    #expect(group.update?.maxParallel == 1 && group.update?.healthyDeadline == .minutes(5))
    #expect(group.update?.progressDeadline == .minutes(10) && group.update?.minHealthyTime == .seconds(10))
    #expect(group.migrate?.maxParallel == 1 && group.migrate?.healthCheck == "checks")
    let task = group.tasks[0]
    #expect(task.resources?.cpu == 100 && task.resources?.memoryMB == 300 && task.resources?.cores == 0)
    #expect(task.logConfig?.maxFiles == 10 && task.logConfig?.maxFileSizeMB == 10)
    #expect(task.killTimeout == .seconds(5))
    #expect(task.restartPolicy == group.restartPolicy)
  }

  @Test func batchJob() throws {
    let group = try Self.canonical("batch").taskGroups[0]
    #expect(group.restartPolicy?.attempts == 3 && group.restartPolicy?.interval == .hours(24))
    #expect(group.reschedulePolicy?.attempts == 1 && group.reschedulePolicy?.delay == .seconds(5))
    #expect(group.reschedulePolicy?.unlimited == false && group.reschedulePolicy?.delayFunction == "constant")
    #expect(group.update == nil && group.migrate == nil)
  }

  @Test func systemJob() throws {
    let group = try Self.canonical("system").taskGroups[0]
    #expect(group.reschedulePolicy == nil && group.migrate == nil)
    #expect(group.update?.stagger == .seconds(30))
  }

  @Test func coresStandInsteadOfAShare() throws {
    let job = try Self.canonical("service", #","Resources":{"Cores":2}"#)
    #expect(job.taskGroups[0].tasks[0].resources?.cpu == 0)
  }

  @Test func theJobsStrategyHoldsWhereTheGroupsIsOpen() throws {
    var job = try JSON.decode(
      Job.self,
      from: """
        {"ID":"a","Update":{"MaxParallel":4,"Canary":2},"Migrate":{"MinHealthyTime":"20s"},
         "TaskGroups":[{"Name":"g","Update":{"Canary":1},"RestartPolicy":{"Attempts":7},
           "Tasks":[{"Name":"t","RestartPolicy":{"Delay":"1s"}}]}]}
        """)
    job.canonicalize()
    let group = job.taskGroups[0]
    #expect(group.update?.maxParallel == 4 && group.update?.canary == 1)
    #expect(group.migrate?.minHealthyTime == .seconds(20))
    #expect(group.tasks[0].restartPolicy?.attempts == 7 && group.tasks[0].restartPolicy?.delay == .seconds(1))
  }

  @Test func theChecksRestartHoldsWhereTheServicesIsOpen() throws {
    var job = try JSON.decode(
      Job.self,
      from: """
        {"ID":"a","TaskGroups":[{"Name":"g","Services":[{"OnUpdate":"ignore","CheckRestart":{"Limit":3,"Grace":"9s"},
         "Checks":[{"Type":"tcp"},{"Type":"tcp","CheckRestart":{"Limit":5}}]}]}]}
        """)
    job.canonicalize()
    let service = job.taskGroups[0].services[0]
    #expect(service.name == "a-g" && service.provider == "consul" && service.addressMode == "auto")
    #expect(service.checks.map(\.checkRestart?.limit) == [3, 5])
    #expect(service.checks.map(\.checkRestart?.grace) == [.seconds(9), .seconds(9)])
    #expect(service.checks.map(\.onUpdate) == ["ignore", "ignore"])
  }

  @Test func whatAServerDecides() throws {
    var job = try Self.canonical("service")
    #expect(job.datacenters == [] && job.nodePool == "")
    job.fillRegistrationDefaults()
    #expect(job.datacenters == ["*"] && job.nodePool == "default")
  }
}

struct StubTests {
  @Test func namesOfAllocations() {
    var allocation = Allocation()
    allocation.name = Allocation.name(job: "a[1]", group: "g", index: 12)
    #expect(allocation.name == "a[1].g[12]" && allocation.index == 12)
    for bad in ["", "a", "a]", "a[x]", "a[]"] {
      allocation.name = bad
      #expect(allocation.index == nil)
    }
  }

  @Test func addressesOfNodes() {
    var node = Node()
    node.httpAddr = "10.0.0.1:4646"
    #expect(NodeListStub(node).address == "10.0.0.1")
    node.httpAddr = "[::1]:4646"
    #expect(NodeListStub(node).address == "[::1]")
  }

  /// Whatever a stub and its object have under one name is the same in both.
  @Test func stubsSayWhatTheObjectSays() throws {
    func check<A: Record, B: Record>(_ object: A, _ stub: B, except: Set<String>) throws {
      let object = try JSON.decode(JSONObject.self, from: JSON.encode(object))
      let stub = try JSON.decode(JSONObject.self, from: JSON.encode(stub))
      for (key, value) in stub.members where !except.contains(key) {
        #expect(object[key] == nil || object[key] == value, "\(A.self).\(key)")
        #expect(value != .null && value != "" && value != 0, "\(B.self).\(key) is not filled in")
      }
    }
    func filled<R: Record>(_ type: R.Type) -> R {
      var filler = Filler()
      var value = R()
      value.visit(&filler)
      return value
    }
    let allocation = filled(Allocation.self)
    try check(
      allocation, AllocationListStub(allocation, jobType: .batch, resources: true),
      except: ["ClientStatus", "DesiredStatus"])
    let evaluation = filled(Evaluation.self)
    try check(evaluation, EvaluationStub(evaluation), except: ["Status"])
    let job = filled(Job.self)
    try check(
      job, JobListStub(job, summary: JobSummary(), meta: true),
      except: ["Periodic", "ParameterizedJob", "JobSummary", "Multiregion"])
    let node = filled(Node.self)
    try check(
      node, NodeListStub(node, resources: true, attributes: node.attributes),
      except: ["Status", "SchedulingEligibility", "Version"])
  }
}
