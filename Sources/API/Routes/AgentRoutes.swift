internal import Client
internal import Codec
internal import HTTP
internal import Membership
internal import Model
internal import Server
internal import State

let agentRoutes: [Route] = [
  Route([.get], "/v1/agent/self", .agent) { request, context in
    var answer = AgentSelf()
    answer.config = context.agent.configuration
    answer.member = context.agent.members.first { $0.name == context.agent.name } ?? AgentMember()
    answer.stats = await statistics(context)
    return try request.json(answer)
  },
  Route([.get], "/v1/agent/members", .anyServer) { request, context in
    var answer = AgentMembers()
    answer.serverName = context.agent.name
    answer.serverRegion = context.agent.region
    answer.serverDC = context.agent.datacenter
    answer.members = context.agent.members
    return try request.json(answer)
  },
  Route([.get], "/v1/agent/servers", .agent) { request, context in
    try request.json(context.agent.peers)
  },
  Route([.get], "/v1/agent/health", .agent) { request, context in
    try await health(request, context)
  },
  Route([.get], "/v1/agent/schedulers", .agent) { request, context in
    // One scheduler works through all evaluations, on the thread that owns the state.
    var scheduler = JSONObject()
    scheduler["id"] = .string(context.agent.name)
    scheduler["enabled_schedulers"] = schedulers(context)
    scheduler["started"] = ""
    scheduler["status"] = context.server == nil ? "" : "Started"
    scheduler["workload_status"] = ""
    var answer = JSONObject()
    answer["server_id"] = .string(context.agent.name)
    answer["schedulers"] = .array(context.server == nil ? [] : [.object(scheduler)])
    return try request.json(answer)
  },
  Route([.get], "/v1/agent/schedulers/config", .agent) { request, context in
    var answer = JSONObject()
    answer["server_id"] = .string(context.agent.name)
    answer["num_schedulers"] = .int(context.server == nil ? 0 : 1)
    answer["enabled_schedulers"] = schedulers(context)
    return try request.json(answer)
  },
  Route([.get], "/v1/agent/host", .node) { request, context in
    // The host's environment and files are shown to who debugs this agent, as other debugging routes are.
    guard context.agent.isDebugging else {
      throw APIError(.forbidden, "agent/host shows much of the host: turn enable_debug on in the agent's configuration")
    }
    return try request.json(try await HostReport.make(context))
  },
  Route([.get], "/v1/status/leader", .anyServer) { request, context in try request.json(context.agent.leader) },
  Route([.get], "/v1/status/peers", .anyServer) { request, context in try request.json(context.agent.peers) },
  Route([.get], "/v1/regions", .anyServer) { request, context in
    // Those of every server that is known, also of one that is away.
    let regions = Set(context.agent.members.compactMap { $0.tags["region"] } + [context.agent.region])
    return try request.json(regions.sorted())
  },
  Route([.get], "/v1/metrics", .agent) { request, context in try await metrics(request, context) },
]

private func schedulers(_ context: APIContext) -> JSONValue {
  context.server == nil ? .array([]) : ["batch", "service", "sysbatch", "system", "_core"]
}

/// Figures of each part, as `agent/self` shows them.
private func statistics(_ context: APIContext) async -> [String: [String: String]] {
  var stats: [String: [String: String]] = [
    "serai": [
      "version": context.agent.version, "server": "\(context.server != nil)", "client": "\(context.client != nil)",
    ],
    "nomad": [
      "server": "\(context.server != nil)", "leader": "\(context.server?.standing.isLeading ?? false)",
      "leader_addr": context.agent.leader,
    ],
  ]
  if let server = context.server {
    let standing = server.standing
    stats["raft"] = [
      "applied_index": "\(standing.appliedIndex)", "commit_index": "\(standing.commitIndex)",
      "last_log_index": "\(standing.lastIndex)", "fsm_pending": "\(standing.commitIndex - standing.appliedIndex)",
      "last_contact": server.lastContact == 0 ? "0" : "\(server.lastContact)ms", "term": "\(standing.term)",
      "state": standing.isLeading ? "Leader" : "Follower", "num_peers": "\(max(1, standing.peers.count) - 1)",
    ]
    if !standing.problem.isEmpty { stats["raft"]?["problem"] = standing.problem }
  }
  if let membership = context.membership { stats["serf"] = membership.statistics }
  if let client = context.client {
    stats["client"] = [
      "node_id": "\(await client.nodeID)", "num_allocations": "\(await client.allocationIDs.count)",
      "known_servers": (await client.knownServers).joined(separator: ","),
    ]
  }
  return stats
}

