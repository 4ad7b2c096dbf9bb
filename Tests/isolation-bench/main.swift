// isolation-bench SUPERVISOR STAMP [rounds]: from a start request on the supervisor's socket to the first instruction of
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

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  print("usage: isolation-bench SUPERVISOR STAMP [rounds]")
  exit(2)
}
let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 100 : 100
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
  for variant in variants {
    let plain = variant.name.map { $0 == " " || $0 == "," ? "-" : String($0) }.joined()
    try await measure(
      client, group: "serai-bench-\(tag)", base: base, name: "\(plain)-hot", variant: variant, rounds: rounds,
      gapMilliseconds: 0)
    try await measure(
      client, group: "serai-bench-\(tag)", base: base, name: "\(plain)-cold", variant: variant, rounds: min(rounds, 40),
      gapMilliseconds: 200)
  }
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
