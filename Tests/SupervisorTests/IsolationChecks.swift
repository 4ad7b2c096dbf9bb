import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// What a task sees and cannot do. Each check that something is refused has a control beside it: the same attempt on
/// the host, or without the sandbox, succeeds.
@Suite(.enabled(if: isRoot, needsRoot)) struct IsolationChecks {
  @Test func hostProcessesAreInvisible() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("ps", "for p in /proc/[0-9]*; do cat $p/comm; done")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      let names = Set(fixture.log("ps").split(separator: "\n").map(String.init))
      #expect(names == ["serai-init", "sh"])
    }
  }

  @Test func writesIntoTheChrootStayInTheTask() async throws {
    try await withSupervisor { fixture, client in
      let mark = "serai-mark-\(fixture.name)"
      let spec = try fixture.task(
        "write",
        "echo x > /etc/\(mark) && cat /etc/\(mark) && echo y > /usr/\(mark) && rm /etc/hostname; ls /etc | wc -l"
      ) {
        $0.user = "root"
      }
      let hostname = Files.exists("/etc/hostname")
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.exitCode == 0)
      #expect(fixture.log("write").hasPrefix("x\n"), "\(fixture.log("write", "stderr"))")
      #expect(!Files.exists("/etc/\(mark)") && !Files.exists("/usr/\(mark)"))
      #expect(Files.exists("/etc/hostname") == hostname)
      #expect(Files.exists("\(fixture.base)/.layers/write/etc/upper/\(mark)"))
    }
  }

  @Test func nobodyCannotWriteIntoTheChroot() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "nobody",
        "for f in /etc/passwd /etc/x /usr/x /x /alloc; do (echo x >> $f) 2>/dev/null && echo wrote $f; done; echo ok > /local/x && cat /local/x"
      )
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("nobody") == "ok\n")
    }
  }

  @Test func mergedUsrLinksStayLinks() async throws {
    let host = try FileStatus.of("/bin", followLink: false)
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("links", "readlink /bin; cat /proc/self/mountinfo | grep -c ' overlay '")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      if host.kind == .symbolicLink { #expect(fixture.log("links").hasPrefix("usr/bin\n")) }
      // The layout is there for who looks from outside.
      for name in ["etc", "usr", "proc", "sys", "dev", "local", "secrets", "tmp"] {
        #expect(Files.exists("\(fixture.base)/links/\(name)"), "\(name)")
      }
      #expect(try FileStatus.of("\(fixture.base)/links/bin", followLink: false).kind == host.kind)
    }
  }

  @Test func nothingIsMountedOnTheHost() async throws {
    let before = try Files.readText("/proc/self/mountinfo")
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("mounts", "sleep 30")
      _ = try await client.start(spec)
      let during = try Files.readText("/proc/self/mountinfo")
      #expect(!during.contains(fixture.name))
      _ = before
      try await client.kill(spec.id)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.signal == 9)
    }
  }

  @Test func procAndSysAreMaskedAndReadOnlyEvenForRoot() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "masks",
        """
        for f in kcore keys timer_list kallsyms slabinfo vmallocinfo kpagecount config.gz cmdline interrupts; do
          [ -e /proc/$f ] && [ -n "$(head -c 10 /proc/$f 2>/dev/null | tr -d '\\0')" ] && echo readable $f; done
        for f in sys/kernel/core_pattern sysrq-trigger sys/vm/drop_caches sys/kernel/hostname irq/default_smp_affinity; do
          (: >> /proc/$f) 2>/dev/null && echo writable $f; done
        ls /sys/firmware /sys/fs 2>/dev/null | grep -v : | grep . | grep -vx cgroup; (: >> /sys/power/state) 2>/dev/null && echo writable power
        echo end
        """
      ) { $0.user = "root" }
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("masks") == "end\n")
      // Control: the host has them.
      #expect(!(try Files.read("/proc/cmdline")).isEmpty)
    }
  }

  @Test func deviceNodesCannotBeMadeOrChanged() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "mknod",
        """
        cd /local; for d in '1 11' '5 1' '10 229' '7 0'; do mknod n c $d 2>/dev/null && (: < n) 2>/dev/null && echo opened $d; rm -f n; done
        chmod 600 /dev/null 2>/dev/null && echo chmod; echo x > /dev/null && head -c 1 /dev/zero | wc -c
        rm /dev/null 2>/dev/null && echo removed; : > /dev/full 2>/dev/null; echo x > /dev/stdout
        """
      ) { $0.user = "root" }
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("mknod") == "1\nx\n", "\(fixture.log("mknod", "stderr"))")
      #expect(try FileStatus.of("/dev/null").permissions == 0o666)
    }
  }

  @Test func onlyTheStandardStreamsAreOpen() async throws {
    try await withSupervisor { fixture, client in
      // bash opens no script file with -c; ls's own directory descriptor is the fourth.
      let spec = try fixture.task(
        "fds", "ls -1 /proc/self/fd | wc -l; ls /proc/1/fd 2>&1 | tail -1; echo via > /dev/stdout")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      let lines = fixture.log("fds").split(separator: "\n")
      #expect(lines.count == 3 && lines.first == "4")
      // The init has the task's user id, but is not dumpable.
      #expect(lines.dropFirst().first?.contains("Permission denied") == true)
      #expect(lines.last == "via")
    }
  }

  @Test func bindsAndTemporaryFilesystemsAppearWithTheirLimits() async throws {
    try await withSupervisor { fixture, client in
      try Files.makeDirectories(fixture.base + "/shared")
      try Files.replace(fixture.base + "/shared/hello", with: Array("from host\n".utf8), permissions: 0o644)
      let spec = try fixture.task(
        "binds",
        """
        cat /alloc/hello; echo x > /alloc/new && echo wrote; echo x > /ro/new 2>/dev/null || echo refused
        dd if=/dev/zero of=/secrets/big bs=64k count=32 2>/dev/null || echo full
        cp /bin/true /secrets/t 2>/dev/null; rm -f /secrets/big; cp /bin/true /secrets/t; chmod 755 /secrets/t; /secrets/t 2>/dev/null || echo noexec
        """
      ) {
        $0.mounts = [
          .bind(fixture.base + "/shared", at: "/alloc"), .bind(fixture.base + "/shared", at: "/ro", readOnly: true),
          .temporary(at: "/secrets", sizeBytes: 1 << 20),
        ]
      }
      _ = chmodAll(fixture.base + "/shared")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("binds") == "from host\nwrote\nrefused\nfull\nnoexec\n", "\(fixture.log("binds", "stderr"))")
      #expect(Files.exists(fixture.base + "/shared/new"))
      #expect(!Files.exists("\(fixture.base)/binds/secrets/t"))
    }
  }

  @Test func plantedLinksAtMountPointsAreRefused() async throws {
    try await withSupervisor { fixture, client in
      for place in ["proc", "dev", "sys", "etc"] {
        let spec = try fixture.task("planted-\(place)", "true")
        let directory = try FileDescriptor.open("\(fixture.base)/planted-\(place)", [.readOnly, .directory])
        try directory.makeSymbolicLink(place, to: "/tmp")
        await #expect(throws: SupervisorError.self) { _ = try await client.start(spec) }
      }
    }
  }
}

func chmodAll(_ path: String) -> Int32 { chmod(path, 0o777) }
