// isolation-bench SUPERVISOR STAMP [rounds [tasks]]: from a start request on the supervisor's socket to the first instruction of
// the task, cold (200 ms idle before) and hot, with host ids, with ids of its own, and with a network of its own.
//
// SUPERVISOR is the program to measure (an optimised build), STAMP the program of stamp.c.
import Glibc
import Isolation
import Linux
import Supervisor

struct Variant {
  var name: String
  var change: @Sendable (inout Sandbox) -> Void
}

let variants = [
  Variant(name: "host ids") { _ in },
  Variant(name: "host ids, network") { $0.namespaces.insert(.network) },
  Variant(name: "user namespace") { $0.userNamespace = UserNamespace(firstID: IDRangePool.defaultFirstID) },
  Variant(name: "user namespace, network") {
    $0.userNamespace = UserNamespace(firstID: IDRangePool.defaultFirstID)
    $0.namespaces.insert(.network)
  },
]

func milliseconds(_ nanoseconds: Int64) -> String {
  let hundredths = nanoseconds / 10_000
  let fraction = String(hundredths % 100)
  return "\(hundredths / 100).\(fraction.count < 2 ? "0" + fraction : fraction)"
}

func report(_ name: String, _ times: [Int64]) {
  let sorted = times.sorted()
  func at(_ percent: Int) -> String { milliseconds(sorted[min(sorted.count - 1, sorted.count * percent / 100)]) }
  print(
    "\(name): p50 \(at(50)) ms, p90 \(at(90)) ms, p99 \(at(99)) ms, min \(milliseconds(sorted[0])) ms, n \(sorted.count)"
  )
}

@MainActor func measure(
  _ client: SupervisorClient, group: String, base: String, name: String, variant: Variant, rounds: Int,
  gapMilliseconds: Int64
) async throws {
  let directory = "\(base)/task"
  for part in ["local", "secrets", "tmp"] { try Files.makeDirectories("\(directory)/\(part)") }
  var times: [Int64] = []
  let cgroups = try CgroupLayout.ofThisHost().driver
  let before = try cgroups.statistics(group).cpuNanoseconds
  for round in 0..<rounds {
    if gapMilliseconds > 0 { try await Task.sleep(for: .milliseconds(gapMilliseconds)) }
    var sandbox = Sandbox(command: Command("/local/stamp"))
    sandbox.root = Root(taskDirectory: directory, layersDirectory: "\(base)/.layers")
    sandbox.mounts = [.bind(base + "/alloc", at: "/alloc", hasTaskIDs: true)]
    sandbox.limits.memoryBytes = 64 << 20
    variant.change(&sandbox)
    let id = "\(name).\(round)"
    let logs = LogSpec(directory: base + "/alloc/logs", task: id)
    let begin = Clock.monotonicNanoseconds
    _ = try await client.start(TaskSpec(id: id, sandbox: sandbox, logs: logs))
    for await event in client.events { if case .exited(id, _) = event { break } }
    let text = try Files.readText("\(base)/alloc/logs/\(id).stdout.0")
    guard let stamp = Int64(text.dropLast()) else { throw SupervisorError(.system, "the task printed \"\(text)\"") }
    times.append(stamp - begin)
    try await client.acknowledge(id)
    for stream in ["stdout", "stderr"] { try Files.remove("\(base)/alloc/logs/\(id).\(stream).0") }
  }
  report(name, times)
  // Of the supervisor and the tasks, ends included: unlike the times it hardly depends on what else the machine does.
  let used = try cgroups.statistics(group).cpuNanoseconds - before
  print("  CPU per start and end: \(milliseconds(Int64(used) / Int64(rounds))) ms")
}

/// Kilobytes of the fields of a /proc file that begin with one of the names.
func kilobytes(_ path: String, _ names: [String]) throws -> Int {
  try Files.readText(path).split(separator: "\n").filter { line in names.contains { line.hasPrefix($0 + ":") } }
    .compactMap { line in line.split(separator: " ").dropFirst().first.flatMap { Int($0) } }.reduce(0, +)
}

