internal import Codec
internal import Glibc
internal import Linux
internal import Model
internal import Synchronization

let allocStatus = Command(
  path: ["alloc", "status"], arguments: "<allocation>",
  summary: "Show an allocation, its tasks and what happened to them",
  flags: readFlags + [
    .bool("short", "One line a task."), .bool("stats", "Show what the tasks use in detail."), verboseFlag,
  ], completes: .allocations
) { invocation in
  let client = invocation.client
  guard !invocation.arguments.isEmpty else {
    let bytes = try client.raw("/v1/allocations")
    if try invocation.printedRaw(bytes) { return 0 }
    invocation.terminal.print(allocationTable(try JSON.decode([AllocationListStub].self, from: bytes), invocation))
    return 0
  }
  let allocation = try client.allocation(prefix: try invocation.onlyArgument())
  if try invocation.printedRaw(JSON.encode(allocation)) { return 0 }
  let terminal = invocation.terminal
  terminal.print(Table.keyValues(allocationPairs(allocation, invocation)))
  printAddresses(allocation, terminal)
  if invocation.has("short") {
    printShortTasks(allocation, terminal)
    return 0
  }
  // Usage comes from the node, which may be out of reach: the rest is shown all the same.
  let usage: AllocResourceUsage? =
    allocation.clientStatus == .running ? try? client.get("/v1/client/allocation/\(allocation.id)/stats") : nil
  for name in taskNames(allocation) { printTask(name, allocation, usage?.tasks[name], invocation) }
  if invocation.has("verbose"), let metrics = allocation.metrics { printMetrics(metrics, terminal) }
  return 0
}

private func allocationPairs(_ allocation: Allocation, _ invocation: Invocation) -> [(key: String, value: String)] {
  let now = invocation.clock()
  func time(_ nanoseconds: Int64) -> String {
    invocation.has("verbose")
      ? TimeText.absolute(nanoseconds: nanoseconds) : TimeText.relative(nanoseconds: nanoseconds, now: now)
  }
  var pairs: [(key: String, value: String)] = [
    ("ID", allocation.id.description), ("Eval ID", invocation.shown(allocation.evalID)), ("Name", allocation.name),
    ("Node ID", invocation.shown(allocation.nodeID)), ("Node Name", allocation.nodeName), ("Job ID", allocation.jobID),
    ("Job Version", "\(allocation.job?.version ?? allocation.jobVersion)"),
    ("Client Status", allocation.clientStatus.rawValue), ("Client Description", allocation.clientDescription),
    ("Desired Status", allocation.desiredStatus.rawValue), ("Desired Description", allocation.desiredDescription),
    ("Created", time(allocation.createTime)), ("Modified", time(allocation.modifyTime)),
  ]
  if !allocation.deploymentID.isNone {
    pairs.append(("Deployment ID", invocation.shown(allocation.deploymentID)))
    let health = allocation.deploymentStatus?.healthy.map { $0 ? "healthy" : "unhealthy" } ?? "unset"
    pairs.append(("Deployment Health", health))
    if allocation.deploymentStatus?.canary == true { pairs.append(("Canary", "true")) }
  }
  if !allocation.previousAllocation.isNone {
    pairs.append(("Previous Alloc ID", invocation.shown(allocation.previousAllocation)))
  }
  if !allocation.nextAllocation.isNone {
    pairs.append(("Replacement Alloc ID", invocation.shown(allocation.nextAllocation)))
  }
  if !allocation.followupEvalID.isNone {
    pairs.append(("Follow-up Eval ID", invocation.shown(allocation.followupEvalID)))
  }
  if !allocation.preemptedByAllocation.isNone {
    pairs.append(("Preempted By", invocation.shown(allocation.preemptedByAllocation)))
  }
  if let tracker = allocation.rescheduleTracker, !tracker.events.isEmpty {
    pairs.append(("Reschedule Attempts", "\(tracker.events.count)"))
  }
  return pairs
}

private func printAddresses(_ allocation: Allocation, _ terminal: Terminal) {
  guard let shared = allocation.allocatedResources?.shared, !shared.ports.isEmpty else { return }
  let dynamic = Set(shared.networks.flatMap { $0.dynamicPorts.map(\.label) })
  let mode = shared.networks.first.map { $0.mode.isEmpty || $0.mode == "host" ? "" : " (mode = \"\($0.mode)\")" } ?? ""
  terminal.print("\nAllocation Addresses\(mode):")
  let rows = shared.ports.map { port -> [String] in
    let to = port.to > 0 && port.to != port.value ? " -> \(port.to)" : ""
    return ["*\(port.label)", dynamic.contains(port.label) ? "yes" : "no", "\(hostPort(port.hostIP, port.value))\(to)"]
  }
  terminal.print(Table.columns(["Label", "Dynamic", "Address"], rows))
}

