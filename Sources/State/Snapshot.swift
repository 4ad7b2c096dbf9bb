// The whole state as bytes, in pieces, so that writing or reading one takes no second copy of it.
//
// A snapshot is a sequence of items: a varint tag, a varint length, a payload in the `Binary` format. Readers pass over
// tags that they don't know. A piece holds whole items; where one ends means nothing. The order is fixed, so equal states
// give equal bytes, which is what `State.digest` is made of.
//
// Jobs' versions are items of their own, numbered in their order, since allocations refer to them, also to versions that
// the job itself has dropped.

public import Codec
import Model

/// The items' tags; never given to another kind.
private enum Tag {
  static let header = 1
  static let namespace = 2
  static let nodePool = 3
  static let node = 4
  static let specification = 5
  static let job = 6
  static let evaluation = 7
  static let deployment = 8
  static let allocation = 9
  static let end = 10
  static let metric = 11
  static let variable = 12
  static let staged = 13
}

struct SnapshotHeader: Record {
  /// Raised when an older reader would misread what follows.
  static let currentFormat: UInt64 = 1
  var format: UInt64 = 0
  var index: UInt64 = 0
  var time: Timestamp = .zeroValue
  var tableIndexes: [UInt64] = []
  var schedulerConfiguration = SchedulerConfiguration()
  var autopilotConfiguration: AutopilotConfiguration?
  /// Nil for none.
  var indexOffset: UInt64?

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Format", &format)
    v.field(2, "Index", &index)
    v.field(3, "Time", &time)
    v.field(4, "TableIndexes", &tableIndexes)
    v.field(5, "SchedulerConfiguration", &schedulerConfiguration)
    v.field(6, "AutopilotConfiguration", &autopilotConfiguration)
    v.field(7, "IndexOffset", &indexOffset)
  }
}

struct JobItem: Record {
  struct Version: Record {
    var specification = 0
    var stable = false
    var tag: JobVersionTag?
    var submission: JobSubmission?
    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "Specification", &specification)
      v.field(2, "Stable", &stable)
      v.field(3, "Tag", &tag)
      v.field(4, "Submission", &submission)
    }
  }

  var versions: [Version] = []
  var status: JobStatus = ""
  var queued: [String: Int] = [:]
  var modifyIndex: UInt64 = 0
  var lastLaunch: Timestamp = .zeroValue
  var scalingEvents: [String: ScalingEvents] = [:]

  /// A list in a map needs a record of its own in the binary format.
  struct ScalingEvents: Record {
    var events: [ScalingEvent] = []
    mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "Events", &events) }
  }

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Versions", &versions)
    v.field(2, "Status", &status)
    v.field(3, "Queued", &queued)
    v.field(4, "ModifyIndex", &modifyIndex)
    v.field(5, "LastLaunch", &lastLaunch)
    v.field(6, "ScalingEvents", &scalingEvents)
  }
}

