import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Tasks that misbehave, and hosts that are in their way.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct FaultTests {
  private static let noRestart =
    "restart {\n attempts = 0\n mode = \"fail\"\n}\nreschedule {\n attempts = 0\n unlimited = false\n}"

  @Test func takenPortIsNamed() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let port = try FreePorts.next()
      let inTheWay = try ListeningSocket(port: port)
      scratch.atEnd { inTheWay.close() }
      try await agent.submit(
        "port",
        shellJob(
          "port", script: "sleep 86400", group: Self.noRestart + "\nnetwork {\n port \"web\" {\n static = \(port)\n}\n}"
        ))
      let failed = try await agent.allocation(of: "port", being: "failed")
      let text = failed.task.messages("Setup Failure").joined()
      try #require(
        text.contains("port \(port) (\"web\")") && text.contains("is taken by another program"),
        "\(failed.task.messages)")
    }
  }

  @Test func commandThatIsNotThereIsNamedWithThePlacesLookedAt() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      for (name, command, place) in [
        ("bare", "no-such-command", "/usr/bin"), ("path", "/local/no-such-file", "/local/no-such-file"),
      ] {
        let job = shellJob(name, script: "true", group: Self.noRestart).replacing(
          "command = \"/bin/sh\"", with: "command = \"\(command)\"")
        try await agent.submit(name, job)
        let failed = try await agent.allocation(of: name, being: "failed")
        let text = failed.task.messages("Driver Failure").joined()
        try #require(text.contains(command) && text.contains(place), "\(failed.task.messages)")
      }
    }
  }

  /// A child that fails while the supervisor lets it go is the rare case; of two hundred some are.
  @Test func everyFailedStartIsReported() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = shellJob("many", type: "batch", script: "true", group: "count = 200\n" + Self.noRestart, memory: 10)
        .replacing("command = \"/bin/sh\"", with: "command = \"/local/no-such-file\"").replacing(
          "cpu    = 50", with: "cpu = 1")
      try await agent.submit("many", job)
      func counts() async throws -> [String: Int] {
        Dictionary(try await agent.allocations(of: "many").map { ($0.status, 1) }, uniquingKeysWith: +)
      }
      try await until("all have failed", orSay: { "\((try? await counts()) ?? [:])" }) {
        try await counts() == ["failed": 200]
      }
    }
  }

  @Test func taskThatIgnoresItsSignalIsKilledAfterTheTimeout() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = shellJob(
        "stubborn", script: "trap 'echo ignored' INT TERM\necho ready\nwhile true; do sleep 0.1; done",
        task: "kill_timeout = \"2s\"\nkill_signal = \"SIGTERM\"")
      try await agent.submit("stubborn", job)
      let allocation = try await agent.allocation(of: "stubborn", being: "running")
      try await until("the trap is set") { try await agent.log(allocation, "stubborn").contains("ready") }
      let begin = Clock.monotonicNanoseconds
      try await agent.stop("stubborn")
      let seconds = Double(Clock.monotonicNanoseconds - begin) / 1e9
      try #require(seconds >= 1.9, "not before the timeout, but after \(seconds) s")
      let ended = try #require(try await agent.allocations(of: "stubborn").first)
      try #require(ended.status == "complete", "\(ended.status)")
      try #require(ended.task.messages("Killing").joined().contains("2s"), "\(ended.task.messages)")
      try #require(ended.task.messages("Terminated").joined().contains("Signal: 9"), "\(ended.task.messages)")
      try #require(try await agent.log(ended, "stubborn").contains("ignored"))
      try #require(HostProcess.tasks(cgroup: scratch.name).isEmpty)
    }
  }

  @Test func memoryHogIsEndedAndItsNeighbourLeftAlone() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("neighbour", shellJob("neighbour", script: "while true; do echo tick; sleep 0.1; done"))
      let neighbour = try await agent.allocation(of: "neighbour", being: "running")
      // The shell doubles a text until its memory is used up.
      let hog = shellJob(
        "hog", script: "x=0123456789abcdef\nwhile true; do x=$x$x; done",
        group:
          "restart {\n attempts = 1\n delay = \"100ms\"\n interval = \"10m\"\n mode = \"fail\"\n}\nreschedule {\n attempts = 0\n unlimited = false\n}",
        memory: 32)
      try await agent.submit("hog", hog)
      let failed = try await agent.allocation(of: "hog", being: "failed")
      try #require(failed.task.restarts == 1, "restarted once as the policy says: \(failed.task.messages)")
      let ends = failed.task.messages("Terminated")
      try #require(ends.count == 2 && ends.allSatisfy { $0.contains("OOM Killed") && $0.contains("32 MiB") }, "\(ends)")
      try #require(failed.task.events.contains { $0["Details"]?["oom_killed"] == "true" })
      let after = try await agent.allocation(of: "neighbour", being: "running")
      try #require(after.id == neighbour.id && after.task.restarts == 0)
      let length = try await agent.log(after, "neighbour").count
      try await until("the neighbour writes on") { try await agent.log(after, "neighbour").count > length }
    }
  }

  @Test func logsStayWithinTheirRotation() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = shellJob(
        "writer",
        script: """
          line=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
          i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo "$i $line"; done
          echo last; sleep 86400
          """, task: "logs {\n max_files = 3\n max_file_size = 1\n}")
      try await agent.submit("writer", job)
      let allocation = try await agent.allocation(of: "writer", being: "running")
      func files() async throws -> [(name: String, size: Int64)] {
        let list = try await agent.get("/v1/client/fs/ls/\(allocation.id)?path=alloc/logs").arrayValue ?? []
        return list.map { ($0["Name"]?.stringValue ?? "", $0["Size"]?.intValue ?? 0) }.filter {
          $0.0.hasPrefix("writer.stdout")
        }
      }
      try await until("the last line is in the log", within: 120) {
        let found = try await files()
        try #require(found.count <= 4, "\(found)")
        let tail = try await agent.request(
          .get, "/v1/client/fs/logs/\(allocation.id)?task=writer&type=stdout&plain=true&origin=end&offset=5")
        return tail.text == "last\n"
      }
      try await until("the oldest files are gone") { try await files().count <= 3 }
      let found = try await files()
      try #require(found.allSatisfy { $0.size <= 1 << 20 }, "\(found)")
      // About 6.4 MB were written into 3 files of 1 MiB: the numbers go on where the deleted ones ended.
      try #require(found.allSatisfy { (Int($0.name.split(separator: ".").last ?? "") ?? 0) >= 3 }, "\(found)")
      let lines = try await agent.log(allocation, "writer").split(separator: "\n").dropFirst().dropLast()
      let numbers = lines.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
      try #require(
        numbers.last == 60000 && numbers == Array((numbers.first ?? 0)...60000), "the kept lines have no gap")
    }
  }

  @Test func descendantsThatForkAwayAreEndedWithTheTask() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let marker = "8641.\(UInt32.random(in: 100_000...999_999))"
      let job = shellJob(
        "forker", type: "batch",
        script:
          "(setsid sleep \(marker) </dev/null >/dev/null 2>&1 &)\n(trap '' TERM INT HUP; sleep \(marker)1 &)\nsleep 0.3\nexit 0",
        group: Self.noRestart)
      try await agent.submit("forker", job)
      let ended = try await agent.allocation(of: "forker", being: "complete")
      try #require(ended.task.messages("Terminated") == ["Exit Code: 0"])
      try await until("no descendant survives", orSay: { "\(HostProcess.mentioning(marker))" }) {
        !HostProcess.mentioning(marker).contains { $0.arguments.first == "sleep" }
      }
      try await until("no control group is left", orSay: { "\(AgentCgroups(name: scratch.name).ofTasks)" }) {
        AgentCgroups(name: scratch.name).ofTasks.isEmpty
      }
    }
  }

  @Test func jobThatNeedsMoreThanThereIsSaysWhichDimension() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = shellJob("large", script: "sleep 86400", memory: 100_000_000)
      let outcome = try await agent.serai("job", "run", try scratch.write("large.nomad.hcl", job))
      try #require(
        outcome.code == 2 && outcome.output.contains("Dimension \"memory\" exhausted on 1 nodes"), "\(outcome)")
      // The evaluation that waits for room is shown, and ends with the job.
      try #require(try await agent.succeeds("job", "status", "large").contains("Placement Failure"))
      try await agent.succeeds("job", "stop", "-purge", "-detach", "large")
      try await until("no evaluation waits any more") {
        try await agent.get("/v1/evaluations").arrayValue?.contains { $0["Status"] == "blocked" } == false
      }
    }
  }
}