/// `address:port`, with brackets around an IPv6 address.
func hostPort(_ address: String, _ port: Int) -> String {
  address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
}

/// Tasks in the order of the jobspec, then any that only the states know.
private func taskNames(_ allocation: Allocation) -> [String] {
  let group = allocation.job?.taskGroups.first { $0.name == allocation.taskGroup }
  let known = group?.tasks.map(\.name) ?? []
  return known + allocation.taskStates.keys.filter { !known.contains($0) }.sorted()
}

private func printShortTasks(_ allocation: Allocation, _ terminal: Terminal) {
  let rows = taskNames(allocation).map { name -> [String] in
    let state = allocation.taskStates[name] ?? TaskState()
    let last = state.events.last
    return [
      name, state.state.rawValue, last?.type.rawValue ?? "", TimeText.absolute(nanoseconds: last?.time ?? 0),
    ]
  }
  terminal.print("\n" + terminal.bold("Tasks"))
  terminal.print(Table.columns(["Name", "State", "Last Event", "Time"], rows))
}

private func printTask(
  _ name: String, _ allocation: Allocation, _ usage: TaskResourceUsage?, _ invocation: Invocation
) {
  let terminal = invocation.terminal
  let state = allocation.taskStates[name] ?? TaskState()
  var kind = ""
  let task = allocation.job?.taskGroups.first { $0.name == allocation.taskGroup }?.tasks.first { $0.name == name }
  if let lifecycle = task?.lifecycle { kind = " (\(lifecycle.hook)\(lifecycle.sidecar ? " sidecar" : ""))" }
  terminal.print(
    "\n" + terminal.bold("Task \"\(name)\"\(kind) is \"\(state.state.rawValue)\(state.failed ? " (failed)" : "")\""))
  if let resources = allocation.allocatedResources?.tasks[name] {
    terminal.print("Task Resources:")
    let cpu = usage?.resourceUsage?.cpuStats.map { "\(Int($0.totalTicks.rounded()))/" } ?? ""
    let memory =
      usage?.resourceUsage?.memoryStats.map { bytesText(Int(clamping: $0.rss > 0 ? $0.rss : $0.usage)) + "/" } ?? ""
    let ports = allocation.allocatedResources?.shared.ports ?? []
    let disk = allocation.allocatedResources.map { bytesText(Int($0.shared.diskMB) << 20) } ?? ""
    var row = [
      "\(cpu)\(resources.cpu.cpuShares) MHz", "\(memory)\(bytesText(Int(resources.memory.memoryMB) << 20))", disk,
      ports.isEmpty ? " " : "\(ports[0].label): \(hostPort(ports[0].hostIP, ports[0].value))",
    ]
    var header = ["CPU", "Memory", "Disk", "Addresses"]
    if !resources.cpu.reservedCores.isEmpty {
      header.insert("Cores", at: 1)
      row.insert(resources.cpu.reservedCores.map(String.init).joined(separator: ","), at: 1)
    }
    var rows = [row]
    if resources.memory.memoryMaxMB > 0 {
      rows.append([" ", "Max: \(bytesText(Int(resources.memory.memoryMaxMB) << 20))", " ", " "])
    }
    for port in ports.dropFirst() {
      rows.append([" ", " ", " ", "\(port.label): \(hostPort(port.hostIP, port.value))"])
    }
    terminal.print(Table.columns(header, rows))
  }
  printDeviceStats(usage, detailed: invocation.has("stats"), terminal)
  if invocation.has("stats"), let usage { printUsage(usage, terminal) }
  terminal.print("\nTask Events:")
  terminal.print(
    Table.keyValues([
      ("Started At", TimeText.absoluteUTC(nanoseconds: state.startedAt.nanoseconds)),
      ("Finished At", TimeText.absoluteUTC(nanoseconds: state.finishedAt.nanoseconds)),
      ("Total Restarts", "\(state.restarts)"),
      ("Last Restart", TimeText.absoluteUTC(nanoseconds: state.lastRestart.nanoseconds)),
    ]))
  terminal.print("\nRecent Events:")
  let rows = state.events.reversed().map { event in
    [TimeText.absolute(nanoseconds: event.time), event.type.rawValue, event.displayMessage]
  }
  terminal.print(Table.columns(["Time", "Type", "Description"], rows))
}

