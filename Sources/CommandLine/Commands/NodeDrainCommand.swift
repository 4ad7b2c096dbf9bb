internal import Codec
internal import Model

let nodeDrain = Command(
  path: ["node", "drain"], arguments: "<node>", summary: "Move what runs on a node elsewhere, or end that",
  details: """
    A drained node takes nothing new. Services move as their migrate blocks allow,
    batch jobs may go on until the deadline, system jobs go last.
    """,
  flags: [
    .bool("enable", "Begin a drain, or change the one in progress."), .bool("disable", "End the drain in progress."),
    .value("deadline", "time", "When everything goes that is left, such as 30m. Default: 1h."),
    .bool("force", "Everything goes at once."), .bool("no-deadline", "There is no deadline."),
    .bool("ignore-system", "System jobs stay."),
    .bool("keep-ineligible", "With -disable: the node still takes nothing new."),
    .repeated("meta", "key=value", "Noted on the node's last drain. May be repeated."),
    .value("m", "message", "Short for -meta message=<message>."),
    .bool("self", "The node of the agent that is asked."), .bool("yes", "Do not ask."),
    .bool("detach", "Return at once instead of following the drain."),
    .bool("monitor", "Follow a drain in progress, and change nothing."), verboseFlag,
  ], completes: .nodes
) { invocation in
  try invocation.expectArguments(0...1)
  let client = invocation.client
  let actions = ["enable", "disable", "monitor"].filter(invocation.has)
  guard actions.count == 1 || actions == ["enable", "monitor"] else {
    throw UsageError("give one of -enable, -disable and -monitor")
  }
  let node = try client.node(prefixOrName: try nodeArgument(invocation))
  if actions == ["monitor"] {
    guard node.drainStrategy != nil else {
      throw CommandFailure("Node \"\(invocation.shown(node.id))\" is not being drained")
    }
    return try DrainMonitor(invocation, node).follow()
  }
  var request = NodeUpdateDrainRequest()
  request.nodeID = node.id
  request.meta = try keyValues(invocation.parsed.all("meta"), flag: "meta")
  if let message = invocation.parsed.value("m") { request.meta["message"] = message }
  if invocation.has("enable") {
    request.drainSpec = try drainSpec(invocation)
  } else {
    try refuseDrainFlags(invocation)
  }
  request.markEligible = invocation.has("disable") && !invocation.has("keep-ineligible")
  if invocation.has("enable"), invocation.arguments.first.map({ $0 != node.id.description }) ?? false,
    !invocation.has("yes"), invocation.terminal.isInteractive
  {
    let question = "Are you sure you want to enable drain mode for node \"\(node.id)\"? [y/N] "
    guard confirm(question, invocation.terminal) else {
      invocation.terminal.print("Canceling drain toggle")
      return 0
    }
  }
  let response: NodeUpdateResponse = try client.put("/v1/node/\(node.id)/drain", body: request)
  guard invocation.has("enable"), !invocation.has("detach") else {
    let done = invocation.has("enable") ? "drain strategy set" : "drain strategy unset"
    invocation.terminal.print("Node \"\(node.id)\" \(done)")
    return 0
  }
  let monitor = DrainMonitor(invocation, node)
  monitor.say("Ctrl-C to stop monitoring: will not cancel the node drain")
  monitor.say("Node \"\(node.id)\" drain strategy set")
  return try monitor.follow(after: response.nodeModifyIndex)
}

/// The node that was named, or that of the agent with -self.
func nodeArgument(_ invocation: Invocation) throws -> String {
  if invocation.has("self") {
    guard invocation.arguments.isEmpty else { throw UsageError("give a node or -self, not both") }
    let agent: AgentSelf = try invocation.client.get("/v1/agent/self")
    guard let id = agent.stats["client"]?["node_id"] else {
      throw CommandFailure("The agent that is asked runs no client")
    }
    return id
  }
  guard let name = invocation.arguments.first else { throw UsageError("a node or -self is needed") }
  return name
}

