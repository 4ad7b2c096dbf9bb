import Codec
import Glibc
import HTTP
import Linux
import Testing

/// An agent that is killed in each phase of a task's start, recognised by what that phase leaves behind.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct StartPhaseTests {
  enum Phase: String, CaseIterable, CustomTestStringConvertible {
    case stored = "the job is stored"
    case placed = "the allocation is known"
    case directory = "the allocation's directory is made"
    case taskDirectory = "the task's directory is made"
    case artifact = "an artifact is being fetched"
    case artifactThere = "the artifact is there"
    case template = "the template is rendered"
    case group = "the task's control group is there"
    case process = "the task's process is there"
    case running = "the task is reported as running"

    var testDescription: String { rawValue }
  }

  @Test(arguments: Phase.allCases) func theTaskRunsOnceAfterwards(_ phase: Phase) async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, [:], held: ["/held": Array("held".utf8)])
      let agent = try Agent(scratch, .both)
      try await agent.start()
      let marker = "8642.\(UInt32.random(in: 100_000...999_999))"
      let job = shellJob(
        "phase", script: "cat local/held local/rendered; exec sleep \(marker)",
        task: """
          artifact {
            source = "\(server.address)/held"
          }
          template {
            destination = "local/rendered"
            data        = "rendered"
          }
          """)
      // Only one phase waits for the artifact; before it the others go straight on.
      if phase != .artifact { server.release() }
      try await agent.submit("phase", job)
      let place = Place(agent: agent)
      try await until(phase.rawValue, every: .milliseconds(1)) { try await place.isReached(phase) }
      try await agent.kill()
      server.release()
      try await agent.start()

      let allocation = try await agent.allocation(of: "phase", being: "running")
      func copies() -> [HostProcess] { HostProcess.mentioning(marker).filter { $0.arguments.first == "sleep" } }
      try await until("one copy runs", orSay: { "\(copies())" }) { copies().count == 1 }
      try #require(try await agent.allocations(of: "phase").map(\.id) == [allocation.id], "nothing was replaced")
      try #require(try await agent.log(allocation, "phase").hasSuffix("heldrendered"), "it had all it was to have")
      try await agent.stop("phase")
      try await until("nothing is left", orSay: { "\(HostProcess.tasks(cgroup: scratch.name))" }) {
        copies().isEmpty && HostProcess.tasks(cgroup: scratch.name).isEmpty
      }
    }
  }

  /// Where the one allocation's start has come to.
  private struct Place {
    let agent: Agent

    func isReached(_ phase: Phase) async throws -> Bool {
      switch phase {
      case .stored: true
      case .placed: try await !agent.allocations(of: "phase").isEmpty
      case .directory: !entries("alloc").isEmpty
      case .taskDirectory: found("phase/local")
      case .artifact:
        try await agent.allocations(of: "phase").first?.task.messages("Downloading Artifacts").isEmpty == false
      case .artifactThere: found("phase/local/held")
      case .template: found("phase/local/rendered")
      case .group: !AgentCgroups(name: agent.cgroup).ofTasks.isEmpty
      case .process: !HostProcess.tasks(cgroup: agent.cgroup).isEmpty
      case .running: try await agent.allocations(of: "phase").first?.status == "running"
      }
    }

    private func entries(_ folder: String) -> [String] {
      (try? FileDescriptor.open("\(agent.dataFolder)/\(folder)", [.directory]).entries().map(\.name)) ?? []
    }

    private func found(_ path: String) -> Bool {
      entries("alloc").contains { Files.exists("\(agent.dataFolder)/alloc/\($0)/\(path)") }
    }
  }
}
