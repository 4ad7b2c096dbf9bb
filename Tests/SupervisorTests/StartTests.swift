import Isolation
import Linux
import Supervisor
import Testing

@Suite(.enabled(if: isRoot, needsRoot)) struct StartTests {
  @Test func aTaskRunsAndItsOutputAndExitCodeArrive() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task("hello", "echo out; echo err >&2; exit 3")
      let status = try await client.start(spec)
      #expect(status.pid > 0)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.exitCode == 3 && exit.signal == 0 && exit.isKnown && !exit.oomKilled)
      #expect(fixture.log("hello") == "out\n")
      #expect(fixture.log("hello", "stderr") == "err\n")
    }
  }

  @Test func theTaskIsNobodyWithoutPrivilegesInItsOwnNamespaces() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.task(
        "view",
        """
        grep -E '^(Uid|Gid|Groups|NoNewPrivs|CapEff|CapPrm|CapAmb|CapInh|Seccomp):' /proc/self/status
        echo pid $$; ls /proc | grep -c '^[0-9]'; ls -1 /dev | sort | tr '\\n' ' '; echo
        ls -l /proc/self/fd | grep -c ' -> '; pwd; echo home=$HOME user=$USER
        for n in mnt pid ipc uts cgroup; do readlink /proc/self/ns/$n; done
        """)
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      let log = fixture.log("view")
      #expect(exit.exitCode == 0, "\(fixture.log("view", "stderr"))")
      #expect(log.contains("Uid:\t65534\t65534\t65534\t65534"))
      #expect(log.contains("Gid:\t65534\t65534\t65534\t65534"))
      #expect(log.contains("Groups:\t \n"))
      #expect(log.contains("NoNewPrivs:\t1"))
      // CAP_NET_BIND_SERVICE, number 10, and nothing else.
      for set in ["CapEff", "CapPrm", "CapAmb", "CapInh"] { #expect(log.contains("\(set):\t0000000000000400")) }
      #expect(log.contains("\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero \n"))
      #expect(log.contains("\n/\n"))
      #expect(log.contains("home=/nonexistent user=nobody"))
      for kind in ["mnt", "pid", "ipc", "uts", "cgroup"] {
        let host = try FileDescriptor.open("/proc/self/ns", [.readOnly, .directory]).readSymbolicLink(kind)
        #expect(log.contains("\(kind):[") && !log.contains(host), "\(kind) is the host's")
      }
    }
  }
}
