import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Ends, limits, logs, and what survives whom.
@Suite(.enabled(if: isRoot, needsRoot)) struct LifecycleTests {
  @Test func aMissingCommandNamesWhereItWasLookedFor() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("missing", Command("no-such-program"))
      do throws(SupervisorError) {
        _ = try await client.start(spec)
        Issue.record("started")
      } catch {
        #expect(error.kind == .startFailed && error.step == "command")
        #expect(error.message.contains("/local/no-such-program") && error.message.contains("/usr/bin/no-such-program"))
        #expect(error.message.contains("ENOENT"))
      }
      #expect(try await client.list().isEmpty)
      // The id is free again, and so is everything else.
      let again = try fixture.task("missing", "exit 0")
      _ = try await client.start(again)
      #expect(try await client.exit(of: again.id).exitCode == 0)
    }
  }

  @Test func aScriptWithAMissingInterpreterFailsInExecute() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("script", Command("local/run"))
      try Files.replace("\(fixture.base)/script/local/run", with: Array("#!/nowhere/sh\n".utf8), permissions: 0o755)
      do throws(SupervisorError) {
        _ = try await client.start(spec)
        Issue.record("started")
      } catch {
        #expect(error.step == "execute" && error.message.contains("/local/run") && error.message.contains("ENOENT"))
      }
    }
  }

  @Test func unknownUsersAndDeniedIDsAreRefused() async throws {
    try await withSupervisor { fixture, client in
      for user in ["no-such-user", "+0", "root ", "0:0", "00", "1000:0", ""] {
        let spec = try fixture.task("user", "id") { $0.user = user }
        await #expect(throws: SupervisorError.self, "\(user)") { _ = try await client.start(spec) }
      }
      let root = try fixture.task("user", "id") {
        $0.user = "root"
        $0.deniedUserIDs = [0...0]
      }
      do throws(SupervisorError) {
        _ = try await client.start(root)
        Issue.record("started")
      } catch {
        #expect(error.step == "user" && error.message.contains("denies"))
      }
    }
  }

  @Test func signalsReachTheTaskThroughTheInit() async throws {
    try await withSupervisor { fixture, client in
      let handler = try fixture.task("trap", "trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.01; done")
      _ = try await client.start(handler)
      #expect(try await eventually { fixture.log("trap") == "ready\n" })
      try await client.signal(handler.id, SIGTERM)
      #expect(try await client.exit(of: handler.id).exitCode == 7)
      #expect(fixture.log("trap") == "ready\ngot\n")
      // A PID 1 without a handler would ignore this one; the program is not PID 1.
      let plain = try fixture.spec("plain", Command("sleep", arguments: ["60"]))
      _ = try await client.start(plain)
      try await client.signal(plain.id, SIGINT)
      let exit = try await client.exit(of: plain.id)
      #expect(exit.signal == SIGINT && exit.exitCode == 130)
    }
  }

  @Test func killEndsEverythingThatReforksAndIgnoresSignals() async throws {
    try await withSupervisor { fixture, client in
      let script = """
        trap '' TERM INT HUP; n=0
        spawn() { ( trap '' TERM INT; while :; do (sleep 0.02 &) ; sleep 0.01; done ) & }
        while [ $n -lt 8 ]; do spawn; setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' & n=$((n+1)); done
        echo up; wait
        """
      // Both with a pid namespace, which dies as one, and without, where only the cgroup knows who belongs to it.
      for isolated in [true, false] {
        let id = isolated ? "fork" : "raw"
        var spec = try fixture.task(id, script)
        if !isolated {
          var sandbox = Sandbox.unconfined(spec.sandbox.command)
          sandbox.limits.memoryBytes = 64 << 20
          spec.sandbox = sandbox
        }
        let status = try await client.start(spec)
        #expect(try await eventually { fixture.log(id) == "up\n" })
        let begin = Clock.monotonicNanoseconds
        try await client.kill(spec.id)
        let exit = try await client.exit(of: spec.id)
        #expect(exit.signal == SIGKILL)
        #expect(Clock.monotonicNanoseconds - begin < 20_000_000_000, "it ends when all are gone, not when a time is up")
        #expect(kill(status.pid, 0) == -1)
        let layout = try CgroupLayout.ofThisHost().driver
        #expect(try layout.children("\(fixture.name)/task").allSatisfy { $0.hasPrefix(".spare-") })
      }
    }
  }

  @Test func leftoverProcessesEndWithTheTask() async throws {
    try await withSupervisor { fixture, client in
      var spec = try fixture.task("leftover", "setsid sleep 1000 & echo $!; exit 0")
      spec.sandbox = Sandbox.unconfined(spec.sandbox.command)
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.exitCode == 0)
      let pid = try #require(Int32(fixture.log("leftover").split(separator: "\n").first ?? ""))
      // It may still be a zombie of the host's init.
      let stat = (try? Files.readText("/proc/\(pid)/stat")) ?? ") Z"
      #expect(stat.contains(") Z"))
    }
  }

  @Test func aMemoryHogIsReportedAsOutOfMemoryAndOthersLive() async throws {
    try await withSupervisor { fixture, client in
      let neighbour = try fixture.task("neighbour", "sleep 60")
      _ = try await client.start(neighbour)
      let hog = try fixture.task("hog", "exec tail /dev/zero") { $0.limits.memoryBytes = 16 << 20 }
      _ = try await client.start(hog)
      let exit = try await client.exit(of: hog.id)
      #expect(exit.oomKilled && exit.exitCode == 137 && exit.signal == SIGKILL)
      #expect(exit.memoryPeakBytes > 8 << 20 && exit.memoryPeakBytes <= 16 << 20)
      #expect(exit.memoryLimitBytes == 16 << 20 && !exit.wasHostShortOfMemory)
      let tasks = try await client.list()
      #expect(tasks.first { $0.id == neighbour.id }?.state == .running)
      // Control: a task that ends by itself is not reported so.
      let fine = try fixture.task("fine", "exit 0")
      _ = try await client.start(fine)
      #expect(try await client.exit(of: fine.id).oomKilled == false)
    }
  }

  @Test func aTaskThatLosesOneProcessToItsMemoryLimitEndsWhole() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("group", "trap '' TERM; (exec tail /dev/zero) & wait; echo survived; exec sleep 60") {
        $0.limits.memoryBytes = 16 << 20
      }
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.oomKilled && exit.signal == SIGKILL && !exit.wasHostShortOfMemory)
    }
  }

  @Test func limitsThatThisHostCannotEnforceAreRefusedByName() async throws {
    try await withSupervisor { fixture, client in
      let parent = "\(fixture.name)/task"
      let missing = try CgroupLayout.ofThisHost().driver.unavailable(in: parent)
      let spec = try fixture.task("weight", "true") { $0.limits.ioWeight = 300 }
      if let reason = missing["ioWeight"] {
        do throws(SupervisorError) {
          _ = try await client.start(spec)
          Issue.record("started")
        } catch {
          #expect(error.kind == .invalidRequest && error.message.contains(reason))
        }
      } else {
        _ = try await client.start(spec)
        #expect(try await client.exit(of: spec.id).exitCode == 0)
      }
    }
  }

  @Test func forksStopAtThePidsLimit() async throws {
    try await withSupervisor { fixture, client in
      let script = "i=0; while [ $i -lt 60 ]; do sleep 100 & i=$((i+1)); done; echo all"
      let bomb = try fixture.task("bomb", script) { $0.limits.pids = 40 }
      _ = try await client.start(bomb)
      #expect(try await client.exit(of: bomb.id).exitCode != 0)
      #expect(fixture.log("bomb") == "" && fixture.log("bomb", "stderr").contains("fork"))
      // Control: with the default limit it gets through.
      let fine = try fixture.task("many", script)
      _ = try await client.start(fine)
      #expect(try await client.exit(of: fine.id).exitCode == 0)
      #expect(fixture.log("many") == "all\n")
    }
  }

  @Test func logsAreRotatedBySizeAndCount() async throws {
    try await withSupervisor { fixture, client in
      var spec = try fixture.task("rotate", "i=0; while [ $i -lt 2000 ]; do printf '%09d\\n' $i; i=$((i+1)); done")
      spec.logs?.maxFiles = 3
      spec.logs?.maxFileBytes = 4096
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      // 20,000 bytes in files of exactly 4,096: 0...3 full, 4 the rest; the newest three stay.
      let directory = try FileDescriptor.open(fixture.base + "/alloc/logs", [.readOnly, .directory])
      let names = try directory.entries().map(\.name).filter { $0.hasPrefix("rotate.stdout") }.sorted()
      #expect(names == ["rotate.stdout.2", "rotate.stdout.3", "rotate.stdout.4"])
      #expect(fixture.log("rotate", "stdout", 2).utf8.count == 4096)
      #expect(fixture.log("rotate", "stdout", 4).hasSuffix("000001999\n"))
      #expect(fixture.log("rotate", "stdout", 4).utf8.count == 20_000 - 4 * 4096)
    }
  }

  @Test func muchOutputArrivesWhole() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("much", "head -c 30000000 /dev/zero | tr '\\0' x; echo end >&2")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      let sizes = try (0...2).map { try FileStatus.of("\(fixture.base)/alloc/logs/much.stdout.\($0)").size }
      #expect(sizes == [10 << 20, 10 << 20, 30_000_000 - (20 << 20)])
    }
  }

  @Test func plantedLogNamesAreNotFollowed() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("planted", "echo secret")
      try Files.replace(fixture.base + "/marker", with: Array("untouched".utf8))
      let logs = try FileDescriptor.open(fixture.base + "/alloc/logs", [.readOnly, .directory])
      try logs.makeSymbolicLink("planted.stdout.0", to: fixture.base + "/marker")
      _ = try await client.start(spec)
      #expect(try await client.exit(of: spec.id).exitCode == 0)
      #expect(try Files.readText(fixture.base + "/marker") == "untouched")
    }
  }

  @Test func tasksSurviveAKilledSupervisorAndAreAdopted() async throws {
    try await withSupervisor { fixture, client in
      let long = try fixture.task("long", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done")
      let started = try await client.start(long)
      let brief = try fixture.task("brief", "while ! [ -e /local/go ]; do sleep 0.01; done; exit 42")
      _ = try await client.start(brief)
      var raw = try fixture.task("raw", "sleep 100")
      raw.sandbox = Sandbox.unconfined(raw.sandbox.command)
      _ = try await client.start(raw)
      let done = try fixture.task("done", "exit 5")
      _ = try await client.start(done)
      _ = try await client.exit(of: done.id)

      #expect(kill(client.pid, SIGKILL) == 0)
      // One task ends while no supervisor is there.
      try Files.replace("\(fixture.base)/brief/local/go", with: [])
      #expect(try await eventually { !Files.exists("/proc/\(client.pid)") })
      #expect(kill(started.pid, 0) == 0)

      let next = try await fixture.launcher.connect()
      #expect(next.pid != client.pid)
      let tasks = try await next.list()
      #expect(tasks.map(\.id) == [brief, done, long, raw].map(\.id))
      #expect(tasks.first { $0.id == long.id }?.state == .running)
      #expect(tasks.first { $0.id == long.id }?.pid == started.pid)
      #expect(try await next.exit(of: brief.id).exitCode == 42)
      #expect(try await next.exit(of: done.id).exitCode == 5)
      // The log goes on where it was.
      let before = fixture.log("long").split(separator: "\n").count
      #expect(try await eventually { fixture.log("long").split(separator: "\n").count > before + 5 })
      let numbers = fixture.log("long").split(separator: "\n").compactMap { Int($0) }
      #expect(numbers.prefix(before) == ArraySlice(0..<before))
      // An adopted task is no child: its status comes from the kernel.
      try await next.signal(raw.id, SIGTERM)
      let exit = try await next.exit(of: raw.id)
      #expect(exit.isKnown ? exit.signal == SIGTERM : exit.exitCode == -1)
      try await next.kill(long.id)
      // Kernels before 6.15 do not tell a stranger's status, and a killed init has written none.
      let killed = try await next.exit(of: long.id)
      #expect(killed.isKnown ? killed.signal == SIGKILL : killed.exitCode == -1)
      next.close()
    }
  }

  @Test func anUpgradeInPlaceKeepsTasksAndTheirStatuses() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("stay", "while ! [ -e /local/go ]; do sleep 0.01; done; exit 9")
      _ = try await client.start(spec)
      var raw = try fixture.task("rawstay", "sleep 100")
      raw.sandbox = Sandbox.unconfined(raw.sandbox.command)
      _ = try await client.start(raw)
      try await client.upgrade(executable: fixture.launcher.executable)
      let next = try await fixture.launcher.connect()
      #expect(next.pid == client.pid)
      #expect(try await next.list().map(\.state) == [.running, .running])
      try Files.replace("\(fixture.base)/stay/local/go", with: [])
      #expect(try await next.exit(of: spec.id).exitCode == 9)
      // Still its child.
      try await next.signal(raw.id, SIGUSR1)
      #expect(try await next.exit(of: raw.id).signal == SIGUSR1)
      next.close()
    }
  }

  @Test func aSecondSupervisorOnTheSameDirectoryEnds() async throws {
    try await withSupervisor { fixture, client in
      var request = SpawnRequest(
        path: fixture.launcher.executable,
        arguments: [
          "serai-supervisor", "-runtime", fixture.launcher.runtimeDirectory, "-cgroup", fixture.name, "-foreground",
        ],
        environment: [])
      request.newSession = true
      let process = try ProcessHandle.open(pid: try request.start())
      var status: WaitStatus?
      #expect(
        try await eventually {
          status = try process.reap()
          return status != nil
        })
      #expect(status?.exitCode == 0)
      #expect(try await client.list().isEmpty)
    }
  }

  @Test func eventsTellStartsAndExits() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("events", "exit 1")
      let status = try await client.start(spec)
      var seen: [SupervisorEvent] = []
      for await event in client.events {
        seen.append(event)
        if case .exited = event { break }
      }
      #expect(seen.first == .started(status))
      guard case .exited(let id, let exit)? = seen.last else {
        Issue.record("\(seen)")
        return
      }
      #expect(id == spec.id && exit.exitCode == 1)
      // Kept until acknowledged, then gone.
      #expect(try await client.list().count == 1)
      try await client.acknowledge(spec.id)
      #expect(try await client.list().isEmpty)
      #expect(!Files.exists("\(fixture.launcher.runtimeDirectory)/tasks/\(spec.id)"))
    }
  }

  @Test func badRequestsAreRefusedAndChangeNothing() async throws {
    try await withSupervisor { fixture, client in
      var spec = try fixture.task("bad", "true")
      for id in ["", "../x", "a/b", ".hidden", String(repeating: "x", count: 200)] {
        spec.id = id
        await #expect(throws: SupervisorError.self) { _ = try await client.start(spec) }
      }
      spec.id = "\(fixture.name).bad"
      spec.sandbox.mounts = [.bind("/etc", at: "/proc/x")]
      await #expect(throws: SupervisorError.self) { _ = try await client.start(spec) }
      spec.sandbox.mounts = []
      spec.sandbox.capabilities = ["no_such_capability"]
      await #expect(throws: SupervisorError.self) { _ = try await client.start(spec) }
      await #expect(throws: SupervisorError.self) { try await client.signal("nothing", 15) }
      await #expect(throws: SupervisorError.self) { try await client.kill("nothing") }
      #expect(try await client.list().isEmpty)
    }
  }

  @Test func aLargeEnvironmentArrives() async throws {
    try await withSupervisor { fixture, client in
      let value = String(repeating: "v", count: 100_000)
      let spec = try fixture.task("env", "echo ${#A} ${#B} ${#C}") { sandbox in
        for name in ["A", "B", "C"] { sandbox.command.environment.append("\(name)=\(value)") }
      }
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("env") == "100000 100000 100000\n", "\(fixture.log("env", "stderr"))")
    }
  }
}
