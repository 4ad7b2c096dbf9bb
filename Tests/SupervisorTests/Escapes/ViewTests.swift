import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// What a task sees of itself, of its neighbours and of the host.
@Suite(.enabled(if: isRoot, needsRoot)) struct ViewTests {
  /// The sandbox as jobs get it: with the host's ids and with their own.
  static let ids: [UserNamespace?] = [nil, UserNamespaceChecks.range]

  private func run(
    _ fixture: Fixture, _ client: SupervisorClient, _ id: String, _ script: String,
    change: (inout Sandbox) -> Void = { _ in }
  ) async throws -> String {
    let spec = try fixture.task(id, script, change: change)
    _ = try await client.start(spec)
    _ = try await client.exit(of: spec.id)
    try await client.acknowledge(spec.id)
    return fixture.log(id)
  }

  @Test func anIndependentProgramFindsNoPrivilege() async throws {
    try #require(Files.exists("/usr/sbin/capsh"), "install libcap2-bin (make setup)")
    try await withSupervisor { fixture, client in
      for (number, ids) in Self.ids.enumerated() {
        // capsh reads what the kernel says, with another library than ours.
        let log = try await run(fixture, client, "capsh-\(number)", "/usr/sbin/capsh --print; id -u; id -g; id -G") {
          $0.userNamespace = ids
          $0.ambientCapabilities = []
        }
        #expect(log.contains("Current: =\n") && log.contains("Ambient set =\n"), "\(log)")
        #expect(log.contains("no-new-privs=1") || log.contains("no_new_privs") || !log.contains("no-new-privs=0"))
        let bounding = log.split(separator: "\n").first { $0.hasPrefix("Bounding set") } ?? ""
        #expect(!bounding.contains("sys_admin") && !bounding.contains("net_raw") && !bounding.contains("sys_ptrace"))
        #expect(log.hasSuffix("65534\n65534\n65534\n"), "\(log)")
      }
      // Control: without the sandbox the same program finds them.
      let open = try await run(fixture, client, "capsh-open", "/usr/sbin/capsh --print") { $0.takeWallsAway() }
      #expect(open.contains("cap_sys_admin"))
    }
  }

  @Test func tasksShareNoNamespaceWithTheHostOrEachOther() async throws {
    let script = "for n in mnt pid ipc uts cgroup user net; do readlink /proc/self/ns/$n; done"
    try await withSupervisor { fixture, client in
      let host = try FileDescriptor.open("/proc/self/ns", [.readOnly, .directory])
      func inside(_ id: String) async throws -> [String] {
        try await run(fixture, client, id, script + "; exec sleep 0.2") {
          $0.userNamespace = UserNamespaceChecks.range
          $0.namespaces.insert(.network)
        }.split(separator: "\n").map(String.init)
      }
      async let first = inside("first")
      async let second = inside("second")
      let (one, two) = try await (first, second)
      try #require(one.count == 7 && two.count == 7)
      for (index, name) in ["mnt", "pid", "ipc", "uts", "cgroup", "user", "net"].enumerated() {
        let outside = try host.readSymbolicLink(name)
        #expect(one[index] != outside && two[index] != outside && one[index] != two[index], "\(name)")
      }
    }
  }

  /// The supervisor was started by somebody with descriptors of the host's directories open.
  @Test func noDescriptorOfTheRuntimeIsThere() async throws {
    // Not close-on-exec: what a careless service manager leaves open.
    var leaked: [Int32] = []
    for _ in 0..<20 { leaked.append(Glibc.open("/", O_RDONLY | O_DIRECTORY)) }
    defer { for number in leaked { Glibc.close(number) } }
    try #require(leaked.allSatisfy { $0 > 2 })
    try await withSupervisor { fixture, client in
      for (number, ids) in Self.ids.enumerated() {
        let log = try await run(
          fixture, client, "fds-\(number)",
          "for f in /proc/self/fd/*; do echo ${f##*/} $(readlink $f); done; ls /proc/1/fd/ 2>/dev/null | wc -l"
        ) { $0.userNamespace = ids }
        let lines = log.split(separator: "\n").map(String.init)
        let numbers = lines.dropLast().compactMap { Int($0.split(separator: " ").first ?? "") }
        // 0 to 2, and the shell's own for the directory it lists.
        #expect(numbers.filter { $0 > 2 && $0 < 10 }.count <= 1 && !numbers.contains { $0 >= 10 && $0 < 255 }, "\(log)")
        #expect(!log.contains(fixture.base) && !log.contains(" /\n"), "\(log)")
        #expect(lines.last == "0")
      }
    }
  }

  @Test func nothingOfTheHostCanBeFoundInWhatATaskReads() async throws {
    let hostname = try Files.readText("/proc/sys/kernel/hostname").split(separator: "\n").first.map(String.init) ?? ""
    try await withSupervisor { fixture, client in
      for (number, ids) in Self.ids.enumerated() {
        let neighbour = try fixture.task("neighbour-\(number)", "sleep 60") { $0.userNamespace = ids }
        _ = try await client.start(neighbour)
        let log = try await run(
          fixture, client, "reader-\(number)",
          """
          cat /proc/self/mountinfo /proc/self/cgroup /proc/mounts /proc/cmdline /proc/sys/kernel/hostname /proc/self/maps
          for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; cat $p/environ; done
          dmesg; journalctl; echo end
          """
        ) {
          $0.userNamespace = ids
          $0.hostname = "inside"
        }
        #expect(log.hasSuffix("end\n"))
        for word in [fixture.name + ".neighbour", "sleep 60", "BOOT_IMAGE", "pci=off"] where !word.isEmpty {
          #expect(!log.contains(word), "\(word): \(log)")
        }
        if hostname.utf8.count > 4 { #expect(!log.contains(hostname)) }
        try await client.kill(neighbour.id)
        _ = try await client.exit(of: neighbour.id)
      }
    }
  }

  @Test func chrootFilesAreNotTheHostsInodes() async throws {
    try await withSupervisor { fixture, client in
      for (number, user) in ["nobody", "root"].enumerated() {
        let log = try await run(
          fixture, client, "inodes-\(number)",
          """
          for f in /etc/passwd /usr/bin/env; do
            awk -v f=$f '$5 == "/" || index(f, $5) == 1 { o = $6 } END { print f, o }' /proc/self/mountinfo
            (echo >> $f) 2>/dev/null && echo wrote $f; chmod 777 $f 2>/dev/null && echo chmod $f
          done
          """
        ) { $0.user = user }
        for line in log.split(separator: "\n") where line.contains(" r") {
          // Read-only or an overlay, and never a place where set-id bits or device nodes count.
          #expect(line.contains("nosuid") && line.contains("nodev"), "\(line)")
        }
        if user == "nobody" { #expect(!log.contains("wrote") && !log.contains("chmod"), "\(log)") }
      }
      #expect(try FileStatus.of("/etc/passwd").permissions == 0o644)
      #expect(try FileStatus.of("/usr/bin/env").permissions == 0o755)
      let passwd = try Files.readText("/etc/passwd")
      #expect(!passwd.hasSuffix("\n\n"))
    }
  }

  /// A set-user-id copy of the probe and one with file capabilities, in a volume: each of the two walls alone.
  @Test func setIDFilesGiveNothing() async throws {
    try await withSupervisor { fixture, client in
      let volume = fixture.base + "/volume"
      try Files.makeDirectories(volume)
      for name in ["setuid", "capable"] {
        try Files.replace("\(volume)/\(name)", with: Probe.program(), permissions: 0o755)
      }
      try #require(chmod(volume + "/setuid", 0o4755) == 0)
      try Probe.run("/usr/sbin/setcap", ["cap_sys_admin+ep", volume + "/capable"])
      func outcome(_ id: String, _ program: String, _ attempt: String, change: (inout Sandbox) -> Void) async throws
        -> String
      {
        let spec = try fixture.spec(id, Command(program, arguments: [attempt]), change: change)
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        try await client.acknowledge(spec.id)
        return fixture.log(id)
      }
      for (name, attempt) in [("setuid", "become-root"), ("capable", "sethostname")] {
        for (number, ids) in Self.ids.enumerated() {
          let log = try await outcome("task-\(name)-\(number)", "/volume/\(name)", attempt) {
            $0.userNamespace = ids
            $0.mounts = [.bind(volume, at: "/volume", hasTaskIDs: true)]
            // The filter would refuse the second attempt by itself.
            $0.seccomp = .unconfined
          }
          #expect(log == "\(attempt)\tEPERM\n", "\(log)")
        }
        // The mount's attribute alone, and no_new_privs alone.
        let mount = try await outcome("mount-\(name)", "/volume/\(name)", attempt) {
          $0.mounts = [.bind(volume, at: "/volume")]
          $0.seccomp = .unconfined
          $0.noNewPrivileges = false
          $0.landlock = .off
        }
        #expect(mount == "\(attempt)\tEPERM\n", "\(mount)")
        let flag = try await outcome("flag-\(name)", "\(volume)/\(name)", attempt) {
          $0.takeWallsAway(user: "nobody")
          $0.capabilities = nil
          $0.noNewPrivileges = true
        }
        #expect(flag == "\(attempt)\tEPERM\n", "\(flag)")
        // Control: without both the file's bits count.
        let open = try await outcome("open-\(name)", "\(volume)/\(name)", attempt) {
          $0.takeWallsAway(user: "nobody")
          $0.capabilities = nil
        }
        #expect(open == "\(attempt)\tok\n", "\(open)")
      }
    }
  }

  @Test func signalsToEverybodyStayInside() async throws {
    try await withSupervisor { fixture, client in
      let targets = try Targets(fixture)
      for (number, ids) in Self.ids.enumerated() {
        // The same user, twice: only the pid namespaces stand between.
        let other = try fixture.task("other-\(number)", "sleep 1000") { $0.userNamespace = ids }
        _ = try await client.start(other)
        let log = try await run(fixture, client, "killer-\(number)", "sleep 1000 & kill -9 -1; echo survived") {
          $0.userNamespace = ids
        }
        // The shell itself is not signalled by its own kill(-1), its child is.
        #expect(log == "survived\n")
        #expect(try await client.list().first { $0.id == other.id }?.state == .running)
        #expect(targets.processIsAlive)
        try await client.kill(other.id)
        _ = try await client.exit(of: other.id)
      }
    }
  }

  @Test func aCrashLeavesNoCoreAnywhere() async throws {
    let here = try FileDescriptor.open(".", [.readOnly, .directory]).entries().map(\.name).filter {
      $0.hasPrefix("core")
    }
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("crash", "cd /local; ulimit -c unlimited 2>/dev/null; kill -SEGV $$")
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.signal == SIGSEGV && !exit.dumpedCore)
      let left = try FileDescriptor.open("\(fixture.base)/crash/local", [.readOnly, .directory]).entries()
      #expect(left.isEmpty)
      // Control: the same crash with a limit of its own dumps, so the limit is what forbids it.
      let dumping = try fixture.task("dumping", "cd /local; kill -SEGV $$") {
        $0.resourceLimits = [ResourceLimit(.core, 1 << 20)]
      }
      _ = try await client.start(dumping)
      let control = try await client.exit(of: dumping.id)
      let pattern = try Files.readText("/proc/sys/kernel/core_pattern")
      if !pattern.hasPrefix("|") && !pattern.hasPrefix("/") { #expect(control.dumpedCore) }
    }
    let after = try FileDescriptor.open(".", [.readOnly, .directory]).entries().map(\.name).filter {
      $0.hasPrefix("core")
    }
    #expect(after.sorted() == here.sorted())
  }

  @Test func aCommandThatIsALinkIsResolvedInsideTheRoot() async throws {
    try await withSupervisor { fixture, client in
      // On the host the link leads to a program that exists; inside there is none at that path.
      let host = fixture.base + "/host-program"
      try Files.replace(host, with: Array("#!/bin/sh\necho host\n".utf8), permissions: 0o744)
      let spec = try fixture.spec("linked", Command("local/x"))
      try FileDescriptor.open("\(fixture.base)/linked/local", [.readOnly, .directory]).makeSymbolicLink("x", to: host)
      do throws(SupervisorError) {
        _ = try await client.start(spec)
        Issue.record("started")
      } catch {
        #expect(error.step == "command" && error.message.contains("ENOENT"), "\(error)")
      }
      #expect(try FileStatus.of(host).permissions == 0o744)
    }
  }

  @Test func everyExitCodeAndSignalArrives() async throws {
    try await withSupervisor { fixture, client in
      for code in stride(from: 0, through: 255, by: 17) {
        let spec = try fixture.task("code", "exit \(code)")
        _ = try await client.start(spec)
        #expect(try await client.exit(of: spec.id).exitCode == Int32(code))
        try await client.acknowledge(spec.id)
      }
      for signal in [SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGPIPE, SIGTERM] {
        let spec = try fixture.task("signal", "kill -\(signal) $$")
        _ = try await client.start(spec)
        let exit = try await client.exit(of: spec.id)
        #expect(exit.signal == signal && exit.exitCode == 128 + signal, "\(signal): \(exit)")
        try await client.acknowledge(spec.id)
      }
    }
  }
}
