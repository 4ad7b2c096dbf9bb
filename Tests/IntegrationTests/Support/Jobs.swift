import Codec
import HTTP
import Linux
import Testing

/// What tests ask an agent about its jobs.
extension Agent {
  /// Registers a jobspec without following it.
  func submit(_ name: String, _ text: String) async throws {
    try await succeeds("job", "run", "-detach", try scratch.write("\(name).nomad.hcl", text))
  }

  /// The list entries of a job's allocations, the oldest first.
  func allocations(of job: String) async throws -> [Allocation] {
    let list = try await get("/v1/job/\(job)/allocations").arrayValue ?? []
    return list.map(Allocation.init).sorted { $0.createIndex < $1.createIndex }
  }

  /// The one allocation of a job that is in a client status.
  func allocation(of job: String, being status: String) async throws -> Allocation {
    try await eventually("an allocation of \(job) is \(status)", orSay: { await self.events(of: job) }) {
      try await allocations(of: job).last { $0.status == status }
    }
  }

  /// The one allocation of a job that fulfils a condition.
  func allocation(
    of job: String, _ what: String, where condition: (Allocation) -> Bool
  ) async throws -> Allocation {
    try await eventually("\(job): \(what)", orSay: { await self.events(of: job) }) {
      try await allocations(of: job).last(where: condition)
    }
  }

  func log(_ allocation: Allocation, _ task: String, _ kind: String = "stdout") async throws -> String {
    let answer = try await request(.get, "/v1/client/fs/logs/\(allocation.id)?task=\(task)&type=\(kind)&plain=true")
    try #require(answer.status == .ok, "log of \(task): \(answer)")
    return answer.text
  }

  /// Stops a job and waits until nothing of it runs.
  func stop(_ job: String) async throws {
    try await succeeds("job", "stop", "-detach", job)
    try await until("\(job) is dead and all its allocations have ended", orSay: { await self.events(of: job) }) {
      let status = try await get("/v1/job/\(job)")["Status"]
      return try await allocations(of: job).allSatisfy { $0.status != "running" && $0.status != "pending" }
        && status == "dead"
    }
  }

  /// What happened to a job's tasks, for messages.
  private func events(of job: String) async -> String {
    guard let all = try? await allocations(of: job) else { return "the job's allocations can't be read" }
    return all.map { "\($0.name) \($0.id) \($0.status): \($0.tasks.mapValues(\.messages))" }.joined(separator: "\n")
  }
}

/// One entry of a list of allocations.
struct Allocation: Sendable {
  let json: JSONValue

  init(_ json: JSONValue) { self.json = json }

  var id: String { json["ID"]?.stringValue ?? "" }
  var short: String { String(id.prefix(8)) }
  var name: String { json["Name"]?.stringValue ?? "" }
  var status: String { json["ClientStatus"]?.stringValue ?? "" }
  var createIndex: Int64 { json["CreateIndex"]?.intValue ?? 0 }
  var tasks: [String: TaskReport] {
    var all: [String: TaskReport] = [:]
    for (name, state) in json["TaskStates"]?.objectValue?.members ?? [] { all[name] = TaskReport(json: state) }
    return all
  }
  /// The state of the only task.
  var task: TaskReport { tasks.values.first ?? TaskReport(json: .null) }
}

/// What an allocation tells of one of its tasks.
struct TaskReport: Sendable {
  let json: JSONValue

  var state: String { json["State"]?.stringValue ?? "" }
  var restarts: Int64 { json["Restarts"]?.intValue ?? 0 }
  var failed: Bool { json["Failed"]?.boolValue ?? false }
  var events: [JSONValue] { json["Events"]?.arrayValue ?? [] }
  var messages: [String] {
    events.map { "\($0["Type"]?.stringValue ?? ""): \($0["DisplayMessage"]?.stringValue ?? "")" }
  }

  /// The texts of all events of a type.
  func messages(_ type: String) -> [String] {
    events.filter { $0["Type"]?.stringValue == type }.map { $0["DisplayMessage"]?.stringValue ?? "" }
  }
}

/// A job with one group of one exec task that runs a shell script.
/// - Parameters:
///   - group: more of the group, in HCL; `task`: more of the task; `resources`: more of its resources.
func shellJob(
  _ name: String, type: String = "service", script: String, driver: String = "exec", group: String = "",
  task: String = "", resources: String = "",
  memory: Int = 64
) -> String {
  """
  job "\(name)" {
    type = "\(type)"
    group "\(name)" {
      \(group)
      task "\(name)" {
        driver = "\(driver)"
        config {
          command = "/bin/sh"
          args = ["-c", <<-EOS
  \(script.split(separator: "\n", omittingEmptySubsequences: false).map { "          " + $0 }.joined(separator: "\n"))
          EOS
          ]
        }
        \(task)
        resources {
          cpu    = 50
          memory = \(memory)
          \(resources)
        }
      }
    }
  }

  """
}