struct AllocationItem: Record {
  var id: Identifier = .none
  var specification = 0
  var group = 0
  var nameIndex = 0
  var nodeID: Identifier = .none
  var nodeName = ""
  var evalID: Identifier = .none
  var ports: [PortMapping] = []
  var desiredStatus: AllocationDesiredStatus = .run
  var clientStatus: AllocationClientStatus = .pending
  var desiredTransition: DesiredTransition?
  var desiredDescription = ""
  var clientDescription = ""
  var deploymentID: Identifier = .none
  var deploymentStatus: AllocDeploymentStatus?
  var previousAllocation: Identifier = .none
  var nextAllocation: Identifier = .none
  var followupEvalID: Identifier = .none
  var taskStates: Blob?
  var rare: StoredAllocation.RareFields?
  var createIndex: UInt64 = 0
  var modifyIndex: UInt64 = 0
  var allocModifyIndex: UInt64 = 0
  var createTime: Timestamp = .zeroValue
  var modifyTime: Timestamp = .zeroValue
  var cpu = 0
  var memory = 0
  var disk = 0
  /// The number of its metric, counted from 1; 0 for none.
  var metric = 0
  var oversubscribesMemory = false

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Specification", &specification)
    v.field(3, "Group", &group)
    v.field(4, "NameIndex", &nameIndex)
    v.field(5, "NodeID", &nodeID)
    v.field(6, "NodeName", &nodeName)
    v.field(7, "EvalID", &evalID)
    v.field(8, "Ports", &ports)
    v.field(9, "DesiredStatus", &desiredStatus)
    v.field(10, "ClientStatus", &clientStatus)
    v.field(11, "DesiredTransition", &desiredTransition)
    v.field(12, "DesiredDescription", &desiredDescription)
    v.field(13, "ClientDescription", &clientDescription)
    v.field(14, "DeploymentID", &deploymentID)
    v.field(15, "DeploymentStatus", &deploymentStatus)
    v.field(16, "PreviousAllocation", &previousAllocation)
    v.field(17, "NextAllocation", &nextAllocation)
    v.field(18, "FollowupEvalID", &followupEvalID)
    v.field(19, "TaskStates", &taskStates)
    v.field(20, "Rare", &rare)
    v.field(21, "CreateIndex", &createIndex)
    v.field(22, "ModifyIndex", &modifyIndex)
    v.field(23, "AllocModifyIndex", &allocModifyIndex)
    v.field(24, "CreateTime", &createTime)
    v.field(25, "ModifyTime", &modifyTime)
    v.field(26, "CPU", &cpu)
    v.field(27, "Memory", &memory)
    v.field(28, "Disk", &disk)
    v.field(29, "Metric", &metric)
    v.field(30, "OversubscribesMemory", &oversubscribesMemory)
  }

  init() {}

  init(_ allocation: StoredAllocation, specification: Int, metric: Int) {
    id = allocation.id
    self.metric = metric
    oversubscribesMemory = allocation.oversubscribesMemory
    self.specification = specification
    group = Int(allocation.groupIndex)
    nameIndex = Int(allocation.nameIndex)
    nodeID = allocation.nodeID
    nodeName = allocation.nodeName
    evalID = allocation.evalID
    ports = allocation.ports
    desiredStatus = allocation.desiredStatus
    clientStatus = allocation.clientStatus
    desiredTransition = allocation.desiredTransition == DesiredTransition() ? nil : allocation.desiredTransition
    desiredDescription = allocation.desiredDescription
    clientDescription = allocation.clientDescription
    deploymentID = allocation.deploymentID
    deploymentStatus = allocation.deploymentStatus
    previousAllocation = allocation.previousAllocation
    nextAllocation = allocation.nextAllocation
    followupEvalID = allocation.followupEvalID
    taskStates = allocation.encodedTaskStates.isEmpty ? nil : Blob(allocation.encodedTaskStates)
    rare = allocation.rare?.value
    createIndex = allocation.createIndex
    modifyIndex = allocation.modifyIndex
    allocModifyIndex = allocation.allocModifyIndex
    createTime = allocation.createTime
    modifyTime = allocation.modifyTime
    cpu = Int(allocation.demand.cpu)
    memory = Int(allocation.demand.memory)
    disk = Int(allocation.demand.disk)
  }

  func allocation(_ job: Shared<Job>, _ metric: Shared<PlacementMetric>?) -> StoredAllocation {
    var result = StoredAllocation(
      id: id, job: job, groupIndex: UInt16(clamping: group), nameIndex: UInt32(clamping: nameIndex), nodeID: nodeID,
      nodeName: nodeName, evalID: evalID,
      demand: Demand(cpu: Int32(clamping: cpu), memory: Int32(clamping: memory), disk: Int32(clamping: disk)),
      ports: ports)
    result.desiredStatus = desiredStatus
    result.clientStatus = clientStatus
    result.desiredTransition = desiredTransition ?? DesiredTransition()
    result.desiredDescription = desiredDescription
    result.clientDescription = clientDescription
    result.deploymentID = deploymentID
    result.deploymentStatus = deploymentStatus
    result.previousAllocation = previousAllocation
    result.nextAllocation = nextAllocation
    result.followupEvalID = followupEvalID
    result.encodedTaskStates = taskStates?.bytes ?? []
    result.rare = rare.map { Shared($0) }
    result.metric = metric
    result.oversubscribesMemory = oversubscribesMemory
    result.createIndex = createIndex
    result.modifyIndex = modifyIndex
    result.allocModifyIndex = allocModifyIndex
    result.createTime = createTime
    result.modifyTime = modifyTime
    return result
  }
}

