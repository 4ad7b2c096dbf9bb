import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Commands inside running tasks.
@Suite(.enabled(if: isRoot, needsRoot)) struct SessionTests {
  static let view = """
    grep -E '^(Uid|Gid|Groups|NoNewPrivs|CapEff|CapPrm|CapBnd|CapAmb|Seccomp):' /proc/self/status
    for n in mnt pid ipc uts cgroup net; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup
    pwd; ls -1 /proc/self/fd | wc -l; ulimit -c; echo $MARK
    """

  @Test func aCommandHasExactlyWhatTheTaskHas() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("inside", Self.view + "; echo ready >&2; exec sleep 60") {
        $0.command.environment.append("MARK=task")
      }
      _ = try await client.start(spec)
      #expect(try await eventually { fixture.log("inside", "stderr") == "ready\n" })
      let pipe = try Pipe()
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let exit = try await client.execute(
        Command("sh", arguments: ["-c", Self.view + "; exit 4"]), in: spec.id,
        streams: [null.number, pipe.write.number, null.number])
      #expect(exit.exitCode == 4 && exit.isKnown)
      let output = String(decoding: try pipe.read.read(upTo: 65536), as: UTF8.self)
      #expect(output == fixture.log("inside"))
      #expect(output.contains("MARK") == false && output.hasSuffix("task\n"))
    }
  }

  @Test func aTerminalIsTheSessionsOwn() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("tty", Command("sleep", arguments: ["60"]))
      _ = try await client.start(spec)
      let terminal = try Terminal()
      let peer = terminal.peer.number
      let exit = try await client.execute(
        Command("sh", arguments: ["-c", "test -t 0 && test -t 1 && echo yes > /dev/tty; exit 2"]), in: spec.id,
        streams: [peer, peer, peer], terminal: true)
      #expect(exit.exitCode == 2)
      #expect(String(decoding: try terminal.master.read(upTo: 100), as: UTF8.self) == "yes\r\n")
    }
  }

  @Test(arguments: [true, false]) func aTerminalOfTheTasksOwnHasANameAndCanBeOpenedByIt(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("named", Command("sleep", arguments: ["60"])) {
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      let status = try await client.start(spec)
      let terminal = try Terminal(seenBy: status.pid)
      let peer = terminal.peer.number
      let exit = try await client.execute(
        Command("sh", arguments: ["-c", "tty && echo opened > $(tty)"]), in: spec.id, streams: [peer, peer, peer],
        terminal: true)
      #expect(exit.exitCode == 0)
      #expect(
        String(decoding: try terminal.master.read(upTo: 100), as: UTF8.self) == "/dev/pts/0\r\nopened\r\n")
    }
  }

  @Test func aFailureSaysWhyAndAnEndingTaskEndsItsCommands() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("end", Command("sleep", arguments: ["60"]))
      _ = try await client.start(spec)
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let streams = [null.number, null.number, null.number]
      do throws(SupervisorError) {
        _ = try await client.execute(Command("no-such-program"), in: spec.id, streams: streams)
        Issue.record("ran")
      } catch {
        #expect(error.step == "command" && error.message.contains("ENOENT"))
      }
      async let session = client.execute(Command("sleep", arguments: ["1000"]), in: spec.id, streams: streams)
      #expect(try await eventually { try await client.statistics(spec.id).pids >= 3 })
      try await client.kill(spec.id)
      #expect(try await session.signal == SIGKILL)
      // The command may be gone a moment before the task is.
      _ = try await client.exit(of: spec.id)
      await #expect(throws: SupervisorError.self) {
        _ = try await client.execute(Command("true"), in: spec.id, streams: streams)
      }
    }
  }

  @Test func aCancelledCommandIsKilledWithItsGroup() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("cancel", Command("sleep", arguments: ["60"]))
      _ = try await client.start(spec)
      let before = try await client.statistics(spec.id).pids
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let number = null.number
      func session() -> Task<TaskExit, any Error> {
        Task {
          try await client.execute(
            Command("sh", arguments: ["-c", "sleep 1000; true"]), in: spec.id, streams: [number, number, number])
        }
      }
      let cancelled = session()
      #expect(try await eventually { try await client.statistics(spec.id).pids >= before + 2 })
      cancelled.cancel()
      #expect(try await cancelled.value.signal == SIGKILL)
      #expect(try await eventually { try await client.statistics(spec.id).pids == before })
      // Cancelled before the request is on its way.
      let early = session()
      early.cancel()
      #expect(try await early.value.signal == SIGKILL)
      #expect(try await eventually { try await client.statistics(spec.id).pids == before })
    }
  }

  @Test func aClientThatGoesTakesItsCommandsWithIt() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("gone", Command("sleep", arguments: ["60"]))
      _ = try await client.start(spec)
      let before = try await client.statistics(spec.id).pids
      let other = try await fixture.launcher.connect()
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let number = null.number
      let session = Task {
        try await other.execute(
          Command("sh", arguments: ["-c", "sleep 1000; true"]), in: spec.id, streams: [number, number, number])
      }
      #expect(try await eventually { try await client.statistics(spec.id).pids >= before + 2 })
      other.close()
      #expect(try await eventually { try await client.statistics(spec.id).pids == before })
      await #expect(throws: SupervisorError.self) { try await session.value }
    }
  }

  @Test func aCommandInAnUnconfinedTaskRunsInItsCgroup() async throws {
    try await withSupervisor { fixture, client in
      var spec = try fixture.spec("plain", Command("sleep", arguments: ["60"]))
      spec.sandbox = Sandbox.unconfined(spec.sandbox.command)
      _ = try await client.start(spec)
      let pipe = try Pipe()
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let exit = try await client.execute(
        Command("cat", arguments: ["/proc/self/cgroup"]), in: spec.id,
        streams: [null.number, pipe.write.number, null.number])
      #expect(exit.exitCode == 0)
      #expect(
        String(decoding: try pipe.read.read(upTo: 65536), as: UTF8.self).contains("/\(fixture.name)/task/\(spec.id)"))
    }
  }
}
