import Codec
import Glibc
import Isolation
import Linux

/// A program of Tests/Benchmarks/programs that starts a task for every line it is sent.
final class Launcher {
  private let child: Child

  private init(_ child: Child) { self.child = child }

  /// The least that a start can cost.
  static func floor(_ place: Place, name: String, entries: [ChrootEntry]) throws -> Launcher {
    let folder = "\(place.folder)/\(name)"
    try Files.makeDirectories(folder, permissions: 0o755)
    // In the floor's root everything lies where it lies on the host.
    return Launcher(
      try Child(
        "\(place.programs)/floor",
        [folder, Place.cgroup, "\(place.taskPrograms)/stamp"] + entries.map(\.source)))
  }

  /// crun with a root that is mounted of the same parts.
  /// - Parameter ownIDs: with a user namespace and a network of the task's own.
  static func crun(
    _ place: Place, name: String, entries: [ChrootEntry], ownIDs: Bool = false
  ) throws -> Launcher {
    let bundle = "\(place.folder)/\(name)"
    try Bundle(folder: bundle, entries: entries, ownIDs: ownIDs).write()
    return Launcher(
      try Child("\(place.programs)/launch", ["crun", "run", "--bundle", bundle, "@"], environment: Child.environment))
  }

  /// `crun exec` into a container of its own, which runs until `endContainer`.
  static func crunExec(_ place: Place, name: String, entries: [ChrootEntry]) throws -> Launcher {
    let bundle = "\(place.folder)/\(name)"
    try Bundle(folder: bundle, entries: entries, ownIDs: false, program: "pause").write()
    let container = "serai-bench-\(getpid())"
    let run = "crun run -d --bundle \(bundle) \(container) </dev/null >/dev/null && echo 1"
    let starter = Launcher(
      try Child("\(place.programs)/launch", ["sh", "-c", run], environment: Child.environment))
    try starter.child.write("\n")
    _ = try starter.child.line()
    starter.end()
    return Launcher(
      try Child(
        "\(place.programs)/launch", ["crun", "exec", container, "\(Place.programsInside)/stamp"],
        environment: Child.environment))
  }

  /// Removes the container of `crunExec`.
  static func endContainer(_ place: Place) {
    let remove = "crun delete -f serai-bench-\(getpid()) >/dev/null 2>&1; echo 1"
    guard let child = try? Child("\(place.programs)/launch", ["sh", "-c", remove], environment: Child.environment)
    else { return }
    try? child.write("\n")
    _ = try? child.line()
    child.end(SIGTERM)
  }

  /// From the request to the task's first instruction, in nanoseconds.
  func start() throws -> Int64 {
    let times = try times()
    return times[1] - times[0]
  }

  /// From the request until the command has ended, in nanoseconds.
  func roundTrip() throws -> Int64 {
    let times = try times()
    guard times.count == 3 else { throw Failure("a launcher answered without the end") }
    return times[2] - times[0]
  }

  private func times() throws -> [Int64] {
    try child.write("\n")
    let times = try child.line().split(separator: " ").compactMap { Int64($0) }
    guard times.count >= 2, times[1] > times[0] else { throw Failure("a launcher answered without two times") }
    return times
  }

  func end() { child.end(SIGTERM) }
}

/// An OCI bundle whose task gets what the exec driver gives one: the same root, namespaces, limits and user.
private struct Bundle {
  let folder: String
  let entries: [ChrootEntry]
  let ownIDs: Bool
  var program = "stamp"