private func drainSpec(_ invocation: Invocation) throws(UsageError) -> DrainSpec {
  let kinds = ["force", "no-deadline"].filter(invocation.has)
  let text = invocation.parsed.value("deadline")
  guard kinds.count + (text == nil ? 0 : 1) <= 1 else {
    throw UsageError("give one of -deadline, -force and -no-deadline")
  }
  if invocation.has("keep-ineligible") { throw UsageError("-keep-ineligible goes with -disable") }
  var spec = DrainSpec()
  spec.ignoreSystemJobs = invocation.has("ignore-system")
  if kinds == ["force"] {
    spec.deadline = .seconds(-1)
  } else if kinds.isEmpty {
    guard let deadline = text.map({ Nanoseconds(parsing: $0) }) ?? .hours(1), deadline > .zero else {
      throw UsageError("-deadline takes a positive time such as 30m, not \"\(text ?? "")\"")
    }
    spec.deadline = deadline
  }
  return spec
}

private func refuseDrainFlags(_ invocation: Invocation) throws(UsageError) {
  for flag in ["force", "no-deadline", "ignore-system"] where invocation.has(flag) {
    throw UsageError("-\(flag) goes with -enable")
  }
  if invocation.parsed.value("deadline") != nil { throw UsageError("-deadline goes with -enable") }
}

/// Prints what happens to a node that is being drained until the drain is over.
private struct DrainMonitor {
  let invocation: Invocation
  let client: APIClient
  let node: Node

  init(_ invocation: Invocation, _ node: Node) {
    self.invocation = invocation
    client = invocation.client
    self.node = node
  }

  func say(_ text: String) {
    invocation.terminal.print("\(TimeText.absolute(nanoseconds: invocation.clock())): \(text)")
  }

  /// What was known of an allocation.
  private struct Known {
    var isMarked: Bool
    var isStopping: Bool
    var status: AllocationClientStatus
  }

  /// - Returns: 0 when the drain is complete, 1 when it was cancelled.
  func follow(after start: UInt64 = 0) throws -> Int32 {
    var known: [Identifier: Known] = [:]
    var isFirst = true
    var saidAllMarked = false
    var nodeIndex: UInt64 = 0
    while true {
      // Waits on the node, whose record changes last; a short wait lets what allocations do be seen meanwhile.
      let (current, seen): (Node, UInt64) = try client.blockingShortly("/v1/node/\(node.id)", after: nodeIndex)
      nodeIndex = seen
      let allocations: [Allocation] = try client.get("/v1/node/\(node.id)/allocations", namespace: "*")
      report(allocations, &known, isFirst: isFirst)
      isFirst = false
      let ignoresSystem = current.drainStrategy?.ignoreSystemJobs ?? false
      let left = allocations.filter { allocation in
        !allocation.clientStatus.isTerminal
          && !(ignoresSystem && ["system", "sysbatch"].contains(allocation.job?.type?.rawValue ?? ""))
      }
      if current.drainStrategy != nil, !saidAllMarked, !known.isEmpty,
        left.allSatisfy({ $0.desiredTransition.migrate == true || $0.desiredStatus != .run })
      {
        say("Node \"\(node.id)\" has marked all allocations for migration")
        saidAllMarked = true
      }
      guard current.drainStrategy == nil, current.modifyIndex >= start else { continue }
      if current.lastDrain?.status == .complete {
        // It may have gone so fast that nobody saw the moment.
        if !saidAllMarked, !known.isEmpty { say("Node \"\(node.id)\" has marked all allocations for migration") }
        say("All allocations on node \"\(node.id)\" have stopped")
        say("Node \"\(node.id)\" drain complete")
        return 0
      }
      say("Node \"\(node.id)\" drain was cancelled")
      return 1
    }
  }

  private func report(_ allocations: [Allocation], _ known: inout [Identifier: Known], isFirst: Bool) {
    // What happened between two looks is told in the order in which it came to an end.
    for allocation in allocations.sorted(by: { ($0.modifyIndex, $0.id) < ($1.modifyIndex, $1.id) }) {
      let now = Known(
        isMarked: allocation.desiredTransition.migrate == true, isStopping: allocation.desiredStatus != .run,
        status: allocation.clientStatus)
      defer { known[allocation.id] = now }
      guard let before = known[allocation.id] else {
        if isFirst, now.isMarked, !now.status.isTerminal { say("Alloc \"\(allocation.id)\" marked for migration") }
        continue
      }
      if now.isMarked, !before.isMarked { say("Alloc \"\(allocation.id)\" marked for migration") }
      if now.isStopping, !before.isStopping { say("Alloc \"\(allocation.id)\" draining") }
      if now.status != before.status {
        say("Alloc \"\(allocation.id)\" status \(before.status.rawValue) -> \(now.status.rawValue)")
      }
    }
  }
}
