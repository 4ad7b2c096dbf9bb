import Codec
import Model
import Testing

@testable import State

/// Makes entries from a seed, most of them sensible, some of them not.
struct Workload {
  var generator: SeededGenerator
  var nextID: UInt64 = 1
  var nodes: [Identifier] = []
  var allocations: [Identifier] = []
  var evaluations: [Identifier] = []
  var deployments: [Identifier] = []

  init(seed: UInt64) { generator = SeededGenerator(state: seed) }

  mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
  mutating func chance(_ percent: Int) -> Bool { pick(100) < percent }
  mutating func newID() -> Identifier {
    nextID += 1
    return Identifier(using: &generator)
  }
  mutating func some(_ ids: [Identifier]) -> Identifier { ids.isEmpty || chance(2) ? newID() : ids[pick(ids.count)] }
  mutating func jobName() -> String { "job-\(pick(6))" }

  mutating func evaluation(_ job: String) -> Evaluation {
    var evaluation = makeEvaluation(0, job: job)
    evaluation.id = !evaluations.isEmpty && chance(50) ? some(evaluations) : newID()
    evaluation.status = EvaluationStatus.allCases[pick(5)]
    if chance(30) { evaluation.queuedAllocations = ["web": pick(4), "db": pick(3)] }
    evaluations.append(evaluation.id)
    return evaluation
  }

  mutating func entry(_ reader: StateReader) -> LogEntry {
    switch pick(27) {
    case 0...2:
      var payload = JobRegistration()
      let groups = [["web"], ["web", "db"], ["db", "web", "job"]][pick(3)]
      payload.job = makeJob(jobName(), type: [.service, .batch, .system][pick(3)], count: pick(5), groups: groups)
      if chance(20) { payload.job.parentID = jobName() }
      if chance(25) { payload.job.parameterizedJob = ParameterizedJobConfig() }
      if chance(15) { payload.job.periodic = PeriodicConfig() }
      if chance(30) {
        var submission = JobSubmission()
        submission.source = "job \(pick(9))"
        payload.submission = submission
      }
      if chance(60) { payload.evaluations = [evaluation(payload.job.id)] }
      return .jobRegistration(payload)
    case 3:
      var payload = JobDeregistration()
      payload.namespace = "default"
      payload.jobID = jobName()
      payload.purge = chance(40)
      if chance(50) { payload.evaluations = [evaluation(payload.jobID)] }
      return .jobDeregistration(payload)
    case 4...5:
      var payload = NodeRegistration()
      var node = makeNode(0, cpu: 1_000 * Int64(1 + pick(4)), nodeClass: ["", "big"][pick(2)])
      node.id = nodes.isEmpty || chance(40) ? newID() : some(nodes)
      node.secretID = node.id
      node.status = NodeStatus.allCases[pick(4)]
      nodes.append(node.id)
      payload.node = node
      return .nodeRegistration(payload)
    case 6:
      var payload = NodeDeregistration()
      payload.nodes = [some(nodes)]
      return .nodeDeregistration(payload)
    case 7:
      var change = NodeStatusChange()
      change.node = some(nodes)
      change.status = NodeStatus.allCases[pick(4)]
      change.missedHeartbeat = chance(50)
      change.message = chance(50) ? "heartbeat missed" : ""
      var payload = NodeStatusUpdate()
      payload.updates = [change]
      return .nodeStatusUpdate(payload)
    case 8:
      var payload = NodeDrainUpdate()
      payload.node = some(nodes)
      payload.strategy = chance(50) ? DrainStrategy() : nil
      payload.markEligible = chance(70)
      return .nodeDrainUpdate(payload)
    case 9:
      var payload = EvaluationUpdate()
      payload.evaluations = [evaluation(jobName()), evaluation(jobName())]
      return .evaluationUpdate(payload)
    case 10...15:
      return .planResult(plan(reader))
    case 16...19:
      var payload = AllocationClientUpdates()
      payload.updates = (0...pick(3)).map { _ in
        var update = AllocationStatusChange()
        update.id = some(allocations)
        update.clientStatus = AllocationClientStatus.allCases[pick(6)]
        if chance(40) {
          var state = TaskState()
          state.state = .running
          state.events = [TaskEvent(.started, time: 5, message: "Task started by client")]
          update.taskStates = ["main": state]
        }
        if chance(40) {
          var health = AllocDeploymentStatus()
          health.healthy = chance(60)
          update.deploymentStatus = health
        }
        return update
      }
      return .allocationClientUpdates(payload)
    case 20:
      var payload = AllocationTransitions()
      payload.allocations = [some(allocations)]
      payload.transition.migrate = true
      return .allocationTransitions(payload)
    case 21:
      var change = DeploymentStatusChange()
      change.deployment = some(deployments)
      change.status = DeploymentStatus.allCases[pick(5)]
      var payload = DeploymentStatusUpdates()
      payload.updates = [change]
      return .deploymentStatusUpdates(payload)
    case 24:
      var payload = ChildJobLaunch()
      payload.namespace = "default"
      payload.parentID = jobName()
      payload.childID = "\(payload.parentID)/\(pick(4))"
      if chance(50) { payload.launchTime = Timestamp(nanoseconds: Int64(1 + pick(1000))) }
      if chance(30) { payload.meta = ["a": "b"] }
      if chance(60) { payload.evaluations = [evaluation(payload.childID)] }
      return .childJobLaunch(payload)
    case 26:
      var payload = VariableChange()
      payload.namespace = chance(90) ? "default" : "none"
      payload.path = "a/\(pick(5))"
      if chance(75) { payload.sealed = Blob([UInt8](repeating: UInt8(pick(200)), count: 12)) }
      if chance(20) { payload.expectedIndex = UInt64(pick(30)) }
      return .variableChange(payload)
    case 25:
      var payload = JobScaling()
      payload.namespace = "default"
      payload.jobID = jobName()
      payload.group = ["web", "db"][pick(2)]
      payload.event.count = chance(60) ? Int64(pick(6)) : nil
      payload.event.message = "event"
      return .jobScaling(payload)
    case 22:
      var payload = DeploymentHealth()
      payload.deployment = some(deployments)
      let of = reader.allocations(ofDeployment: payload.deployment).map(\.value.id)
      payload.healthy = of.filter { _ in chance(50) }
      return .deploymentHealth(payload)
    default:
      var payload = Reaping()
      payload.allocations = (0..<pick(3)).map { _ in some(allocations) }
      payload.evaluations = (0..<pick(3)).map { _ in some(evaluations) }
      payload.deployments = chance(20) ? [some(deployments)] : []
      return .reaping(payload)
    }
  }