private func printUsage(_ usage: TaskResourceUsage, _ terminal: Terminal) {
  if let memory = usage.resourceUsage?.memoryStats {
    terminal.print("\nMemory Stats")
    terminal.print(
      Table.columns(
        ["Cache", "Max Usage", "RSS", "Swap", "Usage"],
        [[memory.cache, memory.maxUsage, memory.rss, memory.swap, memory.usage].map { bytesText(Int(clamping: $0)) }]))
  }
  if let cpu = usage.resourceUsage?.cpuStats {
    terminal.print("\nCPU Stats")
    func percent(_ value: Double) -> String { "\((value * 100).rounded() / 100)%" }
    terminal.print(
      Table.columns(
        ["Percent", "System Mode", "User Mode", "Throttled Periods", "Throttled Time"],
        [
          [
            percent(cpu.percent), percent(cpu.systemMode), percent(cpu.userMode), "\(cpu.throttledPeriods)",
            "\(cpu.throttledTime)",
          ]
        ]))
  }
}

private func printDeviceStats(_ usage: TaskResourceUsage?, detailed: Bool, _ terminal: Terminal) {
  guard let groups = usage?.resourceUsage?.deviceStats, !groups.isEmpty else { return }
  terminal.print("\nDevice Stats")
  if !detailed { return terminal.print(Table.keyValues(DeviceStatsText.summary(groups))) }
  for (device, rows) in DeviceStatsText.details(groups) { terminal.print(Table.keyValues([("Device", device)] + rows)) }
}

private func printMetrics(_ metrics: AllocMetric, _ terminal: Terminal) {
  terminal.print("\n" + terminal.bold("Placement Metrics"))
  for line in placementFailureLines(metrics) { terminal.print("  \(line)") }
  let names = Array(Set(metrics.scoreMetaData.flatMap(\.scores.keys))).sorted()
  let rows = metrics.scoreMetaData.map { meta in
    [meta.nodeID.description] + names.map { scoreText(meta.scores[$0] ?? 0) } + [scoreText(meta.normScore)]
  }
  if !rows.isEmpty { terminal.print(Table.columns(["Node"] + names + ["final score"], rows)) }
}

/// A score with at most three decimals.
private func scoreText(_ score: Double) -> String {
  let thousandths = Int((score * 1000).rounded())
  return "\(Double(thousandths) / 1000)"
}

let allocLogs = Command(
  path: ["alloc", "logs"], aliases: [["logs"]], arguments: "<allocation> [task]",
  summary: "Print what a task wrote to its standard output or error",
  flags: [
    .bool("f", "Follow: print what is written from now on, too."),
    .bool("stderr", "Standard error instead of standard output."),
    .bool("stdout", "Standard output (the default; with -f both are, each to its own)."),
    .bool("tail", "Print the end only: the last -n lines or -c bytes (ten lines when neither is given)."),
    .value("n", "lines", "With -tail: this many lines."), .value("c", "bytes", "With -tail: this many bytes."),
    .value("task", "name", "The task, when the allocation has several."),
    .bool("job", "The first argument is a job: print the log of one of its allocations."), verboseFlag,
  ], completes: .allocations
) { invocation in
  try invocation.expectArguments(1...2)
  let client = invocation.client
  let allocation =
    invocation.has("job")
    ? try someAllocation(ofJob: invocation.arguments[0], client)
    : try client.allocation(prefix: invocation.arguments[0])
  let task = try chosenTask(allocation, invocation.parsed.value("task") ?? invocation.arguments.dropFirst().first)
  guard !invocation.has("stderr") || !invocation.has("stdout") else {
    throw UsageError("give one of -stdout and -stderr")
  }
  let path = "/v1/client/fs/logs/\(allocation.id)"
  func show(_ stream: String, on descriptor: Int32) throws {
    try printFile(
      path, ["task": task, "type": stream], allocation, follow: invocation.has("f"), on: descriptor, invocation)
  }
  guard invocation.has("f"), !invocation.has("stderr"), !invocation.has("stdout") else {
    try show(invocation.has("stderr") ? "stderr" : "stdout", on: STDOUT_FILENO)
    return 0
  }
  // Both are followed: each request holds its thread.
  let end = StreamEnd()
  try DetachedThread.start(stackBytes: 1 << 20) {
    do {
      try printFile(
        path, ["task": task, "type": "stderr"], allocation, follow: true, on: STDERR_FILENO, invocation)
    } catch {
      end.failure = "\(error)"
    }
    end.isReached = true
  }
  try show("stdout", on: STDOUT_FILENO)
  // The task is over: what is left of its standard error comes at once.
  while !end.isReached { usleep(10_000) }
  if let failure = end.failure { throw CommandFailure(failure) }
  return 0
}

