import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Tasks that take all they can get: what the limits give them, and what a neighbour notices of it.
@Suite(.enabled(if: isRoot, needsRoot)) struct HogTests {
  /// One hog, its limits, and what it may get before the kernel says no. `most` nil: it is killed instead.
  struct Hog: Sendable, CustomStringConvertible {
    var kind: String
    var place = "/local"
    var errors: Set<String> = []
    var most: Int?
    var description: String { "\(kind) in \(place)" }
  }

  static let memory = 64 << 20
  static let hogs: [Hog] = [
    Hog(kind: "fork", errors: ["EAGAIN"], most: 100),
    Hog(kind: "memory"),
    Hog(kind: "memfd"),
    // /dev/shm is no larger than it was made.
    Hog(kind: "shm", errors: ["ENOSPC"], most: 16 << 20),
    Hog(kind: "disk", place: "/secrets", errors: ["ENOSPC"], most: 1 << 20),
    // A tmpfs has as many files as its memory has room for: the cgroup's limit ends it, or the file system's.
    Hog(kind: "inode", place: "/secrets", errors: ["ENOSPC"], most: 1 << 20),
    Hog(kind: "files", errors: ["EMFILE"], most: 512),
    Hog(kind: "pipe", errors: ["EMFILE"], most: memory),
    Hog(kind: "socket", errors: ["EMFILE"], most: memory),
    Hog(kind: "terminal", errors: ["ENOSPC", "EMFILE"], most: 256),
    Hog(kind: "inotify", errors: ["EMFILE"], most: 512),
  ]

  @Test func limitsHoldAndANeighbourGoesOn() async throws {
    try await withSupervisor { fixture, client in
      let program = try Probe.tool("hog")
      func start(_ id: String, _ arguments: [String], change: (inout Sandbox) -> Void = { _ in }) async throws -> String
      {
        let spec = try fixture.spec(id, Command("/local/hog", arguments: arguments)) {
          $0.limits.memoryBytes = UInt64(Self.memory)
          $0.limits.pids = 100
          $0.sharedMemoryBytes = 16 << 20
          $0.resourceLimits.append(ResourceLimit(.openFiles, 512))
          $0.mounts = [.temporary(at: "/secrets", sizeBytes: 1 << 20)]
          change(&$0)
        }
        try Files.replace("\(fixture.base)/\(id)/local/hog", with: program, permissions: 0o755)
        _ = try await client.start(spec)
        return spec.id
      }
      func latency(_ id: String) throws -> (count: Int, failed: Int, median: Int, late: Int, worst: Int) {
        let fields = fixture.log(id).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(fields.count == 5, "\(fixture.log(id)) \(fixture.log(id, "stderr"))")
        return (fields[0], fields[1], fields[2], fields[3], fields[4])
      }

      let alone = try await start("alone", ["latency", "2"])
      _ = try await client.exit(of: alone, seconds: 60)
      let idle = try latency("alone")
      print("isolation: neighbour alone: \(idle.median) µs, 99 % \(idle.late) µs, worst \(idle.worst) µs")
      for (number, hog) in Self.hogs.enumerated() {
        let neighbour = try await start("neighbour-\(number)", ["latency", "3"])
        let hogID = try await start("hog-\(number)", [hog.kind, hog.place])
        let exit = try await client.exit(of: hogID, seconds: 120)
        _ = try await client.exit(of: neighbour, seconds: 120)
        let fields = fixture.log("hog-\(number)").split(whereSeparator: \.isWhitespace).map(String.init)
        let beside = try latency("neighbour-\(number)")
        print(
          """
          isolation: \(hog): \(fields.isEmpty ? "killed" : fields.dropFirst().joined(separator: " ")), \
          peak \(exit.memoryPeakBytes >> 20) MiB; neighbour \(beside.median) µs, 99 % \(beside.late) µs, \
          worst \(beside.worst) µs
          """)
        #expect(exit.memoryPeakBytes <= UInt64(Self.memory))
        if exit.oomKilled {
          // Its own limit, whichever way the memory was taken.
          #expect(exit.signal == SIGKILL, "\(hog)")
          #expect(!["fork", "files", "terminal", "inotify", "disk", "shm"].contains(hog.kind), "\(hog) was killed")
        } else {
          let most = try #require(hog.most, "\(hog) ended without being killed: \(exit)")
          let got = fields.count == 3 ? Int(fields[1]) ?? .max : .max
          #expect(got <= most, "\(hog) got \(got)")
          #expect(hog.errors.contains(fields.last ?? ""), "\(hog): \(fields)")
        }
        // Nothing of the neighbour failed, and it was never kept waiting for long.
        #expect(beside.failed == 0, "\(hog)")
        #expect(beside.median < 1_000_000 && beside.worst < 15_000_000, "\(hog)")
      }
    }
  }

  @Test func stressNGStaysInsideItsLimits() async throws {
    try #require(Files.exists("/usr/bin/stress-ng"), "install stress-ng (make setup)")
    try await withSupervisor { fixture, client in
      let neighbour = try fixture.task("neighbour", "while :; do echo x; sleep 0.05; done")
      _ = try await client.start(neighbour)
      let spec = try fixture.spec(
        "stress",
        Command(
          "/usr/bin/stress-ng",
          arguments: [
            "--temp-path", "/local", "--timeout", "6", "--vm", "1", "--vm-bytes", "48m", "--fork", "1", "--pipe", "1",
            "--switch", "1", "--shm", "1", "--shm-bytes", "1m", "--mq", "1", "--hdd", "1", "--hdd-bytes", "4m",
            "--oomable", "--quiet",
          ])
      ) {
        $0.limits.memoryBytes = 64 << 20
        $0.limits.pids = 64
        $0.userNamespace = UserNamespaceChecks.range
      }
      _ = try await client.start(spec)
      var pids: UInt64 = 0
      let ended = try await eventually(seconds: 120) {
        pids = max(pids, (try? await client.statistics(spec.id).pids) ?? 0)
        return try await client.list().contains { task in
          if task.id == spec.id, case .exited = task.state { true } else { false }
        }
      }
      #expect(ended)
      let exit = try await client.exit(of: spec.id)
      #expect(pids > 3 && pids <= 64)
      #expect(exit.memoryPeakBytes <= 64 << 20 && exit.memoryPeakBytes > 16 << 20)
      #expect(try await client.list().first { $0.id == neighbour.id }?.state == .running)
    }
  }
}
