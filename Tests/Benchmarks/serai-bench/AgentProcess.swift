import Codec
import Glibc
import HTTP
import Isolation
import Linux

/// A development agent of the release build, and one connection to it.
final class AgentProcess {
  let address: String
  let folder: String
  private let child: Child
  private let http = HTTPClient()
  let cgroup: String

  /// Starts it and waits until it is healthy and its node is ready.
  init(_ place: Place, name: String) async throws {
    folder = "\(place.folder)/\(name)"
    cgroup = "\(Place.cgroup)-\(name)"
    try place.makeGroup(cgroup)
    let port = 20_000 + Int(getpid()) % 10_000
    address = "http://127.0.0.1:\(port)"
    try Files.makeDirectories(folder, permissions: 0o755)
    let entries = place.entries.map { "      \"\($0.source)\" = \"\($0.target)\"" }.joined(separator: "\n")
    let configuration = """
      data_dir = "\(folder)/data"
      ports {
        http = \(port)
        rpc  = \(port + 1)
        serf = \(port + 2)
      }
      client {
        enabled       = true
        cgroup_parent = "\(cgroup)"
        chroot_env {
      \(entries)
        }
      }

      """
    try Files.replace("\(folder)/agent.hcl", with: Array(configuration.utf8), permissions: 0o644)
    let log = try FileDescriptor.open("\(folder)/agent.log", [.writeOnly, .create], permissions: 0o644)
    child = try Child(
      "\(place.release)/serai", ["agent", "-dev", "-config", "\(folder)/agent.hcl", "-log-level", "INFO"],
      errors: log.number)
    let deadline = Clock.monotonicNanoseconds + 60_000_000_000
    while try await !isReady() {
      guard Clock.monotonicNanoseconds < deadline else {
        throw Failure("the agent did not come up:\n\(try Files.readText("\(folder)/agent.log"))")
      }
      Clock.sleep(nanoseconds: 20_000_000)
    }
  }

  private func isReady() async throws -> Bool {
    guard let nodes = try? await get("/v1/nodes") else { return false }
    return nodes.arrayValue?.first?["Status"]?.stringValue == "ready"
  }

  var pid: Int32 { child.pid }

  /// The supervisor of the agent's tasks.
  var supervisor: Int32 {
    get throws {
      let cgroups = try CgroupLayout.ofThisHost().driver
      guard let pid = try cgroups.processes("\(cgroup)/supervisor").first else {
        throw Failure("the agent's supervisor does not run")
      }
      return pid
    }
  }

  func get(_ path: String) async throws -> JSONValue {
    let response = try await http.request(HTTPClientRequest(url: address + path, timeout: .seconds(30)))
    let bytes = try await response.bytes()
    guard response.status == .ok else { throw Failure("GET \(path): \(String(decoding: bytes, as: UTF8.self))") }
    return try JSON.decode(JSONValue.self, from: bytes)
  }

  func send(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws {
    let response = try await http.request(
      HTTPClientRequest(method: method, url: address + path, body: body.map { JSON.encode($0) }, timeout: .seconds(30)))
    let bytes = try await response.bytes()
    guard response.status == .ok else { throw Failure("\(method) \(path): \(String(decoding: bytes, as: UTF8.self))") }
  }

  /// Registers a batch job with one task that says when it began, and waits for its end.
  /// - Returns: from the request to the task's first instruction, in nanoseconds.
  func run(_ job: String) async throws -> Int64 {
    let definition: JSONValue = [
      "Job": [
        "ID": .string(job), "Name": .string(job), "Type": "batch", "Datacenters": ["*"],
        "TaskGroups": [
          [
            "Name": "g", "Count": 1,
            "RestartPolicy": ["Attempts": 0, "Mode": "fail", "Interval": 5_000_000_000, "Delay": 0],
            "ReschedulePolicy": ["Attempts": 0, "Unlimited": false],
            "Tasks": [
              [
                "Name": "t", "Driver": "exec", "Config": ["command": .string("\(Place.programsInside)/stamp")],
                "Resources": ["CPU": 100, "MemoryMB": 64],
              ]
            ],
          ]
        ],
      ]
    ]
    let began = Clock.monotonicNanoseconds
    try await send(.put, "/v1/jobs", definition)
    let allocation = try await ended(job)
    let time = try Supervised.stamp("\(folder)/data/alloc/\(allocation)/alloc/logs", "t")
    try await send(.delete, "/v1/job/\(job)?purge=true")
    return time - began
  }

  private func ended(_ job: String) async throws -> String {
    let deadline = Clock.monotonicNanoseconds + 30_000_000_000
    while true {
      let allocation = try await get("/v1/job/\(job)/allocations").arrayValue?.first
      switch allocation?["ClientStatus"]?.stringValue {
      case "complete": return allocation?["ID"]?.stringValue ?? ""
      case "failed":
        throw Failure("\(job) failed: \(JSON.text(allocation ?? .null))")
      default: break
      }
      guard Clock.monotonicNanoseconds < deadline else { throw Failure("\(job) does not end") }
      Clock.sleep(nanoseconds: 4_000_000)
    }
  }

  /// Ends the agent in order.
  func stop() {
    let status = child.end(SIGTERM)
    if status.exitCode != 0 { print("the agent ended with \(status)") }
  }
}