/// How following standard error ended, on a thread of its own.
private final class StreamEnd: Sendable {
  private let state = Mutex<(isReached: Bool, failure: String?)>((false, nil))
  var isReached: Bool {
    get { state.withLock { $0.isReached } }
    set { state.withLock { $0.isReached = newValue } }
  }
  var failure: String? {
    get { state.withLock { $0.failure } }
    set { state.withLock { $0.failure = newValue } }
  }
}

/// Prints a log or a file of an allocation as -tail, -n, -c and -f of the command line ask.
/// - Parameter path: of an endpoint that takes origin, offset and follow.
private func printFile(
  _ path: String, _ query: [String: String], _ allocation: Allocation, follow: Bool,
  on descriptor: Int32 = STDOUT_FILENO,
  _ invocation: Invocation
) throws {
  let client = invocation.client
  var query = query
  query["plain"] = "true"
  query["follow"] = "false"
  if invocation.has("tail") {
    query["origin"] = "end"
    if let count = try invocation.parsed.integer("c") {
      query["offset"] = "\(count)"
    } else {
      let end = try lastLines(count: try invocation.parsed.integer("n") ?? 10) { offset in
        query["offset"] = "\(offset)"
        return try client.raw(path, query, namespace: allocation.namespace)
      }
      guard follow else { return invocation.terminal.write(bytes: end, to: descriptor) }
      // What is written between the two requests moves the beginning by as much.
      query["offset"] = "\(end.count)"
    }
  }
  query["follow"] = "\(follow)"
  try client.stream(path, query, namespace: allocation.namespace) {
    invocation.terminal.write(bytes: $0, to: descriptor)
  }
}

/// The last `count` lines of something that can be read from its end.
/// - Parameter read: the last so many bytes, fewer when there are fewer.
func lastLines(count: Int, read: (Int) throws -> [UInt8]) rethrows -> [UInt8] {
  guard count > 0 else { return [] }
  // Most lines are shorter than this; where they are not, more is read.
  var offset = min(count, 1 << 20) * 160
  while true {
    let bytes = try read(offset)
    let lines = bytes.dropLast().count { $0 == 0x0A }
    if lines >= count || bytes.count < offset || offset >= 1 << 30 { return lastLines(of: bytes, count: count) }
    offset *= 8
  }
}

/// The last `count` lines of a text; an unfinished last line counts.
func lastLines(of bytes: [UInt8], count: Int) -> [UInt8] {
  var remaining = count
  var position = bytes.count
  if bytes.last == 0x0A { position -= 1 }
  while position > 0 {
    if bytes[position - 1] == 0x0A {
      remaining -= 1
      if remaining == 0 { break }
    }
    position -= 1
  }
  return Array(bytes[position...])
}

func someAllocation(ofJob prefix: String, _ client: APIClient) throws -> Allocation {
  let identity = try client.jobIdentity(prefix: prefix)
  let found: [AllocationListStub] = try client.get(
    "/v1/job/\(identity.id.pathEncoded)/allocations", namespace: identity.namespace)
  let running = found.filter { $0.clientStatus == .running }
  guard let chosen = (running.isEmpty ? found : running).max(by: { $0.createIndex < $1.createIndex }) else {
    throw CommandFailure("No allocations for job \"\(identity.id)\"")
  }
  return try client.get("/v1/allocation/\(chosen.id)")
}

func chosenTask(_ allocation: Allocation, _ name: String?) throws(CommandFailure) -> String {
  let tasks = taskNames(allocation)
  if let name {
    guard tasks.contains(name) else {
      throw CommandFailure(
        "Allocation \"\(allocation.id.short)\" has no task \"\(name)\": it has \(tasks.joined(separator: ", "))")
    }
    return name
  }
  guard tasks.count == 1 else {
    throw CommandFailure(
      "Allocation \"\(allocation.id.short)\" has several tasks, name one of them: \(tasks.joined(separator: ", "))")
  }
  return tasks[0]
}

