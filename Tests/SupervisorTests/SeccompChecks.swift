import Isolation
import Linux
import Supervisor
import Testing

@Suite(.enabled(if: isRoot, needsRoot)) struct SeccompChecks {
  /// Raw system calls from inside, one line each: number and outcome. Python is on every build machine of the project.
  static let probe = """
    import ctypes, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    def call(name, *args):
        ctypes.set_errno(0)
        r = libc.syscall(*[ctypes.c_long(a) for a in args])
        print(name, 'ok' if r >= 0 else os.strerror(ctypes.get_errno()).replace(' ', '_'), flush=True)
    call('unshare_user', 272, 0x10000000)
    call('clone_newuser', 56, 0x10000011, 0, 0, 0, 0)
    call('clone3', 435, 0, 0)
    call('bpf', 321, 0, 0, 0)
    call('keyctl', 250, 0, 0)
    call('io_uring_setup', 425, 1, 0)
    call('userfaultfd', 323, 1)
    call('perf_event_open', 298, 0, 0, 0, 0, 0)
    call('mount', 165, 0, 0, 0, 0, 0)
    call('socket_vsock', 41, 40, 1, 0)
    call('socket_packet', 41, 17, 3, 0)
    call('socket_inet', 41, 2, 1, 0)
    call('socket_netlink_route', 41, 16, 3, 0)
    call('socket_netlink_audit', 41, 16, 3, 9)
    call('tiocsti', 16, 0, 0x5412, 0)
    call('tiocsti_high', 16, 0, 0x100005412, 0)
    call('unknown', 5000)
    call('getpid', 39)
    """

  @Test func theFilterRefusesWhatTasksDoNotNeed() async throws {
    try await withSupervisor { fixture, client in
      for filtered in [true, false] {
        let id = filtered ? "filtered" : "open"
        let spec = try fixture.spec(id, Command("/usr/bin/python3", arguments: ["-c", Self.probe])) {
          $0.seccomp = filtered ? .standard : .unconfined
        }
        _ = try await client.start(spec)
        _ = try await client.exit(of: spec.id)
        let lines = fixture.log(id).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let outcome = Dictionary(uniqueKeysWithValues: lines.filter { $0.count == 2 }.map { ($0[0], $0[1]) })
        if filtered {
          #expect(fixture.log(id).contains("Seccomp") == false)
          for name in [
            "unshare_user", "bpf", "keyctl", "io_uring_setup", "userfaultfd", "perf_event_open", "mount",
            "socket_netlink_audit", "tiocsti", "tiocsti_high",
          ] {
            #expect(outcome[name] == "Operation_not_permitted", "\(name): \(outcome[name] ?? "-")")
          }
          for name in ["clone3", "clone_newuser", "unknown"] {
            #expect(outcome[name] == "Function_not_implemented", "\(name): \(outcome[name] ?? "-")")
          }
          for name in ["socket_vsock", "socket_packet"] {
            #expect(outcome[name] == "Address_family_not_supported_by_protocol", "\(name): \(outcome[name] ?? "-")")
          }
          for name in ["socket_inet", "socket_netlink_route", "getpid"] { #expect(outcome[name] == "ok") }
        } else {
          // Control: without the filter these succeed for nobody, so the filter is what refuses them.
          #expect(outcome["unshare_user"] == "ok" && outcome["io_uring_setup"] != "Operation_not_permitted")
          #expect(outcome["clone3"] == "Invalid_argument")
        }
      }
    }
  }

  /// ia32 calls by number and three arguments, and what they return.
  static let foreignProbe = """
    import mmap, ctypes
    m = mmap.mmap(-1, 4096, prot=7)
    # push rbx; mov eax, edi; mov ebx, esi; mov ecx, edx's copy; int 0x80; pop rbx; ret
    m.write(bytes([0x53, 0x41, 0x89, 0xd0, 0x89, 0xf8, 0x89, 0xf3, 0x44, 0x89, 0xc1, 0x89, 0xca, 0x31, 0xd2,
                   0xcd, 0x80, 0x5b, 0xc3]))
    f = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(
        ctypes.addressof(ctypes.c_char.from_buffer(m)))
    def call(name, *args):
        r = f(*args)
        print(name, 'ok' if r >= 0 else r, flush=True)
    call('getpid', 20, 0, 0)
    call('socket_inet', 359, 2, 1)
    call('socket_unix', 359, 1, 1)
    call('socket_alg', 359, 38, 5)
    call('socket_vsock', 359, 40, 1)
    call('socket_packet', 359, 17, 3)
    call('socketcall_socket', 102, 1, 0)
    call('unshare_user', 310, 0x10000000, 0)
    call('mount', 21, 0, 0)
    call('keyctl', 288, 0, 0)
    call('bpf', 357, 0, 0)
    call('clone_newuser', 120, 0x10000011, 0)
    call('tiocsti', 54, 0, 0x5412)
    call('unknown', 5000, 0, 0)
    """

  /// Where 32-bit programs are allowed they get what others get, no more.
  @Test func foreignCallsThatAreAllowedAreFilteredAlike() async throws {
    try await withSupervisor { fixture, client in
      let spec = try fixture.spec("foreign", Command("/usr/bin/python3", arguments: ["-c", Self.foreignProbe])) {
        $0.allowsForeignABI = true
      }
      _ = try await client.start(spec)
      let exit = try await client.exit(of: spec.id)
      #expect(exit.exitCode == 0, "\(fixture.log("foreign", "stderr"))")
      let outcomes = Dictionary(
        fixture.log("foreign").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
          .filter { $0.count == 2 }.map { ($0[0], $0[1]) }
      ) { $1 }
      let expected = [
        "getpid": "ok", "socket_inet": "ok", "socket_unix": "ok", "socket_alg": "-97", "socket_vsock": "-97",
        "socket_packet": "-97", "socketcall_socket": "-97", "unshare_user": "-1", "mount": "-1", "keyctl": "-1",
        "bpf": "-1", "clone_newuser": "-38", "tiocsti": "-1", "unknown": "-38",
      ]
      for (name, outcome) in expected { #expect(outcomes[name] == outcome, "\(name): \(outcomes[name] ?? "-")") }
    }
  }

  @Test func aForeignABICallKillsTheProcess() async throws {
    // mov eax, 20 (getpid of ia32); int 0x80; ret, in an executable mapping.
    let probe = """
      import mmap, ctypes
      m = mmap.mmap(-1, 4096, prot=7)
      m.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
      f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
      print('before', flush=True)
      print('after', f() > 0, flush=True)
      """
    try await withSupervisor { fixture, client in
      for filtered in [true, false] {
        let id = filtered ? "ia32" : "ia32open"
        let spec = try fixture.spec(id, Command("/usr/bin/python3", arguments: ["-c", probe])) {
          $0.seccomp = filtered ? .standard : .unconfined
        }
        _ = try await client.start(spec)
        let exit = try await client.exit(of: spec.id)
        if filtered {
          #expect(exit.signal == 31)  // SIGSYS
          #expect(fixture.log(id) == "before\n")
        } else {
          #expect(fixture.log(id) == "before\nafter True\n")
        }
      }
    }
  }
}