private func health(_ request: APIRequest, _ context: APIContext) async throws -> HTTPResponse {
  let type = request.query["type"] ?? ""
  var answer = AgentHealthResponse()
  if context.server != nil, type.isEmpty || type == "server" {
    var part = AgentHealth()
    part.ok = !context.agent.leader.isEmpty
    part.message = part.ok ? "ok" : "No cluster leader"
    answer.server = part
  }
  if let client = context.client, type.isEmpty || type == "client" {
    var part = AgentHealth()
    part.ok = await client.server != nil
    part.message = part.ok ? "ok" : "no known servers"
    answer.client = part
  }
  let isHealthy = (answer.server?.ok ?? true) && (answer.client?.ok ?? true)
  var response = try request.json(answer)
  if !isHealthy { response.status = .internalServerError }
  return response
}

/// Gauges of the state and of the node, as JSON or, with `format=prometheus`, in Prometheus' text format.
private func metrics(_ request: APIRequest, _ context: APIContext) async throws -> HTTPResponse {
  var gauges: [GaugeValue] = []
  func gauge(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
    var gauge = GaugeValue()
    gauge.name = name
    gauge.value = value
    gauge.labels = labels
    gauges.append(gauge)
  }
  if let server = context.server {
    let state = server.reader
    gauge("nomad.nomad.raft.applied_index", Double(state.index))
    for status in [JobStatus.pending, .running, .dead] {
      gauge("nomad.nomad.job_status.\(status.rawValue)", Double(state.jobs.filter { $0.1.status == status }.count))
    }
    for status in [EvaluationStatus.pending, .blocked, .complete, .failed, .canceled] {
      let count = state.evaluations.filter { $0.1.value.status == status }.count
      gauge("nomad.nomad.evaluations", Double(count), ["status": status.rawValue])
    }
    for status in [NodeStatus.ready, .down, .initializing] {
      gauge(
        "nomad.nomad.nodes", Double(state.nodes.filter { $0.1.value.status == status }.count),
        ["status": status.rawValue])
    }
  }
  if let client = context.client {
    let node = await client.node
    let labels = ["node_id": node.id.description, "datacenter": node.datacenter]
    var counts: [AllocationClientStatus: Int] = [:]
    for id in await client.allocationIDs {
      if let allocation = await client.allocation(id) { counts[allocation.clientStatus, default: 0] += 1 }
    }
    for status in [AllocationClientStatus.pending, .running, .complete, .failed] {
      gauge("nomad.client.allocations.\(status.rawValue)", Double(counts[status] ?? 0), labels)
    }
    let host = await client.hostStats()
    gauge("nomad.client.host.memory.total", Double(host.memory.total), labels)
    gauge("nomad.client.host.memory.available", Double(host.memory.available), labels)
    gauge("nomad.client.uptime", Double(host.uptime), labels)
  }
  if request.query["format"] == "prometheus" {
    return .text(prometheus(gauges), headers: ["Content-Type": "text/plain; version=0.0.4"])
  }
  var summary = MetricsSummary()
  summary.timestamp = "\(wallClock())"
  summary.gauges = gauges
  return try request.json(summary)
}

/// https://prometheus.io/docs/instrumenting/exposition_formats/
private func prometheus(_ gauges: [GaugeValue]) -> String {
  var text = ""
  var described: Set<String> = []
  for gauge in gauges.sorted(by: { $0.name < $1.name }) {
    let name = String(gauge.name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    if described.insert(name).inserted { text += "# HELP \(name) \(gauge.name)\n# TYPE \(name) gauge\n" }
    let labels = gauge.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(
      separator: ",")
    text += labels.isEmpty ? "\(name) \(gauge.value)\n" : "\(name){\(labels)} \(gauge.value)\n"
  }
  return text
}

private func escaped(_ value: String) -> String {
  var text = ""
  for character in value {
    switch character {
    case "\\": text += "\\\\"
    case "\"": text += "\\\""
    case "\n": text += "\\n"
    default: text.append(character)
    }
  }
  return text
}
