// How long the codec takes: `swift run -c release codec-bench`.
//
// The list is what `GET /v1/allocations` answers with for 20,000 running allocations. Each figure is processor time, so that
// other work on the machine counts little, and the best of ten runs. An argument limits the rows to those that contain it.
import Codec
import Glibc
import Model

func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

func measure(_ name: String, count: Int, bytes: Int, _ body: () -> Void) {
  if CommandLine.arguments.count > 1 && !name.contains(CommandLine.arguments[1]) { return }
  var best = Double.infinity
  for _ in 0..<10 {
    let start = processorTime()
    body()
    best = min(best, processorTime() - start)
  }
  report(name, count, bytes, best)
}

func report(_ what: String, _ count: Int, _ bytes: Int, _ time: Double) {
  func rounded(_ value: Double) -> String { String(Double(Int(value * 100)) / 100) }
  let name = what + String(repeating: " ", count: max(0, 34 - what.count))
  print(
    name, rounded(time / Double(count) / 1000), "µs each,", bytes / count, "bytes each,",
    rounded(Double(bytes) / time * 1000), "MB/s")
}

func stub(_ number: Int, events: Int) -> AllocationListStub {
  var generator = SystemRandomNumberGenerator()
  var stub = AllocationListStub()
  stub.id = Identifier(using: &generator)
  stub.evalID = Identifier(using: &generator)
  stub.nodeID = Identifier(using: &generator)
  stub.name = "example-service.cache[\(number)]"
  stub.namespace = "default"
  stub.nodeName = "worker-\(number % 500).example.net"
  stub.jobID = "example-service"
  stub.jobType = "service"
  stub.jobVersion = 3
  stub.taskGroup = "cache"
  stub.clientStatus = .running
  stub.clientDescription = "Tasks are running"
  stub.createIndex = UInt64(1000 + number)
  stub.modifyIndex = UInt64(2000 + number)
  stub.createTime = 1_700_000_000_000_000_000 + Int64(number)
  stub.modifyTime = 1_700_000_001_000_000_000 + Int64(number)
  if events > 0 {
    var status = AllocDeploymentStatus()
    status.healthy = true
    status.timestamp = Timestamp(nanoseconds: 1_700_000_000_123_456_789)
    stub.deploymentStatus = status
    var state = TaskState()
    state.state = .running
    state.startedAt = Timestamp(nanoseconds: 1_700_000_000_123_456_789)
    let texts: [(TaskEventType, String)] = [
      (.received, "Task received by client"), (.taskSetup, "Building Task Directory"),
      (.started, "Task started by client"),
    ]
    state.events = texts.prefix(events).map { TaskEvent($0.0, time: 1_700_000_000_123_456_789, message: $0.1) }
    stub.taskStates = ["redis": state]
  }
  return stub
}

func run(_ name: String, events: Int) {
  let count = 20_000
  let stubs = (0..<count).map { stub($0, events: events) }
  let text = JSON.encode(stubs)
  let binaries = stubs.map { Binary.encode($0) }
  let total = binaries.reduce(0) { $0 + $1.count }
  measure("JSON encode, \(name)", count: count, bytes: text.count) {
    precondition(JSON.encode(stubs).count == text.count)
  }
  measure("JSON decode, \(name)", count: count, bytes: text.count) {
    precondition((try? JSON.decode([AllocationListStub].self, from: text))?.count == count)
  }
  measure("binary encode, \(name)", count: count, bytes: total) {
    precondition(stubs.reduce(0) { $0 + Binary.encode($1).count } == total)
  }
  measure("binary decode, \(name)", count: count, bytes: total) {
    for bytes in binaries { precondition((try? Binary.decode(AllocationListStub.self, from: bytes)) != nil) }
  }
}

run("no task states", events: 0)
run("one task, three events", events: 3)