let allocFS = Command(
  path: ["alloc", "fs"], arguments: "<allocation> [path]", summary: "List or print files of an allocation's directory",
  flags: [
    .bool("H", "Sizes as people read them."), .bool("stat", "Show the file's information instead of its content."),
    .bool("f", "Follow: print what is added to the file from now on, too."),
    .bool("tail", "Print the end of the file only."),
    .value("n", "lines", "With -tail: this many lines."), .value("c", "bytes", "With -tail: this many bytes."),
    .bool("job", "The first argument is a job: look into one of its allocations."), verboseFlag,
  ], completes: .allocations
) { invocation in
  try invocation.expectArguments(1...2)
  let client = invocation.client
  let allocation =
    invocation.has("job")
    ? try someAllocation(ofJob: invocation.arguments[0], client)
    : try client.allocation(prefix: invocation.arguments[0])
  let path = invocation.arguments.count > 1 ? invocation.arguments[1] : "/"
  let base = "/v1/client/fs"
  let info: AllocFileInfo = try client.get(
    "\(base)/stat/\(allocation.id)", ["path": path], namespace: allocation.namespace)
  if invocation.has("stat") {
    invocation.terminal.print(fileTable([info], invocation))
    return 0
  }
  if info.isDir {
    let files: [AllocFileInfo] = try client.get(
      "\(base)/ls/\(allocation.id)", ["path": path], namespace: allocation.namespace)
    invocation.terminal.print(fileTable(files, invocation))
    return 0
  }
  if invocation.has("f") || invocation.has("tail") {
    try printFile(
      "\(base)/stream/\(allocation.id)", ["path": path], allocation, follow: invocation.has("f"), invocation)
    return 0
  }
  try client.stream("\(base)/cat/\(allocation.id)", ["path": path], namespace: allocation.namespace) { chunk in
    invocation.terminal.write(bytes: chunk)
  }
  return 0
}

private func fileTable(_ files: [AllocFileInfo], _ invocation: Invocation) -> String {
  let rows = files.map { file in
    [
      file.fileMode, invocation.has("H") ? bytesText(Int(file.size)) : "\(file.size)",
      TimeText.absolute(nanoseconds: file.modTime.nanoseconds), file.isDir ? file.name + "/" : file.name,
    ]
  }
  return Table.columns(["Mode", "Size", "Modified Time", "Name"], rows)
}

let allocStop = Command(
  path: ["alloc", "stop"], arguments: "<allocation>", summary: "Stop an allocation and have it rescheduled",
  flags: [
    .bool("detach", "Return at once instead of following the evaluation."),
    .bool("no-shutdown-delay", "Ignore shutdown_delay of the group and its tasks."), verboseFlag,
  ], completes: .allocations
) { invocation in
  let allocation = try invocation.client.allocation(prefix: try invocation.onlyArgument())
  let query = invocation.has("no-shutdown-delay") ? ["no_shutdown_delay": "true"] : [:]
  let response: AllocStopResponse = try invocation.client.put(
    "/v1/allocation/\(allocation.id)/stop", query, body: JSONObject(), namespace: allocation.namespace)
  if invocation.has("detach") {
    invocation.terminal.print("\(response.evalID)")
    return 0
  }
  return try Monitor(invocation).evaluation(response.evalID)
}

let allocRestart = Command(
  path: ["alloc", "restart"], arguments: "<allocation> [task]", summary: "Restart the tasks of an allocation in place",
  flags: [
    .value("task", "name", "Only this task."), .bool("all-tasks", "Also tasks that are done, in their order."),
    verboseFlag,
  ], completes: .allocations
) { invocation in
  try invocation.expectArguments(1...2)
  let allocation = try invocation.client.allocation(prefix: invocation.arguments[0])
  var body = JSONObject()
  if let task = invocation.parsed.value("task") ?? invocation.arguments.dropFirst().first {
    body["TaskName"] = .string(try chosenTask(allocation, task))
  }
  if invocation.has("all-tasks") { body["AllTasks"] = true }
  try invocation.client.send(
    "/v1/client/allocation/\(allocation.id)/restart", body: body, namespace: allocation.namespace)
  return 0
}

let allocSignal = Command(
  path: ["alloc", "signal"], arguments: "<allocation> [task]", summary: "Send a signal to the tasks of an allocation",
  flags: [
    .value("s", "signal", "The signal; SIGKILL when not given."), .value("task", "name", "Only this task."),
    verboseFlag,
  ], completes: .allocations
) { invocation in
  try invocation.expectArguments(1...2)
  let allocation = try invocation.client.allocation(prefix: invocation.arguments[0])
  var body = JSONObject()
  body["Signal"] = .string(invocation.parsed.value("s") ?? "SIGKILL")
  if let task = invocation.parsed.value("task") ?? invocation.arguments.dropFirst().first {
    body["Task"] = .string(try chosenTask(allocation, task))
  }
  try invocation.client.send(
    "/v1/client/allocation/\(allocation.id)/signal", body: body, namespace: allocation.namespace)
  return 0
}
