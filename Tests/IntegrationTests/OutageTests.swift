import Codec
import Glibc
import HTTP
import Linux
import Testing

/// What surrounds an agent fails for a while: its clock, its servers, its disk.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct OutageTests {
  /// Begins, counts and ends with code 0 once the file `data/end` is there.
  private static func counter(_ name: String) -> String {
    shellJob(
      name, type: "batch",
      script: """
        echo "begin $$"
        i=0; while [ ! -e /alloc/data/end ]; do i=$((i+1)); echo "tick $i"; sleep 0.2; done
        """)
  }

  /// The wall clock is set forward and back by hours. Leases, heartbeats and delays run on a clock that is never set:
  /// nothing is lost, replaced or delayed.
  @Test func aClockThatIsSetHurtsNobody() async throws {
    try await Scratch.with { scratch in
      let library = try await Self.settableClock(scratch)
      let clock = try scratch.write("clock", "0")
      let agent = try Agent(
        scratch, .both, serverSettings: "heartbeat_grace = \"1s\"\nmin_heartbeat_ttl = \"1s\"",
        environment: ["LD_PRELOAD": library, "CLOCK_OFFSET_FILE": clock])
      try await agent.start()
      try await agent.submit("stays", Self.counter("stays"))
      let stays = try await agent.allocation(of: "stays", being: "running")
      func shift() async throws -> Int64 {
        let answer = try await agent.request(.get, "/v1/metrics")
        let date = try #require(try answer.json["Timestamp"]?.stringValue.flatMap { Timestamp(parsing: $0) })
        return (date.nanoseconds - Clock.realtimeNanoseconds) / 1_000_000_000
      }
      try #require(abs(try await shift()) < 60)
      for (round, hours) in [3, -3, 0].enumerated() {
        try scratch.write("clock", "\(hours * 3600)")
        try await until("the agent sees the new time") { abs(try await shift() - Int64(hours) * 3600) < 60 }
        // Several heartbeats with what they may be late by: were they judged by the wall clock, the node would be down.
        let begin = Clock.monotonicNanoseconds
        while Clock.monotonicNanoseconds - begin < 4_000_000_000 {
          try #require(try await agent.get("/v1/nodes").arrayValue?.map { $0["Status"] } == ["ready"])
          try await Task.sleep(for: .milliseconds(100))
        }
        let name = "round-\(round)"
        try await agent.submit(name, shellJob(name, script: "sleep 86400"))
        _ = try await agent.allocation(of: name, being: "running")
        let all = try await agent.allocations(of: "stays")
        try #require(all.map(\.id) == [stays.id] && all[0].status == "running" && all[0].task.restarts == 0)
      }
      for name in ["stays", "round-0", "round-1", "round-2"] { try await agent.stop(name) }
    }
  }

  /// Builds a library that, loaded before the C library, adds the seconds in a file to the wall clock and leaves the other
  /// clocks alone: what setting the clock of a host does to one process.
  private static func settableClock(_ scratch: Scratch) async throws -> String {
    let source = try scratch.write(
      "clock.c",
      """
      #include <fcntl.h>
      #include <stdlib.h>
      #include <sys/syscall.h>
      #include <time.h>
      #include <unistd.h>
      static long offset(void) {
        char text[32] = {0};
        const char *path = getenv("CLOCK_OFFSET_FILE");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file < 0) return 0;
        long size = read(file, text, sizeof text - 1);
        close(file);
        return size > 0 ? atol(text) : 0;
      }
      int clock_gettime(clockid_t clock, struct timespec *time) {
        int result = syscall(SYS_clock_gettime, clock, time);
        if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += offset();
        return result;
      }

      """)
    let library = scratch.folder + "/clock.so"
    let outcome = try await scratch.run("/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-o", library, source])
    try #require(outcome.code == 0, "\(outcome)")
    return library
  }

  /// A client without servers for a whole minute: tasks go on, one ends, one is restarted by its policy, and all of it is
  /// known at the servers afterwards. Nothing is replaced.
  @Test func aMinuteWithoutServersChangesNothingForTasks() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let client = try Agent(scratch, .client(server: server.rpcPort), label: "client")
      try await client.start()
      for name in ["stays", "ends"] { try await client.submit(name, Self.counter(name)) }
      try await client.submit(
        "fails",
        shellJob(
          "fails", type: "batch",
          script: "[ -e /alloc/data/seen ] && sleep 86400\nwhile [ ! -e /alloc/data/fail ]; do sleep 0.2; done\n"
            + "touch /alloc/data/seen\nexit 3",
          group: "restart {\n attempts = 1\n delay = \"1s\"\n interval = \"10m\"\n mode = \"fail\"\n}"))
      var before: [String: Allocation] = [:]
      for name in ["stays", "ends", "fails"] {
        before[name] = try await client.allocation(of: name, being: "running")
      }
      func folder(_ name: String) -> String { "\(client.dataFolder)/alloc/\(before[name]?.id ?? "")/alloc" }

      try await server.kill()
      let begin = Clock.monotonicNanoseconds
      try Files.replace("\(folder("ends"))/data/end", with: [], permissions: 0o644)
      try Files.replace("\(folder("fails"))/data/fail", with: [], permissions: 0o644)
      try await until("the client knows that no server is there") {
        try await client.request(.get, "/v1/agent/health").status != .ok
      }
      while Clock.monotonicNanoseconds - begin < 60_000_000_000 {
        let ticks = HostProcess.text("\(folder("stays"))/logs/stays.stdout.0").count
        try await until("the task writes on") {
          HostProcess.text("\(folder("stays"))/logs/stays.stdout.0").count > ticks
        }
      }
      try await server.start()

      let ended = try await server.allocation(of: "ends", "its end is known") { $0.status == "complete" }
      try #require(ended.id == before["ends"]?.id && ended.task.messages("Terminated") == ["Exit Code: 0"])
      let failed = try await server.allocation(of: "fails", "its restart is known") { $0.task.restarts == 1 }
      try #require(failed.id == before["fails"]?.id && failed.status == "running", "\(failed.task.messages)")
      let stayed = try await server.allocation(of: "stays", being: "running")
      try #require(stayed.id == before["stays"]?.id && stayed.task.restarts == 0)
      for name in ["stays", "ends", "fails"] {
        try #require(try await server.allocations(of: name).count == 1, "nothing of \(name) was replaced")
      }
      for name in ["stays", "fails"] { try await server.stop(name) }
    }
  }

  /// The disk of the data directory fills up while the agent runs: what can't be stored is refused and not acknowledged,
  /// tasks run on, and with room again everything goes on.
  @Test func aDiskThatFillsUpLosesNothingThatWasAcknowledged() async throws {
    try await Scratch.with { scratch in
      let disk = scratch.folder + "/disk"
      try Files.makeDirectories(disk)
      try #require(mount("tmpfs", disk, "tmpfs", 0, "size=48m") == 0, "mount a small file system: errno \(errno)")
      scratch.atEnd { _ = umount2(disk, Int32(MNT_DETACH)) }
      let agent = try Agent(scratch, .both, dataFolder: disk + "/data")
      try await agent.start()
      let small = "ephemeral_disk {\n size = 10\n}"
      let logs = "logs {\n max_files = 2\n max_file_size = 1\n}"
      try await agent.submit("stays", shellJob("stays", script: "exec sleep 86400", group: small, task: logs))
      let stays = try await agent.allocation(of: "stays", being: "running")

      try Self.fill(disk)
      var acknowledged: [String] = []
      var refusal: Agent.Answer?
      for number in 0..<2000 {
        let name = "job-\(number)"
        let body =
          "{\"Job\": {\"ID\": \"\(name)\", \"Datacenters\": [\"nowhere\"], \"Meta\": {\"filler\": \""
          + String(repeating: "x", count: 20_000)
          + "\"}, \"TaskGroups\": [{\"Name\": \"g\", \"Tasks\": [{\"Name\": \"t\", \"Driver\": \"exec\","
          + " \"Config\": {\"command\": \"/bin/true\"}}]}]}}"
        let answer = try await agent.request(.put, "/v1/jobs", body: body)
        if answer.status == .ok {
          acknowledged.append(name)
        } else {
          refusal = answer
          break
        }
      }
      let refused = try #require(refusal, "two thousand jobs fit on a full disk")
      try #require(
        refused.status.rawValue >= 500 && (refused.text.contains("full") || refused.text.contains("ENOSPC")),
        "it says why: \(refused)")
      try #require(
        HostProcess.tasks(cgroup: scratch.name).contains { $0.arguments.first == "sleep" }, "the task runs on")

      unlink(disk + "/filler")
      if try await agent.request(.get, "/v1/agent/health").status != .ok { try await agent.restart() }
      try await agent.submit("later", shellJob("later", script: "sleep 86400", group: small, task: logs))
      _ = try await agent.allocation(of: "later", being: "running")
      try await agent.kill()
      try await agent.start()
      let known = Set((try await agent.get("/v1/jobs").arrayValue ?? []).compactMap { $0["ID"]?.stringValue })
      try #require(known.isSuperset(of: acknowledged + ["stays", "later"]), "acknowledged is there")
      let still = try await agent.allocation(of: "stays", being: "running")
      try #require(still.id == stays.id && still.task.restarts == 0)
      for name in ["stays", "later"] { try await agent.stop(name) }
    }
  }

  /// Writes a file until nothing fits any more.
  private static func fill(_ folder: String) throws {
    let file = try FileDescriptor.open(folder + "/filler", [.writeOnly, .create], permissions: 0o600)
    for size in [1 << 20, 4096] {
      let chunk = [UInt8](repeating: 1, count: size)
      while (try? file.write(chunk, from: 0)) == size {}
    }
  }
}
