import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// What a range of ids of its own changes for a task, each with a control that shows the difference.
@Suite(.enabled(if: isRoot, needsRoot)) struct UserNamespaceChecks {
  static let range = UserNamespace(firstID: 0x7000_0000)

  @Test func rootInTheTaskIsNobodyOnTheHost() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "root",
        """
        cat /proc/self/uid_map /proc/self/gid_map; id -u; echo x > /local/mine; stat -c %u:%g /local/mine /usr/bin/env /
        readlink /proc/self/ns/user; echo ready; exec sleep 60
        """
      ) {
        $0.user = "root"
        $0.userNamespace = Self.range
      }
      let status = try await client.start(spec)
      #expect(status.notes == [])
      #expect(try await eventually { fixture.log("root").hasSuffix("ready\n") }, "\(fixture.log("root", "stderr"))")
      let lines = fixture.log("root").split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
      #expect(lines[0] == "0 \(Self.range.firstID) 65536" && lines[1] == lines[0])
      #expect(lines[2] == "0" && lines[3...5].allSatisfy { $0 == "0:0" })
      let host = try FileDescriptor.open("/proc/self/ns", [.readOnly, .directory]).readSymbolicLink("user")
      #expect(lines[6].hasPrefix("user:[") && lines[6] != host)
      // As the host sees the process, and the file on disk.
      let uids = try Files.readText("/proc/\(status.pid)/status").split(separator: "\n").first { $0.hasPrefix("Uid:") }
      let first = "\(Self.range.firstID)"
      #expect(uids == "Uid:\t\(first)\t\(first)\t\(first)\t\(first)")
      #expect(try FileStatus.of("\(fixture.base)/root/local/mine").uid == 0)
    }
  }

  @Test func filesKeepTheirOwnersOnDiskAndTasksOfTheAllocationShareThem() async throws {
    try await withSupervisor { fixture, client in
      try Files.makeDirectories(fixture.base + "/shared")
      #expect(chmod(fixture.base + "/shared", 0o777) == 0)
      for (id, user, script) in [
        ("writer", "nobody", "umask 077; echo secret > /alloc/file; stat -c %u:%g /alloc/file"),
        ("reader", "nobody", "cat /alloc/file; stat -c %u:%g /alloc/file"),
        ("other", "root", "stat -c %u:%g /alloc/file"),
      ] {
        let spec = try fixture.task(id, script) {
          $0.user = user
          $0.userNamespace = Self.range
          $0.mounts = [.bind(fixture.base + "/shared", at: "/alloc", hasTaskIDs: true)]
        }
        _ = try await client.start(spec)
        #expect(try await client.exit(of: spec.id).exitCode == 0, "\(fixture.log(id, "stderr"))")
        #expect(fixture.log(id).hasSuffix("65534:65534\n"))
      }
      #expect(fixture.log("reader").hasPrefix("secret\n"))
      let onDisk = try FileStatus.of(fixture.base + "/shared/file")
      #expect(onDisk.uid == 65534 && onDisk.gid == 65534)
      // Control: without the task's ids the directory is the host's, and the file belongs to nobody the task knows.
      let foreign = try fixture.task("foreign", "cat /alloc/file 2>/dev/null || echo refused") {
        $0.userNamespace = Self.range
        $0.mounts = [.bind(fixture.base + "/shared", at: "/alloc")]
      }
      _ = try await client.start(foreign)
      _ = try await client.exit(of: foreign.id)
      #expect(fixture.log("foreign") == "refused\n")
    }
  }

  @Test func writesIntoTheOverlaysStayInTheTaskWithTheTasksIDs() async throws {
    try await withSupervisor { fixture, client in
      let mark = "serai-mark-\(fixture.name)"
      let spec = try fixture.task(
        "write",
        "echo x > /etc/\(mark) && chown 65534 /etc/\(mark) && chmod 4755 /usr/bin/env && rm /etc/hostname && echo done"
      ) {
        $0.user = "root"
        $0.userNamespace = Self.range
      }
      let env = try FileStatus.of("/usr/bin/env")
      _ = try await client.start(spec)
      _ = try await client.exit(of: spec.id)
      #expect(fixture.log("write") == "done\n", "\(fixture.log("write", "stderr"))")
      #expect(!Files.exists("/etc/\(mark)") && Files.exists("/etc/hostname"))
      #expect(try FileStatus.of("/usr/bin/env") == env)
      let upper = "\(fixture.base)/.layers/write"
      #expect(try FileStatus.of("\(upper)/etc/upper/\(mark)").uid == 65534)
      #expect(try FileStatus.of("\(upper)/usr/upper/bin/env").uid == 0)
      // The same task sees it again, also with host ids.
      let again = try fixture.task("write", "stat -c %u /etc/\(mark)") { $0.user = "root" }
      try await client.acknowledge(spec.id)
      _ = try await client.start(again)
      _ = try await client.exit(of: again.id)
      #expect(fixture.log("write").hasSuffix("65534\n"))
    }
  }

  @Test func noUserNamespaceCanBeMadeInside() async throws {
    try await withSupervisor { fixture, client in
      // Without the filter, so that the namespace's own limit is what refuses.
      for (id, isOwn) in [("own", true), ("host", false)] {
        let spec = try fixture.task(id, "unshare -U true && echo made; cat /proc/sys/user/max_user_namespaces") {
          $0.seccomp = .unconfined
          $0.userNamespace = isOwn ? Self.range : nil
        }
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        if isOwn {
          #expect(fixture.log(id) == "0\n" && fixture.log(id, "stderr").contains("No space left"))
        } else {
          #expect(fixture.log(id).hasPrefix("made\n"))
        }
      }
    }
  }

  @Test func hostFilesOfOthersStayUnreadable() async throws {
    try await withSupervisor { fixture, client in
      try Files.makeDirectories(fixture.base + "/volume")
      for (name, gid) in [("root", UInt32(0)), ("group", 65534)] {
        let path = "\(fixture.base)/volume/\(name)"
        try Files.replace(path, with: Array("host\n".utf8), permissions: 0o640)
        try FileDescriptor.open(path).setOwner(uid: 0, gid: gid)
      }
      let script = "for f in root group; do cat /volume/$f 2>/dev/null || echo $f refused; done"
      for user in ["nobody", "root"] {
        let spec = try fixture.task(user, script) {
          $0.user = user
          $0.userNamespace = Self.range
          $0.mounts = [.bind(fixture.base + "/volume", at: "/volume")]
        }
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        #expect(fixture.log(user) == "root refused\ngroup refused\n")
      }
      // Control: root with host ids reads them.
      let control = try fixture.task("control", script) {
        $0.user = "root"
        $0.mounts = [.bind(fixture.base + "/volume", at: "/volume")]
      }
      _ = try await client.start(control)
      _ = try await client.exit(of: control.id)
      #expect(fixture.log("control") == "host\nhost\n")
    }
  }

  @Test func processesOfOthersAreHidden() async throws {
    try await withSupervisor { fixture, client in
      for (id, isOwn) in [("own", true), ("host", false)] {
        let spec = try fixture.task(
          id, "for p in /proc/[0-9]*; do cat $p/comm; done; grep -q hidepid /proc/mounts && echo 1 || echo 0"
        ) {
          $0.userNamespace = isOwn ? Self.range : nil
          // On the host's network Landlock stands before the host's sockets, and does not go with it.
          if isOwn { $0.namespaces.insert(.network) }
        }
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        let names = Set(fixture.log(id).split(separator: "\n").map(String.init))
        #expect(names == (isOwn ? ["sh", "1"] : ["serai-init", "sh", "0"]))
      }
    }
  }

  @Test func aCommandInsideHasTheTasksIDs() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "inside", SessionTests.view + "; readlink /proc/self/ns/user; echo ready >&2; exec sleep 60"
      ) {
        $0.userNamespace = Self.range
        $0.namespaces.insert(.network)
        $0.command.environment.append("MARK=task")
      }
      _ = try await client.start(spec)
      #expect(try await eventually { fixture.log("inside", "stderr") == "ready\n" })
      let pipe = try Pipe()
      let null = try FileDescriptor.open("/dev/null", [.readWrite])
      let exit = try await client.execute(
        Command("sh", arguments: ["-c", SessionTests.view + "; readlink /proc/self/ns/user; exit 4"]), in: spec.id,
        streams: [null.number, pipe.write.number, null.number])
      #expect(exit.exitCode == 4 && exit.isKnown)
      #expect(String(decoding: try pipe.read.read(upTo: 65536), as: UTF8.self) == fixture.log("inside"))
    }
  }

  @Test func aUserAboveTheRangeIsRefused() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("high", "id") {
        $0.user = "70000"
        $0.userNamespace = Self.range
      }
      do throws(SupervisorError) {
        _ = try await client.start(spec)
        Issue.record("started")
      } catch {
        #expect(error.step == "user" && error.message.contains("70000") && error.message.contains("65536"))
      }
    }
  }
}