  private mutating func plan(_ reader: StateReader) -> PlanResult {
    var plan = PlanResult()
    plan.evaluationID = some(evaluations)
    plan.namespace = "default"
    plan.jobID = jobName()
    let job = reader.job(JobKey("default", plan.jobID))
    plan.jobVersion = job?.spec.value.version ?? 0
    let present = nodes.filter { reader.node($0) != nil }
    if !present.isEmpty { plan.nodes = (0...pick(3)).map { _ in present[pick(present.count)] } }
    if chance(30), job != nil {
      var deployment = Deployment()
      deployment.id = newID()
      deployment.namespace = "default"
      deployment.jobID = plan.jobID
      deployment.jobVersion = plan.jobVersion
      var group = DeploymentState()
      group.progressDeadline = .seconds(60)
      deployment.taskGroups = ["web": group]
      plan.deployment = deployment
      plan.deploymentID = deployment.id
      deployments.append(deployment.id)
    }
    if !plan.nodes.isEmpty {
      plan.placements = (0..<pick(6)).map { number in
        var placement = Placement()
        placement.id = chance(1) ? some(allocations) : newID()
        placement.node = pick(plan.nodes.count)
        placement.group = pick(job?.spec.value.taskGroups.count ?? 1)
        placement.nameIndex = number
        placement.canary = chance(20)
        if chance(50) { placement.ports = [makePort(20_000 + pick(50))] }
        if chance(20) { placement.previous = some(allocations) }
        allocations.append(placement.id)
        return placement
      }
    }
    plan.changes = (0..<pick(4)).map { _ in
      var change = AllocationChange()
      change.id = allocations.isEmpty ? newID() : allocations[pick(allocations.count)]
      if chance(50) { change.desiredStatus = .stop }
      if chance(20) { change.clientStatus = .lost }
      change.updatesJob = chance(10)
      return change
    }.filter { reader.allocation($0.id) != nil || chance(2) }
    return plan
  }
}

