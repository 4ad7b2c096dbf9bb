internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let eventRoutes: [Route] = [
  Route([.get], "/v1/event/stream", .server) { request, context in
    let filter = try EventFilter(request)
    let index = UInt64(clamping: try request.integer("index") ?? 0)
    let events = try context.theServer().events
    return HTTPResponse(
      headers: ["Content-Type": "application/json"],
      body: .stream { writer in try await stream(events.follow(from: index), filter, to: writer) })
  }
]

/// A stream without events says so often enough that nobody in between takes the connection for dead.
private let heartbeatInterval = Duration.seconds(10)

/// One JSON document a line: the events of one entry of the log, or `{}` after a while without any.
private func stream(
  _ changes: AsyncStream<Changes>, _ filter: EventFilter, to writer: HTTPBodyWriter
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      for await entry in changes {
        var message = EventMessage()
        message.index = entry.index
        message.events = events(of: entry).filter { filter.includes($0) }
        if !message.events.isEmpty { try await writer.write(JSON.encode(message) + [0x0A]) }
      }
    }
    group.addTask {
      while true {
        try await writer.write(Array("{}\n".utf8))
        try await Task.sleep(for: heartbeatInterval)
      }
    }
    // The first to end, whether it is the server that stops or the reader that went, ends the other.
    defer { group.cancelAll() }
    try await group.next()
  }
}

/// What a follower asked for: topics with keys, in a namespace.
private struct EventFilter: Sendable {
  private static let topics = ["*", "Allocation", "Deployment", "Evaluation", "Job", "Node", "NodePool", "Service"]

  /// Keys by topic; "*" stands for all of either.
  private var wanted: [(topic: String, key: String)] = []
  private let namespace: String

  init(_ request: APIRequest) throws(APIError) {
    namespace = request.namespace
    for text in request.query.all("topic") {
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard Self.topics.contains(parts[0]) else {
        throw .badRequest("Invalid topic \"\(parts[0])\": it is one of \(Self.topics.joined(separator: ", "))")
      }
      wanted.append((parts[0], parts.count > 1 && !parts[1].isEmpty ? parts[1] : "*"))
    }
    if wanted.isEmpty { wanted = [("*", "*")] }
  }

  func includes(_ event: Event) -> Bool {
    guard namespace == "*" || event.namespace.isEmpty || event.namespace == namespace else { return false }
    return wanted.contains { topic, key in
      (topic == "*" || topic == event.topic)
        && (key == "*" || key == event.key || event.filterKeys.contains(key))
    }
  }
}

/// The events of one entry.
private struct EventMessage: Record {
  var index: UInt64 = 0
  var events: [Event] = []

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Index", &index)
    v.field(2, "Events", &events)
  }
}

/// One changed record.
private struct Event: Record {
  var topic = ""
  var type = ""
  var key = ""
  var namespace = ""
  /// Other keys that the event is found by: the job of an allocation.
  var filterKeys: [String] = []
  var index: UInt64 = 0
  var payload = EventPayload()

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Topic", &topic)
    v.field(2, "Type", &type)
    v.field(3, "Key", &key)
    v.field(4, "Namespace", &namespace)
    v.field(5, "FilterKeys", &filterKeys)
    v.field(6, "Index", &index)
    v.field(7, "Payload", &payload)
  }
}

/// The record, under the name of its kind.
private struct EventPayload: Record {
  @Indirect var job: Job?
  @Indirect var evaluation: Evaluation?
  @Indirect var allocation: Allocation?
  @Indirect var deployment: Deployment?
  @Indirect var node: Node?
  @Indirect var nodePool: NodePool?

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &_job, .omitEmpty)
    v.field(2, "Evaluation", &_evaluation, .omitEmpty)
    v.field(3, "Allocation", &_allocation, .omitEmpty)
    v.field(4, "Deployment", &_deployment, .omitEmpty)
    v.field(5, "Node", &_node, .omitEmpty)
    v.field(6, "NodePool", &_nodePool, .omitEmpty)
  }
}

/// The names that followers know what happened by; they come from the entry that made the change.
private func type(ofEntry kind: UInt8) -> String {
  switch kind {
  case 1, 23, 24: "JobRegistered"
  case 2, 22: "JobDeregistered"
  case 3, 4: "JobRegistered"
  case 5: "NodeRegistration"
  case 6: "NodeDeregistration"
  case 7: "NodeEvent"
  case 8: "NodeEligibility"
  case 9: "NodeDrain"
  case 10: "EvaluationUpdated"
  case 11: "PlanResult"
  case 12: "AllocationUpdated"
  case 13: "AllocationUpdateDesiredStatus"
  case 14: "DeploymentStatusUpdate"
  case 15: "DeploymentPromotion"
  case 16: "DeploymentAllocHealth"
  case 19: "NodePoolUpserted"
  case 20: "NodePoolDeleted"
  default: "Unknown"
  }
}

/// One event for each record that an entry changed, as it is after the entry.
private func events(of changes: Changes) -> [Event] {
  var found: [Event] = []
  var places: [String: Int] = [:]
  func add(
    _ topic: String, _ key: String, namespace: String = "", also: [String] = [], _ fill: (inout EventPayload) -> Void
  ) {
    var event = Event()
    event.topic = topic
    event.type = type(ofEntry: changes.entryKind)
    event.key = key
    event.namespace = namespace
    event.filterKeys = also.filter { !$0.isEmpty }
    event.index = changes.index
    fill(&event.payload)
    let name = "\(topic)\0\(namespace)\0\(key)"
    if let place = places[name] {
      found[place] = event
    } else {
      places[name] = found.count
      found.append(event)
    }
  }
  for record in changes.records {
    switch record {
    case .node(let node), .nodeRemoved(let node):
      add("Node", node.value.id.description, also: [node.value.nodePool]) { $0.node = node.value }
    case .job(let key, let job): add("Job", key.id, namespace: key.namespace) { $0.job = job.job }
    case .jobRemoved(let key):
      add("Job", key.id, namespace: key.namespace) { payload in
        var job = Job()
        (job.id, job.namespace) = (key.id, key.namespace)
        payload.job = job
      }
    case .evaluation(let evaluation):
      let value = evaluation.value
      add(
        "Evaluation", value.id.description, namespace: value.namespace,
        also: [value.jobID, value.deploymentID.description]
      ) { $0.evaluation = value }
    case .allocation(let allocation), .allocationRemoved(let allocation):
      let value = allocation.value
      add(
        "Allocation", value.id.description, namespace: value.jobKey.namespace,
        also: [value.jobKey.id, value.deploymentID.description]
      ) { $0.allocation = value.allocation(includingJob: false) }
    case .deployment(let deployment):
      let value = deployment.value
      add("Deployment", value.id.description, namespace: value.namespace, also: [value.jobID]) { $0.deployment = value }
    case .nodePool(let pool): add("NodePool", pool.value.name) { $0.nodePool = pool.value }
    case .nodePoolRemoved(let name):
      add("NodePool", name) { payload in
        var pool = NodePool()
        pool.name = name
        payload.nodePool = pool
      }
    case .evaluationRemoved, .deploymentRemoved, .namespace, .namespaceRemoved, .schedulerConfiguration, .variable:
      break
    }
  }
  return found
}
