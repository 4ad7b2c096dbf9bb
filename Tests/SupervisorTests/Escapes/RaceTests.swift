import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Links that are swapped while a sandbox is built: by a neighbour that shares the task's directory, as fast as it can.
@Suite(.enabled(if: isRoot, needsRoot)) struct RaceTests {
  /// Rounds in a test run; SERAI_RACE_ROUNDS asks for more (`make race`: 10,000).
  static let rounds = getenv("SERAI_RACE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 300

  /// Each round starts a task. Either it is refused, or what it has at each place is the right thing: never the host's.
  @Test func swappedLinksNeverLeadOutOfTheRoot() async throws {
    try await withSupervisor { fixture, client in
      let outside = fixture.base + "/outside"
      try Files.makeDirectories(outside)
      try Files.replace(outside + "/marker", with: Array("untouched".utf8), permissions: 0o666)
      _ = chmod(outside, 0o777)
      let directory = fixture.base + "/raced"
      try Files.makeDirectories(fixture.base + "/shared")
      // The places at which something is mounted or looked up, each beside a link to somewhere else.
      let places = ["proc", "sys", "dev", "etc", "usr", "alloc", "local", "secrets"]
      let script = """
        cat /alloc/marker /local/marker /secrets/marker /etc/marker 2>/dev/null
        echo x > /local/marker; echo x > /secrets/marker; echo x > /alloc/marker
        """
      func spec() throws -> TaskSpec {
        try fixture.task("raced", script) {
          $0.mounts = [
            .bind(fixture.base + "/shared", at: "/alloc"), .temporary(at: "/secrets", sizeBytes: 1 << 20),
          ]
          $0.root?.entries = ["/etc", "/usr", "/bin", "/lib", "/lib64"].map { ChrootEntry($0) }
        }
      }
      _ = chmod(fixture.base + "/shared", 0o777)
      _ = try spec()
      let root = try FileDescriptor.open(directory, [.readOnly, .directory])
      let targets = [outside, "/", "/proc", "../../..", "/etc", outside, outside, outside]
      for (place, target) in zip(places, targets) {
        _ = try root.ensureDirectory(place)
        try root.makeSymbolicLink(place + ".link", to: target)
      }
      let mounts = try Files.readText("/proc/self/mountinfo")
      let program = fixture.base + "/swap"
      try Files.replace(program, with: Probe.tool("swap"), permissions: 0o755)
      var request = SpawnRequest(
        path: program, arguments: ["swap"] + places.map { "\(directory)/\($0)" }, environment: [])
      request.newSession = true
      let racer = try request.start()
      defer {
        kill(racer, SIGKILL)
        waitpid(racer, nil, 0)
      }
      var (started, refused) = (0, 0)
      // All places must be free at once for a start to succeed, which on a busy machine is rare: more rounds until one does.
      for round in 0..<Self.rounds * 20 where round < Self.rounds || started == 0 || refused == 0 {
        do throws(SupervisorError) {
          let task = try await client.start(Self.caught(spec))
          started += 1
          _ = try await Self.end(of: task.id, client)
          try await client.acknowledge(task.id)
        } catch {
          // The place held a link at that moment: refused, with the step that saw it.
          refused += 1
          #expect(error.kind == .startFailed, "round \(round): \(error)")
        }
      }
      print("isolation: starts against swapped links: \(started) started right, \(refused) refused")
      let log = fixture.log("raced")
      // Nobody read, through whatever link, what lies outside.
      #expect(!log.contains("untouched"), "\(log.suffix(2000))")
      // Both must have happened, or the race proves nothing.
      #expect(started > 0 && refused > 0)
      #expect(try Files.readText(outside + "/marker") == "untouched")
      #expect(try Files.readText("/proc/self/mountinfo") == mounts)
    }
  }

  private static func caught(_ make: () throws -> TaskSpec) throws(SupervisorError) -> TaskSpec {
    do { return try make() } catch { throw SupervisorError(.system, "\(error)") }
  }

  private static func end(of id: String, _ client: SupervisorClient) async throws(SupervisorError) -> TaskExit {
    do { return try await client.exit(of: id) } catch { throw SupervisorError(.system, "\(error)") }
  }

  /// While commands enter a task again and again, the task opens whatever it sees of them: the runtime's program must
  /// stay what it is, and none of its descriptors may be reached.
  @Test(arguments: ["nobody", "root"]) func enteringProcessesGiveNothingAway(_ user: String) async throws {
    let supervisor = try Fixture.supervisorPath()
    let before = try Files.read(supervisor, limit: 256 << 20)
    try await withSupervisor { fixture, client in
      // Every process that is not the watcher's own shell, its program opened and written to; its descriptors listed.
      let watcher = """
        import os, sys
        seen = set(); opened = []
        own = {1, os.getpid()}
        sys.stderr.write('ready\\n'); sys.stderr.flush()
        while not os.path.exists('/local/stop'):
            for name in os.listdir('/proc'):
                if not name.isdigit() or int(name) in own: continue
                for link in ['exe', 'cwd', 'root']:
                    try: text = os.readlink('/proc/%s/%s' % (name, link))
                    except OSError: continue
                    seen.add((link, text))
                    if link == 'exe' and not text.startswith('/usr/'):
                        for mode in (os.O_RDONLY, os.O_WRONLY):
                            try: os.close(os.open('/proc/%s/exe' % name, mode)); opened.append((name, text, mode))
                            except OSError: pass
                try:
                    for number in os.listdir('/proc/%s/fd' % name):
                        try: seen.add(('fd', os.readlink('/proc/%s/fd/%s' % (name, number))))
                        except OSError: pass
                except OSError: pass
        print('opened', opened)
        for kind, text in sorted(seen): print(kind, text)
        """
      let spec = try fixture.spec("watched", Command("/usr/bin/python3", arguments: ["-c", watcher])) {
        $0.user = user
        // Without Landlock, which would hide the entering processes.
        $0.userNamespace = UserNamespaceChecks.range
        $0.namespaces.insert(.network)
      }
      _ = try await client.start(spec)
      #expect(try await eventually { fixture.log("watched", "stderr") == "ready\n" })
      try Files.replace(
        "\(fixture.base)/watched/local/self", with: Array("#!/proc/self/exe\n".utf8), permissions: 0o755)
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let streams = [null.number, null.number, null.number]
      for round in 0..<min(Self.rounds, 500) {
        if round % 5 == 4 {
          // The entering process's own program cannot be executed: the command is refused, and nothing ever ran.
          let error = await #expect(throws: SupervisorError.self) {
            _ = try await client.execute(Command("/local/self"), in: spec.id, streams: streams)
          }
          #expect("\(error.map { "\($0)" } ?? "")".contains("EACCES"))
        } else {
          _ = try? await client.execute(Command("/bin/true"), in: spec.id, streams: streams)
        }
      }
      try Files.replace("\(fixture.base)/watched/local/stop", with: [], permissions: 0o644)
      _ = try await client.exit(of: spec.id)
      let log = fixture.log("watched")
      #expect(log.hasPrefix("opened []\n"), "\(log)")
      // Of the host it saw nothing.
      for word in [fixture.base, fixture.launcher.runtimeDirectory, "serai-supervisor"] {
        #expect(!log.contains(word), "\(word) is visible: \(log)")
      }
    }
    #expect(try Files.read(supervisor, limit: 256 << 20) == before)
  }

  /// A working directory that is a descriptor of whoever builds the sandbox.
  @Test func noDescriptorIsAWorkingDirectory() async throws {
    try await withSupervisor { fixture, client in
      let running = try fixture.task("running", "sleep 1000")
      _ = try await client.start(running)
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let output = try FileDescriptor.open(fixture.base + "/where", [.readWrite, .create], permissions: 0o600)
      for number in 3...30 {
        for path in ["/proc/self/fd/\(number)", "/proc/1/fd/\(number)", "/proc/self/fd/\(number)/.."] {
          if path.hasSuffix("..") { continue }
          let spec = try fixture.task("cwd-\(number)", "pwd; ls") { $0.command.workingDirectory = path }
          // Refused, or a directory inside the root: then it shows no path of the host.
          if (try? await client.start(spec)) != nil {
            _ = try await client.exit(of: spec.id)
            try await client.acknowledge(spec.id)
          }
          let log = fixture.log("cwd-\(number)")
          #expect(!log.contains("targets") && !log.contains(fixture.base) && !log.contains("boot"), "\(path): \(log)")
          await #expect(throws: SupervisorError.self, "\(path)") {
            _ = try await client.execute(
              Command("/bin/sh", arguments: ["-c", "pwd; ls"], workingDirectory: path), in: running.id,
              streams: [null.number, output.number, null.number])
          }
        }
      }
      #expect(try Files.readText(fixture.base + "/where") == "")
      // Control: a directory of the task is one.
      let fine = try fixture.task("fine", "pwd") { $0.command.workingDirectory = "/local" }
      _ = try await client.start(fine)
      _ = try await client.exit(of: fine.id)
      #expect(fixture.log("fine") == "/local\n")
    }
  }
}
