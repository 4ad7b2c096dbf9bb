import Codec
import Glibc
import HTTP
import Linux
import Synchronization
import Testing

/// Crashes at chosen kinds of moments, again and again. The sleeps choose the moment; nothing is waited for by them.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct CrashTests {
  @Test func acknowledgedJobsSurviveAKilledServer() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server)
      try await server.start()
      var acknowledged: Set<String> = []
      for round in 0..<4 {
        let written = Names()
        await withTaskGroup(of: Void.self) { group in
          for writer in 0..<4 {
            group.addTask {
              for number in 0..<1000 {
                let name = "job-\(round)-\(writer)-\(number)"
                let job = """
                  {"Job": {"ID": "\(name)", "Type": "batch", "TaskGroups": [{"Name": "g", "Count": 0, "Tasks": [
                    {"Name": "t", "Driver": "exec", "Config": {"command": "/bin/true"}}]}]}}
                  """
                guard let answer = try? await server.request(.put, "/v1/jobs", body: job), answer.status == .ok else {
                  return
                }
                _ = written.all.withLock { $0.insert(name) }
              }
            }
          }
          group.addTask {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
            try? await server.kill()
          }
        }
        let new = written.all.withLock { $0 }
        try #require(!new.isEmpty, "something was written before the crash")
        acknowledged.formUnion(new)
        try await server.start()
        let found = Set((try await server.get("/v1/jobs").arrayValue ?? []).compactMap { $0["ID"]?.stringValue })
        try #require(acknowledged.isSubset(of: found), "lost: \(acknowledged.subtracting(found).sorted().prefix(5))")
      }
    }
  }

  @Test func agentKilledWhileTasksStopEndsThemAfterwards() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      for round in 0..<5 {
        let name = "stopping-\(round)"
        try await agent.submit(
          name,
          shellJob(name, script: "trap 'sleep 0.3; echo bye; exit 0' INT\necho ready\nwhile true; do sleep 0.05; done"))
        let allocation = try await agent.allocation(of: name, being: "running")
        try await until("the trap is set") { try await agent.log(allocation, name).contains("ready") }
        try await agent.succeeds("job", "stop", "-detach", name)
        try await Task.sleep(for: .milliseconds(round * 100 + Int.random(in: 0...50)))
        try await agent.kill()
        try await agent.start()
        let ended = try await agent.allocation(of: name, being: "complete")
        try #require(ended.id == allocation.id && ended.task.restarts == 0, "\(ended.task.messages)")
        try #require(try await agent.log(ended, name).contains("bye"), "it was asked first: \(ended.task.messages)")
        try await until("nothing of \(name) is left") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
      }
    }
  }

  @Test func supervisorKilledDuringStartsLeavesOneCopy() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      for round in 0..<5 {
        let name = "start-\(round)"
        let marker = "8650\(round).\(UInt32.random(in: 100_000...999_999))"
        let supervisor = try await eventually("a supervisor runs") { agent.supervisor?.pid }
        try await agent.submit(
          name,
          shellJob(
            name, script: "exec sleep \(marker)",
            group: "restart {\n attempts = 5\n delay = \"100ms\"\n interval = \"10m\"\n}"))
        try await Task.sleep(for: .milliseconds(round * 4))
        Glibc.kill(supervisor, SIGKILL)
        func copies() -> [HostProcess] { HostProcess.mentioning(marker).filter { $0.arguments.first == "sleep" } }
        _ = try await agent.allocation(of: name, being: "running")
        try await until("\(name) runs once", orSay: { "\(copies())" }) { copies().count == 1 }
        try await agent.stop(name)
        try await until("nothing of \(name) is left", orSay: { "\(HostProcess.tasks(cgroup: scratch.name))" }) {
          HostProcess.tasks(cgroup: scratch.name).isEmpty
        }
      }
    }
  }
}

/// Names that several writers gather.
private final class Names: Sendable {
  let all = Mutex<Set<String>>([])
}