/// Computes anew everything that the state keeps beside its records, and compares.
func expectDerivedDataIsRight(_ state: State, _ comment: Comment) {
  let reader = state.reader
  var byNode: [Identifier: Set<Identifier>] = [:]
  var byJob: [JobKey: Set<Identifier>] = [:]
  var byEvaluation: [Identifier: Set<Identifier>] = [:]
  var byDeployment: [Identifier: Set<Identifier>] = [:]
  var activity: [JobKey: JobActivity] = [:]
  var columns = NodeColumns()
  for (_, node) in reader.nodes { columns.set(node) }
  for (id, record) in reader.allocations {
    let allocation = record.value
    byNode[allocation.nodeID, default: []].insert(id)
    byJob[allocation.jobKey, default: []].insert(id)
    byEvaluation[allocation.evalID, default: []].insert(id)
    if !allocation.deploymentID.isNone { byDeployment[allocation.deploymentID, default: []].insert(id) }
    activity[allocation.jobKey, default: JobActivity()].count(allocation, 1)
    if allocation.holdsResources, let slot = columns.slot(of: allocation.nodeID) {
      columns.take(allocation, slot)
    }
  }
  var evaluationsByJob: [JobKey: Set<Identifier>] = [:]
  for (id, record) in reader.evaluations {
    let key = JobKey(record.value.namespace, record.value.jobID)
    evaluationsByJob[key, default: []].insert(id)
    activity[key, default: JobActivity()].count(record.value, 1)
  }
  var deploymentsByJob: [JobKey: Set<Identifier>] = [:]
  for (id, record) in reader.deployments {
    deploymentsByJob[JobKey(record.value.namespace, record.value.jobID), default: []].insert(id)
  }
  var jobsByParent: [JobKey: Set<String>] = [:]
  for (key, job) in reader.jobs {
    if let parent = job.spec.value.parentID { jobsByParent[JobKey(key.namespace, parent), default: []].insert(key.id) }
    #expect(State.status(of: job, activity[key]) == job.status, "\(key) \(comment)")
  }
  func sets<Key: Hashable>(_ table: OrderedTable<Key, StateReader.IdentifierSet>) -> [Key: Set<Identifier>] {
    Dictionary(uniqueKeysWithValues: table.map { ($0.key, Set($0.value.map(\.key))) })
  }
  #expect(sets(reader.allocationsByNode) == byNode, comment)
  #expect(sets(reader.allocationsByJob) == byJob, comment)
  #expect(sets(reader.allocationsByEvaluation) == byEvaluation, comment)
  #expect(sets(reader.allocationsByDeployment) == byDeployment, comment)
  #expect(sets(reader.evaluationsByJob) == evaluationsByJob, comment)
  #expect(sets(reader.deploymentsByJob) == deploymentsByJob, comment)
  #expect(
    Dictionary(uniqueKeysWithValues: reader.jobsByParent.map { ($0.key, Set($0.value.map(\.key.text))) })
      == jobsByParent, comment)
  #expect(
    Dictionary(uniqueKeysWithValues: reader.activity.map { ($0.key, $0.value) })
      == activity.filter { !$0.value.isEmpty }, comment)
  for (id, _) in reader.nodes {
    guard let kept = state.columns.slot(of: id), let fresh = columns.slot(of: id) else {
      Issue.record("node \(id) has no slot, \(comment)")
      continue
    }
    #expect(state.columns.cpuUsed[kept] == columns.cpuUsed[fresh], comment)
    #expect(Set(state.columns.held[kept]) == Set(columns.held[fresh]), comment)
    #expect(state.columns.held[kept].count == columns.held[fresh].count, comment)
    #expect(state.columns.named[kept] == columns.named[fresh], comment)
    #expect(state.columns.cores[kept] == columns.cores[fresh], comment)
    #expect(state.columns.memoryUsed[kept] == columns.memoryUsed[fresh], comment)
    #expect(state.columns.diskUsed[kept] == columns.diskUsed[fresh], comment)
    #expect(state.columns.cpuTotal[kept] == columns.cpuTotal[fresh], comment)
    #expect(state.columns.allocationCount[kept] == columns.allocationCount[fresh], comment)
    #expect(state.columns.ports[kept] == columns.ports[fresh], comment)
    #expect(state.columns.flags[kept] == columns.flags[fresh], comment)
    let (class1, class2) = (state.columns.computedClass[kept], columns.computedClass[fresh])
    #expect(state.columns.classes[Int(class1)].name == columns.classes[Int(class2)].name, comment)
    #expect(state.columns.classes[Int(class1)].members == columns.classes[Int(class2)].members, comment)
    let example = state.columns.classes[Int(class1)].example.value
    #expect(reader.node(example.id)?.value.computedClass == example.computedClass, comment)
  }
  #expect(state.columns.flags.filter { $0.contains(.present) }.count == reader.nodes.count, comment)
}