/// Writes a state piece by piece. It works on a reader, so another thread can do it while the state goes on.
public struct StateEncoder: Sendable {
  private let reader: StateReader
  private var stage = Stage.header
  private var specifications: [ObjectIdentifier: Int] = [:]
  private var metrics: [ObjectIdentifier: Int] = [:]
  private var writer = BinaryWriter()

  private enum Stage {
    case header
    case namespaces(OrderedTable<Name, Shared<Namespace>>.Iterator)
    case nodePools(OrderedTable<Name, Shared<NodePool>>.Iterator)
    case nodes(OrderedTable<Identifier, Shared<Node>>.Iterator)
    case jobs(OrderedTable<JobKey, StoredJob>.Iterator)
    case evaluations(OrderedTable<Identifier, Shared<Evaluation>>.Iterator)
    case deployments(OrderedTable<Identifier, Shared<Deployment>>.Iterator)
    case variables(OrderedTable<VariableKey, Shared<StoredVariable>>.Iterator)
    /// The pieces of a restoration that is going on, from this one.
    case staged(Int)
    case allocations(OrderedTable<Identifier, Shared<StoredAllocation>>.Iterator)
    case end
    case finished
  }

  /// Begins at the header.
  public init(_ reader: StateReader) { self.reader = reader }

  /// The next piece, of about `bytes`; nil after the last.
  public mutating func next(bytes: Int = 1 << 20) -> [UInt8]? {
    writer.bytes = []
    writer.bytes.reserveCapacity(bytes + bytes / 8)
    while writer.bytes.count < bytes, step() {}
    return writer.bytes.isEmpty ? nil : writer.bytes
  }

  private mutating func item<Payload: Record>(_ tag: Int, _ payload: Payload) {
    writer.varint(UInt64(tag))
    let bytes = Binary.encode(payload)
    writer.varint(UInt64(bytes.count))
    writer.bytes += bytes
  }

  /// The number of a job's version; writes it first where it is new.
  private mutating func number(of specification: Shared<Job>) -> Int {
    let identity = ObjectIdentifier(specification)
    if let known = specifications[identity] { return known }
    let number = specifications.count
    specifications[identity] = number
    item(Tag.specification, specification.value)
    return number
  }

  /// The number of a metric, from 1; writes it first where it is new.
  private mutating func number(of metric: Shared<PlacementMetric>?) -> Int {
    guard let metric else { return 0 }
    let identity = ObjectIdentifier(metric)
    if let known = metrics[identity] { return known }
    metrics[identity] = metrics.count + 1
    item(Tag.metric, metric.value)
    return metrics.count
  }

  /// Writes one item; false after the last.
  private mutating func step() -> Bool {
    switch stage {
    case .header:
      var header = SnapshotHeader()
      header.format = SnapshotHeader.currentFormat
      header.index = reader.index
      header.time = reader.time
      header.tableIndexes = reader.tableIndexes
      header.schedulerConfiguration = reader.schedulerConfiguration
      header.autopilotConfiguration = reader.changedAutopilotConfiguration
      header.indexOffset = reader.indexOffset == 0 ? nil : reader.indexOffset
      item(Tag.header, header)
      stage = .namespaces(reader.namespaces.makeIterator())
    case .namespaces(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.namespace, record.value)
        stage = .namespaces(iterator)
      } else {
        stage = .nodePools(reader.nodePools.makeIterator())
      }
    case .nodePools(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.nodePool, record.value)
        stage = .nodePools(iterator)
      } else {
        stage = .nodes(reader.nodes.makeIterator())
      }
    case .nodes(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.node, record.value)
        stage = .nodes(iterator)
      } else {
        stage = .jobs(reader.jobs.makeIterator())
      }
    case .jobs(var iterator):
      if let (_, job) = iterator.next() {
        write(job)
        stage = .jobs(iterator)
      } else {
        stage = .evaluations(reader.evaluations.makeIterator())
      }
    case .evaluations(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.evaluation, record.value)
        stage = .evaluations(iterator)
      } else {
        stage = .deployments(reader.deployments.makeIterator())
      }
    case .deployments(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.deployment, record.value)
        stage = .deployments(iterator)
      } else {
        stage = .variables(reader.variables.makeIterator())
      }
    case .variables(var iterator):
      if let (_, record) = iterator.next() {
        item(Tag.variable, record.value)
        stage = .variables(iterator)
      } else {
        stage = .staged(0)
      }
    case .staged(let number):
      if let staged = reader.staged, number < staged.pieces.count {
        var piece = RestorePiece()
        piece.id = staged.id
        piece.number = number
        piece.bytes = Blob(staged.pieces[number])
        item(Tag.staged, piece)
        stage = .staged(number + 1)
      } else {
        stage = .allocations(reader.allocations.makeIterator())
      }
    case .allocations(var iterator):
      if let (_, record) = iterator.next() {
        let number = number(of: record.value.job)
        let metric = self.number(of: record.value.metric)
        item(Tag.allocation, AllocationItem(record.value, specification: number, metric: metric))
        stage = .allocations(iterator)
      } else {
        stage = .end
      }
    case .end:
      // Without it a snapshot that was cut off between two items would pass for a smaller state.
      writer.varint(UInt64(Tag.end))
      writer.varint(0)
      stage = .finished
    case .finished:
      return false
    }
    return true
  }

  private mutating func write(_ job: StoredJob) {
    var payload = JobItem()
    for version in job.versions {
      var item = JobItem.Version()
      item.specification = number(of: version.spec)
      item.stable = version.stable
      item.tag = version.tag
      item.submission = version.submission?.value
      payload.versions.append(item)
    }
    payload.status = job.status
    payload.queued = job.queued
    payload.modifyIndex = job.modifyIndex
    payload.lastLaunch = job.lastLaunch
    payload.scalingEvents = job.scalingEvents.mapValues { events in
      var item = JobItem.ScalingEvents()
      item.events = events
      return item
    }
    item(Tag.job, payload)
  }
}