/// Many sleeping tasks: how long until all run, and what each costs.
@MainActor func measureDensity(_ client: SupervisorClient, base: String, count: Int) async throws {
  let directory = "\(base)/task"
  let kernel = ["Slab", "KernelStack", "PageTables", "SecPageTables", "Percpu"]
  func sleeper(_ id: String) -> TaskSpec {
    var sandbox = Sandbox(command: Command("/local/stamp", arguments: ["wait"]))
    sandbox.root = Root(taskDirectory: directory, layersDirectory: "\(base)/.layers")
    sandbox.userNamespace = UserNamespace(firstID: IDRangePool.defaultFirstID)
    sandbox.limits.memoryBytes = 64 << 20
    // A directory each, as allocations have.
    return TaskSpec(id: id, sandbox: sandbox, logs: LogSpec(directory: "\(base)/logs/\(id)", task: "stamp"))
  }
  for id in ["first"] + (0..<count).map({ "many.\($0)" }) { try Files.makeDirectories("\(base)/logs/\(id)") }
  _ = try await client.start(sleeper("first"))
  let privateBefore = try kilobytes("/proc/\(client.pid)/smaps_rollup", ["Private_Dirty", "Private_Clean"])
  let kernelBefore = try kilobytes("/proc/meminfo", kernel)
  let begin = Clock.monotonicNanoseconds
  try await withThrowingTaskGroup(of: Void.self) { group in
    for index in 0..<count { group.addTask { _ = try await client.start(sleeper("many.\(index)")) } }
    try await group.waitForAll()
  }
  let took = Clock.monotonicNanoseconds - begin
  let privateAfter = try kilobytes("/proc/\(client.pid)/smaps_rollup", ["Private_Dirty", "Private_Clean"])
  let kernelAfter = try kilobytes("/proc/meminfo", kernel)
  print("\(count) starts at once, all running after \(milliseconds(took)) ms")
  print("supervisor: \(privateBefore) KB private with one task, \(privateAfter) KB with \(count + 1)")
  print("  \((privateAfter - privateBefore) * 100 / count) hundredths of a KB a task")
  print("kernel (with a user namespace): \((kernelAfter - kernelBefore) / count) KB a task")
  let cgroups = try CgroupLayout.ofThisHost().driver
  let supervisorGroup = "serai-bench-\(tag)/supervisor"
  let cpu = try cgroups.statistics(supervisorGroup).cpuNanoseconds
  for index in 0..<count { _ = try await client.statistics("many.\(index)") }
  let used = try cgroups.statistics(supervisorGroup).cpuNanoseconds - cpu
  print("statistics of \(count) tasks: \(milliseconds(Int64(used))) ms of the supervisor's CPU")
  let ending = Clock.monotonicNanoseconds
  for task in try await client.list() { try await client.kill(task.id) }
  while try await client.list().contains(where: { if case .exited = $0.state { false } else { true } }) {
    try await Task.sleep(for: .milliseconds(20))
  }
  print("all killed and removed after \(milliseconds(Clock.monotonicNanoseconds - ending)) ms")
  for task in try await client.list() { try await client.acknowledge(task.id) }
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  print("usage: isolation-bench SUPERVISOR STAMP [rounds]")
  exit(2)
}
let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 100 : 100
let taskCount = arguments.count > 4 ? Int(arguments[4]) ?? 1000 : 1000
let tag = try Randomness.bytes(4).map { String($0, radix: 16) }.joined()
let base = "/var/tmp/serai-bench-\(tag)"
try Files.makeDirectories(base + "/alloc/logs")
try Files.makeDirectories(base + "/task/local")
try Files.replace(base + "/task/local/stamp", with: try Files.read(arguments[2]), permissions: 0o755)
// Where /run is no tmpfs, as in some containers, the disk would be measured too.
let isTemporary = try FileDescriptor.open("/run", [.readOnly, .directory]).fileSystem().type == 0x0102_1994
let runtime = "\(isTemporary ? "/run" : "/dev/shm")/serai-bench-\(tag)"
let launcher = SupervisorLauncher(
  executable: arguments[1], runtimeDirectory: runtime, cgroup: "serai-bench-\(tag)",
  logFile: base + "/log")
let client = try await launcher.connect()
do {
  for variant in rounds > 0 ? variants : [] {
    let plain = variant.name.map { $0 == " " || $0 == "," ? "-" : String($0) }.joined()
    try await measure(
      client, group: "serai-bench-\(tag)", base: base, name: "\(plain)-hot", variant: variant, rounds: rounds,
      gapMilliseconds: 0)
    try await measure(
      client, group: "serai-bench-\(tag)", base: base, name: "\(plain)-cold", variant: variant, rounds: min(rounds, 40),
      gapMilliseconds: 200)
  }
  if taskCount > 0 { try await measureDensity(client, base: base, count: taskCount) }
} catch {
  print("\(error)")
}
try await client.shutdown()
let cgroups = try CgroupLayout.ofThisHost().driver
let deadline = Clock.monotonicNanoseconds + 5_000_000_000
while Clock.monotonicNanoseconds < deadline {
  do {
    try cgroups.remove("serai-bench-\(tag)")
    break
  } catch {
    try await Task.sleep(for: .milliseconds(10))
  }
}
try Files.removeTree(base)
try Files.removeTree(runtime)