@Suite struct PropertyTests {
  /// Records, indexes, counts and columns agree after any sequence of entries; refused entries change nothing; a copy of
  /// the tables never changes; a second state that reads the same entries out of their bytes is the same; a state out of
  /// a snapshot goes on the same way.
  @Test(arguments: 1...6) func anySequenceOfEntriesKeepsEverythingInStep(seed: Int) throws {
    var workload = Workload(seed: UInt64(seed))
    var cluster = Cluster()
    var follower = State()
    var restored: State?
    var copies: [(StateReader, UInt64)] = []
    var refused = 0
    let steps = 600
    for step in 0..<steps {
      let entry = workload.entry(cluster.state.reader)
      let before = step % 25 == 0 ? cluster.contents : nil
      let bytes = entry.encoded(at: Timestamp(nanoseconds: Int64(cluster.index + 1) * 1_000_000_000))
      do throws(StateError) {
        try cluster.apply(entry)
      } catch {
        refused += 1
        if let before { #expect(cluster.contents == before, "seed \(seed) step \(step): \(error)") }
      }
      let (decoded, time) = try LogEntry.decode(kind: entry.kind, bytes: bytes)
      #expect(decoded == entry)
      _ = follower.apply(decoded, index: cluster.index, time: time)
      _ = restored?.apply(decoded, index: cluster.index, time: time)
      if step % 100 == 99 {
        expectDerivedDataIsRight(cluster.state, "seed \(seed) step \(step)")
        #expect(follower.digest == cluster.state.digest)
        if let restored { #expect(restored.digest == cluster.state.digest) }
        copies.append((cluster.state.reader, cluster.state.digest))
      }
      if step == steps / 2 {
        restored = try roundTrip(cluster.state, pieces: 1_000)
        if let restored { expectDerivedDataIsRight(restored, "restored, seed \(seed)") }
      }
    }
    for (reader, digest) in copies {
      var state = State()
      state.reader = reader
      #expect(state.digest == digest)
    }
    #expect(cluster.state.reader.allocations.count > 50)
    #expect(refused > 10 && refused < steps / 2)
  }

  /// What was applied and has not happened leaves no trace, neither in the tables nor in the columns; and the entries that
  /// take its place give what they give on a server that never applied the others.
  @Test(arguments: 1...6) func goingBackLeavesNoTrace(seed: Int) throws {
    var workload = Workload(seed: UInt64(seed))
    var cluster = Cluster()
    for _ in 0..<200 { _ = try? cluster.apply(workload.entry(cluster.state.reader)) }
    for round in 0..<20 {
      let (kept, index, digest) = (cluster.state.reader, cluster.index, cluster.state.digest)
      var undone: [Changes] = []
      for step in 0..<15 {
        let time = Timestamp(nanoseconds: Int64(index) * 1_000_000_000)
        let entry = workload.entry(cluster.state.reader)
        if case .success(let changes) = cluster.state.apply(entry, index: index + UInt64(step) + 1, time: time) {
          undone.append(changes)
        }
      }
      try #require(!undone.isEmpty)
      cluster.state.rewind(to: kept, undoing: undone)
      #expect(cluster.state.digest == digest, "seed \(seed) round \(round)")
      expectDerivedDataIsRight(cluster.state, "seed \(seed) round \(round)")
      for _ in 0..<10 { _ = try? cluster.apply(workload.entry(cluster.state.reader)) }
      expectDerivedDataIsRight(cluster.state, "after another future, seed \(seed) round \(round)")
    }
  }

  /// A snapshot's state takes the place of another; indexes go on upwards; going back behind it brings the old one back.
  @Test func theStateOfASnapshotTakesThePlaceOfAnother() throws {
    var workload = Workload(seed: 11)
    var saved = Cluster()
    for _ in 0..<300 { _ = try? saved.apply(workload.entry(saved.state.reader)) }
    var other = Workload(seed: 12)
    var cluster = Cluster()
    for _ in 0..<50 { _ = try? cluster.apply(other.entry(cluster.state.reader)) }
    let (before, digest) = (cluster.state.reader, cluster.state.digest)
    let id = Identifier(random: 1, 2)
    var encoder = StateEncoder(saved.state.reader)
    var number = 0
    while let bytes = encoder.next(bytes: 4_000) {
      var piece = RestorePiece()
      (piece.id, piece.number, piece.bytes) = (id, number, Blob(bytes))
      try cluster.apply(.restorePiece(piece))
      number += 1
    }
    try #require(number > 3)
    // What is staged is in a snapshot, too: a server that starts from one in between goes on.
    cluster.state = try roundTrip(cluster.state, pieces: 1_000)
    var end = RestoreEnd()
    (end.id, end.pieces) = (id, number + 1)
    #expect(throws: StateError.self) { try cluster.apply(.restoreEnd(end)) }
    end.pieces = number
    let changes = try cluster.apply(.restoreEnd(end))
    #expect(changes.isRestoration)
    let reader = cluster.state.reader
    #expect(reader.allocations.count == saved.state.reader.allocations.count)
    #expect(reader.index > saved.state.reader.index && reader.index(of: .jobs) == reader.index)
    #expect(reader.index == cluster.index + reader.indexOffset && reader.indexOffset > 0)
    expectDerivedDataIsRight(cluster.state, "restored")
    var again = cluster.state
    for step in 1...30 {
      let time = Timestamp(nanoseconds: Int64(step))
      _ = again.apply(workload.entry(again.reader), index: reader.index + UInt64(step), time: time)
    }
    expectDerivedDataIsRight(again, "after the restoration")
    cluster.state.rewind(to: before, undoing: [changes])
    #expect(cluster.state.digest == digest)
    expectDerivedDataIsRight(cluster.state, "back before the restoration")
  }

  func roundTrip(_ state: State, pieces: Int) throws -> State {
    var encoder = StateEncoder(state.reader)
    var decoder = StateDecoder()
    while let piece = encoder.next(bytes: pieces) { try decoder.add(piece) }
    let result = try decoder.finish()
    #expect(result.digest == state.digest)
    return result
  }

  /// Runs in a fresh process each time, with another hash seed: the digest is always this one.
  @Test func theSameEntriesGiveTheSameStateInEveryProcess() throws {
    var workload = Workload(seed: 4_711)
    var cluster = Cluster()
    for _ in 0..<400 { _ = try? cluster.apply(workload.entry(cluster.state.reader)) }
    #expect(cluster.state.digest == 13_337_617_786_827_210_237)
  }

  @Test func damagedSnapshotsAreRefused() throws {
    var workload = Workload(seed: 3)
    var cluster = Cluster()
    for _ in 0..<200 { _ = try? cluster.apply(workload.entry(cluster.state.reader)) }
    var encoder = StateEncoder(cluster.state.reader)
    let all = encoder.next(bytes: 1 << 24)
    let whole = try #require(all)
    let more = encoder.next()
    #expect(more == nil)
    var decoder = StateDecoder()
    try decoder.add(Array(whole.dropLast(2)))
    #expect(throws: CodecError.self) { try decoder.finish() }
    for cut in stride(from: 1, to: whole.count - 3, by: 997) {
      #expect(throws: CodecError.self) {
        var decoder = StateDecoder()
        try decoder.add(Array(whole[..<cut]))
        _ = try decoder.finish()
      }
    }
    // A tag from the future is passed over.
    decoder = StateDecoder()
    try decoder.add(Array(whole.dropLast(2)))
    try decoder.add([99, 3, 1, 2, 3])
    try decoder.add(Array(whole.suffix(2)))
    #expect(try decoder.finish().digest == cluster.state.digest)
    decoder = StateDecoder()
    #expect(throws: CodecError.self) { try decoder.add([9, 1, 0]) }
  }

  @Test func unknownEntriesAndRubbishAreRefused() {
    #expect(throws: CodecError.self) { try LogEntry.decode(kind: 250, bytes: [UInt8](repeating: 0, count: 8)) }
    #expect(throws: CodecError.self) { try LogEntry.decode(kind: 1, bytes: [1, 2, 3]) }
    var generator = SeededGenerator(state: 1)
    for kind in UInt8(1)...22 {
      for length in 8..<60 {
        let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // Whatever comes out, it neither crashes nor goes on for long.
        _ = try? LogEntry.decode(kind: kind, bytes: bytes)
      }
    }
  }
}
