internal import CLinux

/// A process named by descriptor (pidfd_open(2)): never another one that got the same number later.
public struct ProcessHandle: ~Copyable, Sendable {
  /// Readable when the process has ended.
  public let descriptor: FileDescriptor

  /// Takes over a pidfd.
  public init(adopting descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

  /// pidfd_open(2).
  public static func open(pid: Int32) throws(SystemError) -> ProcessHandle {
    ProcessHandle(adopting: FileDescriptor(adopting: try check(serai_pidfd_open(pid), "pidfd_open", "\(pid)")))
  }

  /// pidfd_send_signal(2).
  public borrowing func signal(_ signal: Int32) throws(SystemError) {
    try check(serai_pidfd_signal(descriptor.number, signal), "pidfd_send_signal", "signal \(signal)")
  }

  /// kill(2) of the process group that the process leads; ESRCH when it leads none. As long as the process has not been
  /// reaped, its number cannot be another group's.
  public borrowing func signalGroup(_ signal: Int32) throws(SystemError) {
    let path = "/proc/self/fdinfo/\(descriptor.number)"
    let line = try Files.readText(path).split(separator: "\n").first { $0.hasPrefix("Pid:") }
    // -1 stands for a process that has been reaped.
    guard let pid = line.flatMap({ Int32($0.dropFirst(4).filter { $0 != "\t" }) }), pid > 1 else {
      throw SystemError("kill group", path, .noSuchProcess)
    }
    try check(serai_kill(-pid, signal), "kill", "process group \(pid)")
  }

  /// waitid(2) without waiting: the status of a child that has ended (it is reaped), nil while it runs.
  ///
  /// - Throws: ECHILD when it is no child of ours.
  public borrowing func reap() throws(SystemError) -> WaitStatus? {
    var status: Int32 = 0
    let done = try check(serai_pidfd_wait(descriptor.number, &status), "waitid")
    return done == 1 ? WaitStatus(rawValue: status) : nil
  }

  /// PIDFD_GET_INFO (Linux 6.15): the status of a process that is no child of ours and has been reaped by its parent.
  /// The handle must have been opened before it ended. nil while it has not been reaped.
  public borrowing func statusOfStranger() throws(SystemError) -> WaitStatus? {
    var status: Int32 = 0
    let done = try check(serai_pidfd_exit_status(descriptor.number, &status), "PIDFD_GET_INFO")
    return done == 1 ? WaitStatus(rawValue: status) : nil
  }
}

/// How a process ended, as wait(2) encodes it.
public struct WaitStatus: RawRepresentable, Hashable, Sendable {
  /// The status word of wait(2).
  public let rawValue: Int32
  /// Wraps a status word.
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// The exit code when it ended by itself.
  public var exitCode: Int32? { rawValue & 0x7f == 0 ? (rawValue >> 8) & 0xff : nil }
  /// The signal that killed it.
  public var signal: Int32? { rawValue & 0x7f == 0 ? nil : rawValue & 0x7f }
  /// Whether a core was dumped.
  public var dumpedCore: Bool { rawValue & 0x80 != 0 }
}

/// The outcome of `cloneProcess`.
public enum CloneResult: ~Copyable {
  /// In the new process.
  case child
  /// In the caller: the child's pid and descriptor.
  case parent(pid: Int32, handle: ProcessHandle)
}

/// clone3(2): continues in two processes, the new one in new namespaces and, with `cgroup`, in that v2 cgroup.
///
/// Like fork(2), but nothing of the C library runs in between. Call it only from a process all of whose other threads
/// take no locks (see serai_process.h): the child can then run Swift code until it calls exec or `exitNow`.
public func cloneProcess(namespaces: Namespaces, cgroup: Int32? = nil) throws(SystemError) -> CloneResult {
  var pidfd: Int32 = -1
  let pid = try check(
    serai_clone(namespaces.rawValue, cgroup ?? -1, &pidfd), "clone3",
    advice: "namespaces need root and a kernel that has them")
  if pid == 0 { return .child }
  return .parent(pid: pid, handle: ProcessHandle(adopting: FileDescriptor(adopting: pidfd)))
}

/// clone3(2) with CLONE_PARENT: like `cloneProcess`, but the new process is a child of the caller's parent, in the pid
/// namespace that the caller has joined.
public func cloneSibling() throws(SystemError) -> CloneResult {
  var pidfd: Int32 = -1
  let pid = try check(serai_clone_sibling(&pidfd), "clone3", advice: "the pid namespace's first process may have ended")
  if pid == 0 { return .child }
  return .parent(pid: pid, handle: ProcessHandle(adopting: FileDescriptor(adopting: pidfd)))
}

/// Ends the process at once (_exit(2)).
public func exitNow(_ code: Int32) -> Never { serai_exit(code) }

/// Calls that change this process. All of them act on the calling thread alone or need a process with one thread.
public enum Myself {
  /// Blocks exactly these signals.
  public static func blockSignals(_ signals: [Int32]) throws(SystemError) {
    try check(serai_block_signals(signals.reduce(into: 0) { $0 |= 1 << UInt64($1 - 1) }), "sigprocmask")
  }
  /// SIG_DFL for every signal.
  public static func resetSignalDispositions() { serai_reset_dispositions() }
  /// SIG_DFL for SIGPIPE.
  public static func defaultBrokenPipes() { serai_default_sigpipe() }
  /// SIG_IGN for SIGPIPE.
  public static func ignoreBrokenPipes() { serai_ignore_sigpipe() }
  /// setsid(2).
  public static func newSession() throws(SystemError) { try check(serai_setsid(), "setsid") }
  /// setns(2).
  public static func join(_ namespace: borrowing FileDescriptor, _ kinds: Namespaces) throws(SystemError) {
    try check(serai_setns(namespace.number, Int32(truncatingIfNeeded: kinds.rawValue)), "setns")
  }
  /// unshare(2).
  public static func unshare(_ kinds: Namespaces) throws(SystemError) {
    try check(serai_unshare(kinds.rawValue), "unshare")
  }
  /// sethostname(2).
  public static func setHostname(_ name: String) throws(SystemError) {
    try check(serai_sethostname(name, name.utf8.count), "sethostname", name)
  }
  /// chdir(2).
  public static func changeDirectory(_ path: String) throws(SystemError) { try check(serai_chdir(path), "chdir", path) }
  /// fchdir(2).
  public static func changeDirectory(_ directory: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_fchdir(directory.number), "fchdir", "fd \(directory.number)")
  }
  /// getcwd(2) as the kernel says it: "(unreachable)/x" for a place outside the root.
  public static func workingDirectory() throws(SystemError) -> String {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      result = buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { serai_getcwd($0, 4096) } ?? 0 }
      count = max(result, 0)
    }
    try check(result, "getcwd")
    return String(decoding: bytes, as: UTF8.self)
  }
  /// umask(2): returns the old one.
  @discardableResult
  public static func setUmask(_ mask: UInt32) -> UInt32 { serai_umask(mask) }
  /// dup3(2) to a fixed number; O_CLOEXEC is off on it.
  public static func place(_ fd: Int32, at target: Int32) throws(SystemError) {
    if fd == target {
      try check(serai_set_cloexec(fd, 0), "fcntl F_SETFD", "fd \(fd)")
    } else {
      try check(serai_dup3(fd, target, 0), "dup3", "fd \(fd)")
    }
  }
  /// FD_CLOEXEC on a number.
  public static func setCloseOnExec(_ fd: Int32) throws(SystemError) {
    try check(serai_set_cloexec(fd, 1), "fcntl F_SETFD", "fd \(fd)")
  }
  /// close_range(2) from `first` up.
  public static func closeDescriptors(from first: UInt32) throws(SystemError) {
    try check(serai_close_range(first, .max), "close_range")
  }
  /// setgroups(2).
  public static func setGroups(_ groups: [UInt32]) throws(SystemError) {
    try check(groups.withUnsafeBufferPointer { serai_setgroups($0.count, $0.baseAddress) }, "setgroups")
  }
  /// setresgid(2), all three.
  public static func setGroup(_ gid: UInt32) throws(SystemError) {
    try check(serai_setresgid(gid), "setresgid", "\(gid)")
  }
  /// setresuid(2), all three.
  public static func setUser(_ uid: UInt32) throws(SystemError) {
    try check(serai_setresuid(uid), "setresuid", "\(uid)")
  }
  /// PR_SET_KEEPCAPS.
  public static func keepCapabilities(_ on: Bool) throws(SystemError) {
    try check(serai_keep_capabilities(on ? 1 : 0), "prctl PR_SET_KEEPCAPS")
  }
  /// PR_CAPBSET_DROP; false for a number that the kernel does not know.
  public static func dropFromBoundingSet(_ capability: Int32) throws(SystemError) -> Bool {
    let result = serai_bounding_drop(capability)
    if result == -Errno.invalidArgument.rawValue { return false }
    try check(result, "prctl PR_CAPBSET_DROP", "\(capability)")
    return true
  }
  /// capset(2) with bit masks.
  public static func setCapabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64) throws(SystemError) {
    try check(serai_capset(effective, permitted, inheritable), "capset")
  }
  /// capget(2).
  public static func capabilities() throws(SystemError) -> (effective: UInt64, permitted: UInt64, inheritable: UInt64) {
    var e: UInt64 = 0
    var p: UInt64 = 0
    var i: UInt64 = 0
    try check(serai_capget(&e, &p, &i), "capget")
    return (e, p, i)
  }
  /// PR_CAP_AMBIENT_CLEAR_ALL.
  public static func clearAmbientCapabilities() throws(SystemError) {
    try check(serai_ambient_clear(), "prctl PR_CAP_AMBIENT")
  }
  /// PR_CAP_AMBIENT_RAISE.
  public static func raiseAmbientCapability(_ capability: Int32) throws(SystemError) {
    try check(serai_ambient_raise(capability), "prctl PR_CAP_AMBIENT_RAISE", "\(capability)")
  }
  /// PR_SET_NO_NEW_PRIVS.
  public static func setNoNewPrivileges() throws(SystemError) {
    try check(serai_no_new_privileges(), "prctl PR_SET_NO_NEW_PRIVS")
  }
  /// PR_SET_DUMPABLE.
  public static func setDumpable(_ on: Bool) throws(SystemError) {
    try check(serai_set_dumpable(on ? 1 : 0), "prctl PR_SET_DUMPABLE")
  }
  /// PR_SET_NAME, cut to 15 bytes by the kernel.
  public static func setName(_ name: String) { _ = serai_set_name(name) }
  /// setrlimit(2) by resource number; `UInt64.max` is no limit.
  public static func setLimit(_ resource: Int32, soft: UInt64, hard: UInt64) throws(SystemError) {
    try check(serai_setrlimit(resource, soft, hard), "setrlimit", "resource \(resource)")
  }
  /// getrlimit(2).
  public static func limit(_ resource: Int32) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    try check(serai_getrlimit(resource, &soft, &hard), "getrlimit", "resource \(resource)")
    return (soft, hard)
  }
  /// seccomp(2) SECCOMP_SET_MODE_FILTER with a compiled program (8 bytes an instruction). With `logging` the kernel's
  /// audit log names the calls that it does not allow.
  public static func installFilter(_ program: [UInt8], logging: Bool = false) throws(SystemError) {
    let result = program.withUnsafeBytes { bytes in
      bytes.baseAddress.map { serai_seccomp($0, UInt16(bytes.count / 8), logging ? 1 : 0) } ?? -22
    }
    try check(result, "seccomp", "\(program.count / 8) instructions")
  }
  /// Whether access(2) with the effective ids allows executing a path; nil or why not.
  public static func refusalToExecute(_ path: String) -> Errno? {
    let result = serai_faccessat(SERAI_AT_FDCWD.intValue, path, 1, SERAI_AT_EACCESS.intValue)
    return result < 0 ? Errno(rawValue: -result) : nil
  }

  /// execveat(2) of an open file, or execve(2) of a path: returns only by throwing.
  public static func execute(_ program: Program, arguments: [String], environment: [String]) throws(SystemError)
    -> Never
  {
    let result = withCStrings(arguments) { argv in
      withCStrings(environment) { envp in
        switch program {
        case .path(let path): serai_execveat(SERAI_AT_FDCWD.intValue, path, argv, envp, 0)
        case .file(let fd): serai_execveat(fd, "", argv, envp, SERAI_AT_EMPTY_PATH.intValue)
        }
      }
    }
    throw SystemError("execve", "\(program)", Errno(rawValue: -result))
  }
}

/// What to execute.
public enum Program: Sendable, CustomStringConvertible {
  /// A path.
  case path(String)
  /// An open file.
  case file(Int32)

  /// For messages.
  public var description: String {
    switch self {
    case .path(let path): path
    case .file(let fd): "fd \(fd)"
    }
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var storage: [UInt8] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(storage.count)
    storage.append(contentsOf: string.utf8)
    storage.append(0)
  }
  storage.append(0)
  return storage.withUnsafeMutableBytes { bytes in
    let chars = bytes.bindMemory(to: CChar.self)
    var pointers: [UnsafeMutablePointer<CChar>?] = offsets.map { offset in chars.baseAddress.map { $0 + offset } }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { buffer in
      // An array of at least one element has a base address.
      body(buffer.baseAddress.unsafelyUnwrapped)
    }
  }
}