/// Builds a state from the pieces that `StateEncoder` wrote, with every index, count and column anew.
public struct StateDecoder: Sendable {
  private var state = State()
  private var specifications: [Shared<Job>] = []
  private var metrics: [Shared<PlacementMetric>] = []
  private var sawHeader = false
  private var sawEnd = false

  /// Expects the first piece.
  public init() {
    state.reader.namespaces = OrderedTable()
    state.reader.nodePools = OrderedTable()
  }

  /// Reads the next piece. Throws for bytes that no encoder wrote and for a format that this version does not know.
  public mutating func add(_ bytes: [UInt8]) throws(CodecError) {
    var position = 0
    func varint() throws(CodecError) -> UInt64 {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while position < bytes.count, shift < 64 {
        let byte = bytes[position]
        position += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      throw CodecError(offset: position, problem: "a snapshot's item begins with no number")
    }
    while position < bytes.count {
      let tag = try varint()
      let length = try varint()
      guard length <= UInt64(bytes.count - position) else {
        throw CodecError(offset: position, problem: "a snapshot's item goes beyond its piece")
      }
      let range = position..<position + Int(length)
      position = range.upperBound
      try read(Int(clamping: tag), bytes, range)
    }
  }

  /// The state, when all pieces are in.
  public consuming func finish() throws(CodecError) -> State {
    guard sawHeader, sawEnd else { throw CodecError(offset: 0, problem: "the snapshot is cut off") }
    return state
  }

  private mutating func read(_ tag: Int, _ bytes: [UInt8], _ range: Range<Int>) throws(CodecError) {
    guard sawHeader || tag == Tag.header else {
      throw CodecError(offset: range.lowerBound, problem: "a snapshot without header")
    }
    func decode<Payload: Record>(_ type: Payload.Type) throws(CodecError) -> Payload {
      try Binary.decode(type, from: bytes, range: range)
    }
    switch tag {
    case Tag.header:
      let header = try decode(SnapshotHeader.self)
      guard header.format == SnapshotHeader.currentFormat else {
        throw CodecError(
          offset: range.lowerBound,
          problem: "snapshot format \(header.format), this serai knows \(SnapshotHeader.currentFormat)")
      }
      sawHeader = true
      state.reader.index = header.index
      state.reader.time = header.time
      state.reader.tableIndexes = header.tableIndexes
      state.reader.schedulerConfiguration = header.schedulerConfiguration
      state.reader.changedAutopilotConfiguration = header.autopilotConfiguration
      state.reader.indexOffset = header.indexOffset ?? 0
    case Tag.namespace:
      let record = try decode(Namespace.self)
      state.reader.namespaces.set(Name(record.name), Shared(record))
    case Tag.nodePool:
      let record = try decode(NodePool.self)
      state.reader.nodePools.set(Name(record.name), Shared(record))
    case Tag.node:
      state.restore(try decode(Node.self))
    case Tag.specification:
      specifications.append(Shared(try decode(Job.self)))
    case Tag.job:
      try restore(try decode(JobItem.self))
    case Tag.evaluation:
      state.restore(try decode(Evaluation.self))
    case Tag.deployment:
      state.restore(try decode(Deployment.self))
    case Tag.variable:
      let record = try decode(StoredVariable.self)
      state.reader.variables.set(VariableKey(record.namespace, record.path), Shared(record))
    case Tag.allocation:
      let item = try decode(AllocationItem.self)
      let metric = metrics.indices.contains(item.metric - 1) ? metrics[item.metric - 1] : nil
      state.restore(item.allocation(try specification(item.specification), metric))
    case Tag.staged:
      let piece = try decode(RestorePiece.self)
      if piece.number == 0 { state.reader.staged = StagedRestore(id: piece.id) }
      state.reader.staged?.pieces.append(piece.bytes.bytes)
    case Tag.metric:
      metrics.append(Shared(try decode(PlacementMetric.self)))
    case Tag.end:
      sawEnd = true
    default:
      break
    }
  }

  private func specification(_ number: Int) throws(CodecError) -> Shared<Job> {
    guard specifications.indices.contains(number) else {
      throw CodecError(offset: 0, problem: "a snapshot refers to version \(number) of \(specifications.count)")
    }
    return specifications[number]
  }

  private mutating func restore(_ item: JobItem) throws(CodecError) {
    var versions: [StoredJob.Version] = []
    for version in item.versions {
      versions.append(
        StoredJob.Version(
          spec: try specification(version.specification), stable: version.stable, tag: version.tag,
          submission: version.submission.map { Shared($0) }))
    }
    guard let current = versions.first else { throw CodecError(offset: 0, problem: "a snapshot's job has no version") }
    let job = StoredJob(
      versions: versions, status: item.status, queued: item.queued, lastLaunch: item.lastLaunch,
      scalingEvents: item.scalingEvents.mapValues(\.events), modifyIndex: item.modifyIndex)
    state.reader.jobs.set(job.key, job)
    state.setParent(of: job.key, from: nil, to: current.spec.value.parentID)
  }
}

extension State {
  // Records come in the order in which they were written: nodes before what lies on them, jobs before both.

