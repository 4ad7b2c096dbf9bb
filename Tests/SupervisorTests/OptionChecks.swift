import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// The parts of a sandbox that a job or a client switches on.
@Suite(.enabled(if: isRoot, needsRoot)) struct OptionChecks {
  /// Runs a script as a task, and gives back what it printed.
  func output(
    _ fixture: Fixture, _ client: SupervisorClient, _ id: String, _ script: String,
    change: (inout Sandbox) -> Void = { _ in }
  ) async throws -> String {
    let spec = try fixture.task(id, script, change: change)
    _ = try await client.start(spec)
    _ = try await client.exit(of: spec.id)
    return fixture.log(id) + fixture.log(id, "stderr")
  }

  static let bindPort = """
    /usr/bin/python3 -c "import socket; s=socket.socket(); s.bind(('127.0.0.1', 80)); print('bound')" 2>&1 | tail -1
    """

  @Test(arguments: [true, false]) func aNetworkOfItsOwnHasLoopbackAndEveryPort(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let seen = try await output(
        fixture, client, "none", "cd /sys/class/net && echo * && cat lo/flags; \(Self.bindPort)"
      ) {
        $0.namespaces.insert(.network)
        $0.ambientCapabilities = []
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      #expect(seen == "lo\n0x9\nbound\n")
    }
  }

  @Test(arguments: [true, false]) func tasksOfANetworkGroupShareALoopbackInterfaceAndOthersDoNot(
    _ hasIDs: Bool
  ) async throws {
    try await withSupervisor { fixture, client in
      func change(_ group: String) -> (inout Sandbox) -> Void {
        {
          $0.namespaces.insert(.network)
          $0.networkGroup = group
          if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
        }
      }
      let server = """
        import socket
        s = socket.socket(); s.bind(('127.0.0.1', 81)); s.listen(8); print('ready', flush=True)
        while True: s.accept()[0].sendall(b'hello')
        """
      let listening = try fixture.spec(
        "listening", Command("/usr/bin/python3", arguments: ["-c", server]), change: change("one"))
      _ = try await client.start(listening)
      #expect(try await eventually { fixture.log("listening") == "ready\n" })
      let ask = """
        readlink /proc/self/ns/net; ls /sys/class/net
        python3 -c "import socket; print(socket.create_connection(('127.0.0.1', 81), 2).recv(9).decode())" 2>&1 | tail -1
        """
      let same = try await output(fixture, client, "same", ask, change: change("one"))
      let other = try await output(fixture, client, "other", ask, change: change("two"))
      let host = try FileDescriptor.open("/proc/self/ns", [.readOnly, .directory]).readSymbolicLink("net")
      #expect(same.hasSuffix("\nlo\nhello\n") && !same.contains(host), "\(same)")
      #expect(other.contains("\nlo\n") && other.contains("refused") && !other.contains("hello"), "\(other)")
      // A supervisor that did not start them knows who shares.
      kill(client.pid, SIGKILL)
      let pid = client.pid
      #expect(try await eventually { !Files.exists("/proc/\(pid)/exe") })
      let next = try await fixture.launcher.connect()
      let again = try await output(fixture, next, "again", ask, change: change("one"))
      #expect(again.prefix { $0 != "\n" } == same.prefix { $0 != "\n" } && again.hasSuffix("hello\n"), "\(again)")
      next.close()
    }
  }

  @Test func aLowPortOfTheHostNeedsTheCapability() async throws {
    try await withSupervisor { fixture, client in
      // Port 80 of 127.0.0.2 would do as well; whether it is free does not matter for the control.
      let script = Self.bindPort.replacing("127.0.0.1", with: "127.9.8.7")
      #expect(try await output(fixture, client, "with", script) == "bound\n")
      let without = try await output(fixture, client, "without", script) { $0.ambientCapabilities = [] }
      #expect(without.contains("Permission denied"))
    }
  }

  @Test(arguments: [true, false]) func theTaskSeesItsOwnLimits(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let script = """
        cd /sys/fs; ls; cat cgroup/memory/memory.limit_in_bytes cgroup/memory.max 2>/dev/null
        cat cgroup/pids/pids.max cgroup/pids.max 2>/dev/null
        (echo 99 > cgroup/pids/pids.max) 2>/dev/null && echo written; (echo 99 > cgroup/pids.max) 2>/dev/null && echo written
        mkdir cgroup/pids/x 2>/dev/null && echo made; cat /proc/self/cgroup | grep -vc ':/$'
        """
      let seen = try await output(fixture, client, "limits", script) {
        $0.limits.memoryBytes = 48 << 20
        $0.limits.pids = 77
        $0.user = "root"
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      #expect(seen == "cgroup\n\(48 << 20)\n77\n0\n")
    }
  }

  @Test(arguments: [true, false]) func aReadOnlyRootKeepsTheTasksOwnDirectoriesWritable(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let script = "for d in / /etc /usr /local /tmp /dev/shm; do (echo x > $d/x) 2>/dev/null && echo $d; done"
      let seen = try await output(fixture, client, "ro", script) {
        $0.isRootReadOnly = true
        $0.user = "root"
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      #expect(seen == "/local\n/tmp\n/dev/shm\n")
      let control = try await output(fixture, client, "rw", script) { $0.user = "root" }
      #expect(control == "/\n/etc\n/usr\n/local\n/tmp\n/dev/shm\n")
    }
  }

  @Test(arguments: [true, false]) func filesAreThereFromTheStartAndNowhereElse(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let script = "cat /secrets/token; stat -c '%u %a' /secrets/token; stat -f -c %T /secrets"
      let seen = try await output(fixture, client, "files", script) {
        $0.mounts = [.temporary(at: "/secrets", sizeBytes: 1 << 20)]
        $0.files = [InitialFile(path: "/secrets/token", content: Array("geheim-4711\n".utf8), permissions: 0o400)]
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      #expect(seen == "geheim-4711\n65534 400\ntmpfs\n")
      let record = "\(fixture.launcher.runtimeDirectory)/tasks/\(fixture.name).files/record"
      #expect(!String(decoding: try Files.read(record), as: UTF8.self).contains("geheim"))
      #expect(!Files.exists("\(fixture.base)/files/secrets/token"))
    }
  }

  @Test func settingsOfTheTasksNamespacesAreWrittenAndOthersRefused() async throws {
    try await withSupervisor { fixture, client in
      let host = try Files.readText("/proc/sys/kernel/msgmax")
      let seen = try await output(
        fixture, client, "sysctl", "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax"
      ) {
        $0.namespaces.insert(.network)
        $0.sysctls = [Sysctl("net.core.somaxconn", "1234"), Sysctl("kernel.msgmax", "4321")]
      }
      #expect(seen == "1234\n4321\n")
      #expect(try Files.readText("/proc/sys/kernel/msgmax") == host)
      for name in ["kernel.core_pattern", "vm.drop_caches", "net.core.somaxconn", "kernel.msgmax/../../x", "net..x"] {
        let spec = try fixture.task("refused", "true") { $0.sysctls = [Sysctl(name, "1")] }
        await #expect(throws: SupervisorError.self, "\(name)") { _ = try await client.start(spec) }
      }
    }
  }

  @Test(arguments: [true, false]) func aGrantedDeviceCanBeOpenedAndAnotherNot(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      // fuse stands in for hardware: anyone may open it who has a node and the cgroup's leave.
      let node = "/dev/serai-test-\(fixture.name)"
      try FileDescriptor.open("/dev", [.readOnly, .directory]).makeCharacterDevice(
        "serai-test-\(fixture.name)", permissions: 0o666, major: 10, minor: 229)
      defer { try? Files.remove(node) }
      #expect(chmod(node, 0o666) == 0)
      let script = """
        ls /dev | tr '\\n' ' '; (: < /dev/own) && echo read; (: > /dev/own) 2>/dev/null && echo written; echo x > /dev/null
        rm /dev/own 2>/dev/null && echo removed; test -c /dev/zero && head -c 3 /dev/zero | wc -c
        """
      let seen = try await output(fixture, client, "device", script) {
        $0.devices = [DeviceNode(node, at: "/dev/own", readOnly: true)]
        if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
      }
      #expect(
        seen == "fd full mqueue null own ptmx pts random shm stderr stdin stdout tty urandom zero read\n3\n")
      // Control: granted for writing it can be opened so; without a grant not even through a node of the same numbers.
      let writable = try await output(fixture, client, "writable", "(: > /dev/own) && echo written") {
        $0.devices = [DeviceNode(node, at: "/dev/own")]
      }
      #expect(writable == "written\n")
      let other = try await output(fixture, client, "other", "(: < /dev/own) && echo read") {
        $0.devices = [DeviceNode(node, at: "/dev/own")]
        $0.limits.devices = nil
      }
      #expect(other == "read\n")
    }
  }

  /// A name in the abstract space of the host's network namespace, which no root file system hides.
  @Test func landlockKeepsATaskWithHostIDsFromTheHostsAbstractSockets() async throws {
    try #require((Landlock.version ?? 0) >= 6, "this kernel's Landlock does not know scopes")
    try await withSupervisor { fixture, client in
      let server = try fixture.spec(
        "server",
        Command(
          "/usr/bin/python3",
          arguments: [
            "-c",
            "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('\\0\(fixture.name)'); s.listen(); print('up', flush=True); time.sleep(60)",
          ])
      ) { _ in }
      var raw = server
      raw.sandbox = Sandbox.unconfined(server.sandbox.command)
      _ = try await client.start(raw)
      #expect(try await eventually { fixture.log("server") == "up\n" })
      let script = """
        /usr/bin/python3 -c "import socket; s=socket.socket(socket.AF_UNIX); s.connect('\\0\(fixture.name)'); print('reached')" 2>&1 | tail -1
        echo x > /dev/stdout; echo y > /local/a; mkdir /local/d; mv /local/a /local/d/b && cat /local/d/b
        """
      let confined = try await output(fixture, client, "confined", script)
      #expect(confined.contains("Operation not permitted") && confined.hasSuffix("x\ny\n"), "\(confined)")
      let open = try await output(fixture, client, "open", script) { $0.landlock = .off }
      #expect(open == "reached\nx\ny\n")
    }
  }

  @Test func aProfileDecidesWhatIsAllowed() async throws {
    try await withSupervisor { fixture, client in
      let script = "mkdir /local/x 2>&1; echo $?; unlink /local/nothing 2>&1"
      let profile = """
        {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
          {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 62},
          {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
        ]}
        """
      let seen = try await output(fixture, client, "profile", script) { $0.seccomp = .profile(profile) }
      #expect(seen.contains("Timer expired") && seen.contains("\n1\n"))
      #expect(try await output(fixture, client, "standard", script).hasPrefix("0\n"))
      // Docker's own additions: this rule is for tasks with a capability, the next for another processor.
      let conditional = """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_KILL"], "minKernel": "4.8"}},
          {"names": ["unlink", "unlinkat"], "action": "SCMP_ACT_ERRNO", "includes": {"arches": ["s390x"]}}
        ]}
        """
      for (id, capabilities, outcome) in [("with", ["kill"], "1"), ("without", ["chown"], "0")] {
        let seen = try await output(fixture, client, id, "mkdir /local/y 2>/dev/null; echo $?; rmdir /local/y") {
          $0.seccomp = .profile(conditional)
          $0.capabilities = capabilities
        }
        #expect(seen.hasPrefix(outcome))
      }
      for bad in ["", "[]", "{}", #"{"defaultAction": "SCMP_ACT_TRACE"}"#] {
        let spec = try fixture.task("bad", "true") { $0.seccomp = .profile(bad) }
        await #expect(throws: SupervisorError.self, "\(bad)") { _ = try await client.start(spec) }
      }
    }
  }

  /// The mounts that the drivers make: a sidecar reads its siblings' logs, and nobody changes them.
  @Test func logsAreReadButNotWritten() async throws {
    try await withSupervisor { fixture, client in
      func spec(_ id: String, _ script: String) throws -> TaskSpec {
        try fixture.task(id, script) {
          $0.userNamespace = UserNamespaceChecks.range
          $0.user = "root"
          $0.mounts = [
            .bind(fixture.base + "/alloc", at: "/alloc", hasTaskIDs: true),
            .bind(fixture.base + "/alloc/logs", at: "/alloc/logs", readOnly: true, hasTaskIDs: true),
          ]
        }
      }
      let writer = try spec("writer", "echo from the writer")
      _ = try await client.start(writer)
      #expect(try await client.exit(of: writer.id).exitCode == 0)
      let script = """
        cat /alloc/logs/writer.stdout.0
        touch /alloc/mine && echo shared is writable
        exec 2>&1
        touch /alloc/logs/new
        rm -f /alloc/logs/writer.stdout.0
        mv /alloc/logs /alloc/away
        mount -o remount,rw,bind /alloc/logs
        umount /alloc/logs && touch /alloc/logs/new
        """
      let reader = try spec("reader", script)
      _ = try await client.start(reader)
      #expect(try await client.exit(of: reader.id).exitCode != 0)
      let log = fixture.log("reader")
      #expect(log.hasPrefix("from the writer\nshared is writable\n"), "\(log)")
      #expect(log.split(separator: "\n").filter { $0.contains("Read-only file system") }.count >= 2, "\(log)")
      #expect(fixture.log("writer") == "from the writer\n")
      #expect(!Files.exists(fixture.base + "/alloc/logs/new") && !Files.exists(fixture.base + "/alloc/away"))
    }
  }

  @Test func withoutTheInitTheCommandIsTheFirstProcess() async throws {
    try await withSupervisor { fixture, client in
      let first = try await output(fixture, client, "first", "echo $$") { $0.usesInit = false }
      #expect(first == "1\n")
      let second = try await output(fixture, client, "second", "echo $$")
      #expect(second != "1\n" && second != "")
    }
  }

  @Test func aTaskInTheHostsPIDNamespaceSeesTheHost() async throws {
    try await withSupervisor { fixture, client in
      let script =
        "ls -d /proc/\(getpid()) 2>/dev/null; cat /proc/kallsyms | head -c 1; kill -0 \(getpid()) 2>/dev/null && echo reached"
      let seen = try await output(fixture, client, "pids", script) {
        $0.namespaces.remove(.pid)
        $0.usesInit = false
      }
      #expect(seen == "/proc/\(getpid())\n")
      let own = try await output(fixture, client, "own", script)
      #expect(own == "")
    }
  }
}