  func write() throws {
    let root = folder + "/rootfs"
    var mounts: [JSONValue] = [
      mount("/proc", "proc", ["nosuid", "nodev", "noexec"]),
      mount("/sys", "sysfs", ["nosuid", "nodev", "noexec", "ro"]),
      mount("/dev", "tmpfs", ["nosuid", "mode=755", "size=64k"]),
      mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
      mount("/dev/shm", "tmpfs", ["nosuid", "nodev", "noexec", "mode=1777", "size=64m"]),
      mount("/dev/mqueue", "mqueue", ["nosuid", "nodev", "noexec"]),
    ]
    for (number, entry) in entries.enumerated() {
      guard let status = try? FileStatus.of(entry.source, followLink: false) else { continue }
      if status.kind == .symbolicLink {
        let target = String(decoding: try link(entry.source), as: UTF8.self)
        try Files.makeDirectories(root, permissions: 0o755)
        try FileDescriptor.open(root, [.directory]).makeSymbolicLink(String(entry.target.dropFirst()), to: target)
      } else {
        let layer = "\(folder)/layers/\(number)"
        for path in [root + entry.target, layer + "/upper", layer + "/work"] {
          try Files.makeDirectories(path, permissions: 0o755)
        }
        mounts.append(
          mount(
            entry.target, "overlay",
            ["lowerdir=\(entry.source)", "upperdir=\(layer)/upper", "workdir=\(layer)/work", "nosuid", "nodev"]))
      }
    }
    try Files.makeDirectories(root + "/alloc", permissions: 0o755)
    mounts.append(mount("/alloc", "bind", ["bind", "nosuid", "nodev"], source: folder))
    try Files.replace("\(folder)/config.json", with: JSON.encode(configuration(mounts)), permissions: 0o644)
    if ownIDs { _ = try Child.output(of: "/bin/chown", ["-R", "\(Self.firstID):\(Self.firstID)", folder]) }
  }

  private static let firstID: Int64 = 1_000_000

  private func link(_ path: String) throws -> [UInt8] {
    let name = String(path.split(separator: "/").last ?? "")
    return Array(try FileDescriptor.open(Files.parent(of: path), [.directory]).readSymbolicLink(name).utf8)
  }

  private func mount(_ target: String, _ type: String, _ options: [String], source: String? = nil) -> JSONValue {
    [
      "destination": .string(target), "type": .string(type), "source": .string(source ?? type),
      "options": .array(options.map { .string($0) }),
    ]
  }

  private var namespaces: [String] {
    ["mount", "pid", "ipc", "uts", "cgroup"] + (ownIDs ? ["user", "network"] : [])
  }

  private func configuration(_ mounts: [JSONValue]) -> JSONObject {
    let capabilities: JSONValue = .array(["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"])
    let masked = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"]
    let readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    let refused = [
      "kexec_load", "init_module", "finit_module", "delete_module", "bpf", "mount", "umount2", "pivot_root", "swapon",
      "swapoff", "reboot", "settimeofday", "clock_settime", "ptrace", "keyctl", "add_key", "request_key",
      "userfaultfd", "perf_event_open", "open_by_handle_at", "acct", "iopl", "ioperm", "quotactl", "setns", "unshare",
    ]
    return [
      "ociVersion": "1.0.2",
      "process": [
        "terminal": false, "user": ["uid": 65534, "gid": 65534], "cwd": "/", "env": ["PATH=/usr/bin:/bin"],
        "args": [.string("\(Place.programsInside)/\(program)")], "noNewPrivileges": true,
        "capabilities": ["bounding": capabilities],
      ],
      "root": ["path": "rootfs", "readonly": false], "hostname": "task", "mounts": .array(mounts),
      "linux": [
        "cgroupsPath": .string("/\(Place.cgroup)/\(ownIDs ? "crun-own" : "crun")"),
        "namespaces": namespaces.map { ["type": .string($0)] }.asValue,
        "uidMappings": ownIDs ? [["containerID": 0, "hostID": .int(Self.firstID), "size": 65_536]] : [],
        "gidMappings": ownIDs ? [["containerID": 0, "hostID": .int(Self.firstID), "size": 65_536]] : [],
        "resources": [
          "memory": ["limit": 67_108_864], "cpu": ["shares": 100], "pids": ["limit": 4096],
          "devices": [["allow": false, "access": "rwm"]],
        ],
        "maskedPaths": .array(masked.map { .string($0) }), "readonlyPaths": .array(readOnly.map { .string($0) }),
        "seccomp": [
          "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
          "syscalls": [["names": .array(refused.map { .string($0) }), "action": "SCMP_ACT_ERRNO"]],
        ],
      ],
    ]
  }
}

extension [JSONValue] {
  fileprivate var asValue: JSONValue { .array(self) }
}