  mutating func restore(_ node: Node) {
    let record = Shared(node)
    reader.nodes.set(node.id, record)
    columns.set(record)
  }

  mutating func restore(_ evaluation: Evaluation) {
    let key = JobKey(evaluation.namespace, evaluation.jobID)
    reader.evaluations.set(evaluation.id, Shared(evaluation))
    Self.insert(evaluation.id, &reader.evaluationsByJob, key)
    reader.activity.modify(key, initial: JobActivity()) { activity in
      activity.count(evaluation, 1)
      return true
    }
  }

  mutating func restore(_ deployment: Deployment) {
    reader.deployments.set(deployment.id, Shared(deployment))
    Self.insert(deployment.id, &reader.deploymentsByJob, JobKey(deployment.namespace, deployment.jobID))
  }

  mutating func restore(_ allocation: StoredAllocation) {
    let key = allocation.jobKey
    reader.allocations.set(allocation.id, Shared(allocation))
    Self.insert(allocation.id, &reader.allocationsByNode, allocation.nodeID)
    Self.insert(allocation.id, &reader.allocationsByJob, key)
    Self.insert(allocation.id, &reader.allocationsByEvaluation, allocation.evalID)
    if !allocation.deploymentID.isNone {
      Self.insert(allocation.id, &reader.allocationsByDeployment, allocation.deploymentID)
    }
    reader.activity.modify(key, initial: JobActivity()) { activity in
      activity.count(allocation, 1)
      return true
    }
    if allocation.holdsResources, let slot = columns.slot(of: allocation.nodeID) {
      columns.take(allocation, slot)
    }
  }

  /// A checksum over everything that is replicated: servers that applied the same entries have the same.
  public var digest: UInt64 {
    var encoder = StateEncoder(reader)
    var hasher = XXHash64()
    while let piece = encoder.next() { hasher.update(piece) }
    return hasher.value
  }
}