/// Mounts that come with the start request.
@Suite(.enabled(if: isRoot, needsRoot)) struct HandedOverChecks {
  @Test(arguments: [true, false]) func aHandedOverMountIsTheTasksAndItsMakersAlone(_ hasIDs: Bool) async throws {
    try await withSupervisor { fixture, client in
      let options: [(String, String?)] = [
        ("size", "1048576"), ("mode", "700"),
        ("uid", hasIDs ? "\(UserNamespaceChecks.range.firstID + 65534)" : "65534"),
      ]
      let mount = try DetachedMount.create(
        type: "tmpfs", options: options, attributes: [.noSetuid, .noDevices, .noExecute])
      let place = mount.intoDescriptor()
      try place.open(beneath: "before", [.writeOnly, .create], permissions: 0o644).writeAll(Array("early".utf8))
      // The second start is in a child that has waited, the third after that.
      for round in 1...3 {
        let spec = try fixture.task(
          "handed\(round)",
          """
          cat /secrets/before; echo; stat -fc %T /secrets; stat -c %a /secrets
          dd if=/dev/zero of=/secrets/big bs=64k count=32 2>&1 | grep -o 'No space'; rm /secrets/big
          cp /bin/true /secrets/true && chmod +x /secrets/true; /secrets/true 2>&1 | grep -o 'Permission denied'
          while ! grep late /secrets/after\(round) 2>/dev/null; do sleep 0.01; done
          """
        ) {
          $0.mounts.append(Mount(source: .handedOver, target: "/secrets", attributes: [.noExecute]))
          if hasIDs { $0.userNamespace = UserNamespaceChecks.range }
        }
        _ = try await client.start(spec, mounts: [place.number])
        // Once it has filled the place and made room again.
        for _ in 0..<4000 where !fixture.log("handed\(round)").contains("Permission denied") {
          try await Task.sleep(for: .milliseconds(5))
        }
        try place.open(beneath: "after\(round)", [.writeOnly, .create], permissions: 0o644)
          .writeAll(Array("late".utf8))
        let exit = try await client.exit(of: spec.id)
        let log = fixture.log("handed\(round)")
        #expect(exit.exitCode == 0, "\(fixture.log("handed\(round)", "stderr"))")
        #expect(log == "early\ntmpfs\n700\nNo space\nPermission denied\nlate\n", "\(log)")
        let mounts = try Files.readText("/proc/self/mountinfo")
        #expect(!mounts.contains("/\(fixture.name)/handed"))
      }
      let missing = try fixture.task("none", "true") {
        $0.mounts.append(Mount(source: .handedOver, target: "/secrets"))
      }
      do throws(SupervisorError) {
        _ = try await client.start(missing)
        Issue.record("a mount that was not handed over was not missed")
      } catch {
        #expect(error.kind == .invalidRequest && error.message.contains("1 mounts are to be handed over, 0 came"))
      }
    }
  }
}
