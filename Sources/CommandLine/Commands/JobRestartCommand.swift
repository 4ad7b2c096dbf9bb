internal import Codec
internal import Glibc
internal import HCL
internal import Model

let jobRestart = Command(
  path: ["job", "restart"], arguments: "<job>", summary: "Restart or reschedule the allocations of a job, in batches",
  flags: [
    .bool("all-tasks", "Also tasks that are done, in their order."),
    .value("batch-size", "number", "Allocations at a time, or a share such as 25%. Default: 1."),
    .value("batch-wait", "time", "Wait between two batches, such as 10s. Default: 0."),
    .repeated("group", "name", "Only allocations of this group. May be repeated."),
    .repeated("task", "name", "Only this task. May be repeated."),
    .value(
      "on-error", "action", "After a failure: \"ask\" (on a terminal), or \"fail\".",
      completion: .oneOf(["ask", "fail"])),
    .bool("reschedule", "Stop the allocations and have them replaced instead of restarting them in place."),
    .bool("yes", "Do not ask."), verboseFlag,
  ], completes: .jobs
) { invocation in
  let client = invocation.client
  let terminal = invocation.terminal
  let tasks = invocation.parsed.all("task")
  if invocation.has("reschedule"), !tasks.isEmpty || invocation.has("all-tasks") {
    throw UsageError("-reschedule replaces whole allocations: leave -task and -all-tasks out")
  }
  if invocation.has("all-tasks"), !tasks.isEmpty { throw UsageError("give one of -task and -all-tasks") }
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  let groups = invocation.parsed.all("group")
  let all: [AllocationListStub] = try client.get(
    "/v1/job/\(identity.id.pathEncoded)/allocations", namespace: identity.namespace)
  let running = all.filter { allocation in
    allocation.clientStatus == .running && allocation.desiredStatus == .run
      && (groups.isEmpty || groups.contains(allocation.taskGroup))
      && (tasks.isEmpty || tasks.contains { allocation.taskStates[$0] != nil })
  }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
  if running.isEmpty {
    terminal.print("No allocations to restart")
    return 0
  }
  let size = try batchSize(invocation.parsed.value("batch-size") ?? "1", of: running.count)
  let wait = invocation.parsed.value("batch-wait") ?? "0s"
  guard let pause = Nanoseconds(parsing: wait), pause >= .zero else {
    throw UsageError("-batch-wait takes a time such as 10s, not \"\(wait)\"")
  }
  let verb = invocation.has("reschedule") ? "Rescheduling" : "Restarting"
  terminal.print(terminal.bold("==> ") + "\(verb) \(running.count) allocation(s)")
  if terminal.isInteractive, !invocation.has("yes") {
    guard confirm("    \(verb) \(running.count) allocation(s) of job \"\(identity.id)\"? [y/N] ", terminal) else {
      return 0
    }
  }
  var failures = 0
  for start in stride(from: 0, to: running.count, by: size) {
    let batch = running[start..<min(start + size, running.count)]
    if size < running.count {
      terminal.print(
        terminal.bold("==> ")
          + "Batch of \(batch.count): allocations \(start + 1) to \(start + batch.count) of \(running.count)")
    }
    for allocation in batch {
      do {
        try restart(allocation, tasks, invocation)
      } catch {
        terminal.printError("    Error: allocation \"\(invocation.shown(allocation.id))\": \(error)")
        failures += 1
        let asks = (invocation.parsed.value("on-error") ?? "ask") == "ask" && terminal.isInteractive
        guard asks, confirm("    Go on with the rest? [y/N] ", terminal) else { return 1 }
      }
    }
    if pause > .zero, start + size < running.count { usleep(UInt32(clamping: pause.count / 1000)) }
  }
  terminal.print(terminal.bold("==> ") + "Finished \(verb.lowercased()) job \"\(identity.id)\"")
  return failures == 0 ? 0 : 1
}

private func batchSize(_ text: String, of count: Int) throws(UsageError) -> Int {
  if text.hasSuffix("%"), let share = Int(text.dropLast()), (1...100).contains(share) {
    return max(1, (count * share + 99) / 100)
  }
  guard let size = Int(text), size > 0 else {
    throw UsageError("-batch-size takes a number from 1 or a share such as 25%, not \"\(text)\"")
  }
  return size
}

private func restart(_ allocation: AllocationListStub, _ tasks: [String], _ invocation: Invocation) throws {
  let client = invocation.client
  let id = invocation.shown(allocation.id)
  if invocation.has("reschedule") {
    invocation.terminal.print("    Rescheduling allocation \"\(id)\" of group \"\(allocation.taskGroup)\"")
    let response: AllocStopResponse = try client.put(
      "/v1/allocation/\(allocation.id)/stop", body: JSONObject(), namespace: allocation.namespace)
    // The next batch waits until the replacement runs.
    try waitForReplacement(of: allocation, response.evalID, invocation)
    return
  }
  let path = "/v1/client/allocation/\(allocation.id)/restart"
  let chosen: [String?] = tasks.isEmpty ? [nil] : tasks.filter { allocation.taskStates[$0] != nil }
  for task in chosen {
    var body = JSONObject()
    if let task { body["TaskName"] = .string(task) }
    if invocation.has("all-tasks") { body["AllTasks"] = true }
    let what = task.map { "task \"\($0)\" in " } ?? ""
    invocation.terminal.print("    Restarting \(what)group \"\(allocation.taskGroup)\" of allocation \"\(id)\"")
    try client.send(path, body: body, namespace: allocation.namespace)
  }
}

private func waitForReplacement(
  of allocation: AllocationListStub, _ evaluation: Identifier, _ invocation: Invocation
) throws {
  let client = invocation.client
  var index: UInt64 = 0
  while true {
    let (old, next): (Allocation, UInt64) = try client.blocking(
      "/v1/allocation/\(allocation.id)", after: index, namespace: allocation.namespace)
    index = next
    guard !old.nextAllocation.isNone else {
      let done: Evaluation = try client.get("/v1/evaluation/\(evaluation)", namespace: allocation.namespace)
      if done.status == .complete, !done.failedTGAllocs.isEmpty || old.clientStatus.isTerminal,
        old.nextAllocation.isNone
      {
        throw CommandFailure("no replacement could be placed: see serai eval status \(invocation.shown(evaluation))")
      }
      continue
    }
    var at: UInt64 = 0
    while true {
      let (new, seen): (Allocation, UInt64) = try client.blocking(
        "/v1/allocation/\(old.nextAllocation)", after: at, namespace: allocation.namespace)
      at = seen
      if new.clientStatus == .running || new.clientStatus == .complete {
        invocation.terminal.print("    Allocation \"\(invocation.shown(new.id))\" takes its place")
        return
      }
      if new.isTerminal {
        throw CommandFailure("its replacement \"\(invocation.shown(new.id))\" is \(new.clientStatus.rawValue)")
      }
    }
  }
}
