public import Linux

// /proc, /sys and /dev of a task.
extension Child {
  mutating func mountProc() throws(SystemError) {
    let target = try openTarget("/proc", directory: true, followLinks: false)
    let mount = try DetachedMount.create(type: "proc", attributes: [.noSetuid, .noDevices, .noExecute])
    try mount.attach(to: target)
    proc = OpenFile(mount.intoDescriptor())
  }

  mutating func mountSys() throws(SystemError) {
    let target = try openTarget("/sys", directory: true, followLinks: false)
    let mount = try DetachedMount.create(type: "sysfs", attributes: [.readOnly, .noSetuid, .noDevices, .noExecute])
    try mount.attach(to: target)
    sys = OpenFile(mount.intoDescriptor())
  }

  /// Covers a path with an empty file or directory of the runtime's own, never with the container's /dev/null.
  func mask(_ masked: MaskedPath) throws(SystemError) {
    guard let target = try existing(masked.path, in: masked.inSys ? sys : proc) else { return }
    let isDirectory = try target.status().kind == .directory
    let cover = try DetachedMount.clone(
      path: "\(resources.templates)/\(isDirectory ? Templates.emptyDirectory : Templates.emptyFile)", recursive: false)
    try cover.set([.readOnly, .noSetuid, .noDevices, .noExecute])
    try cover.attach(to: target)
  }

  func protect(_ path: String) throws(SystemError) {
    guard let target = try existing(path, in: proc) else { return }
    let itself = try DetachedMount.clone(target, recursive: true)
    try itself.set([.readOnly, .noSetuid, .noDevices, .noExecute], recursive: true)
    try itself.attach(to: target)
  }

  /// A path of the new /proc or /sys; nil when this kernel does not have it.
  private func existing(_ path: String, in mount: OpenFile?) throws(SystemError) -> FileDescriptor? {
    do {
      return try mount?.descriptor.open(beneath: path, [.path])
    } catch {
      if error.errno == .noSuchFile { return nil }
      throw error
    }
  }

  /// /dev is a read-only view of one directory that all tasks share; pts, shm and mqueue are the task's own.
  func mountDevices(sharedMemoryBytes: UInt64, ipc: Bool) throws(SystemError) {
    let target = try openTarget("/dev", directory: true, followLinks: false)
    let devices = try DetachedMount.clone(path: "\(resources.templates)/\(Templates.devices)", recursive: false)
    // /run is mainly mounted nodev; a device node on a read-only mount can be used, but not chmod'ed.
    try devices.set([.readOnly, .noSetuid, .noExecute], clearing: [.noDevices])
    try devices.attach(to: target)
    // The host has a number of terminals (kernel.pty.max) for all instances together: one task must not take them all.
    try mountBelowDev(
      "pts", type: "devpts",
      options: [("newinstance", nil), ("ptmxmode", "0666"), ("mode", "0620"), ("gid", "5"), ("max", "256")],
      attributes: [.noSetuid, .noExecute])
    try mountBelowDev(
      "shm", type: "tmpfs", options: [("mode", "1777"), ("size", "\(sharedMemoryBytes)")],
      attributes: [.noSetuid, .noDevices, .noExecute])
    // A message queue file system shows the IPC namespace of its maker: only a task's own may be shown.
    if ipc {
      try mountBelowDev("mqueue", type: "mqueue", options: [], attributes: [.noSetuid, .noDevices, .noExecute])
    }
  }

  private func mountBelowDev(
    _ name: String, type: String, options: [(String, String?)], attributes: MountAttributes
  ) throws(SystemError) {
    let target = try openTarget("/dev/\(name)", directory: true, followLinks: false)
    try DetachedMount.create(type: type, options: options, attributes: attributes).attach(to: target)
  }
}

/// What all tasks share read-only: the device nodes of /dev and the covers for masked paths. They are plain files in a
/// root-only directory of the host, of which every task mounts its own read-only view: the host has no mount for them.
public enum Templates {
  static let devices = "dev"
  static let emptyFile = "empty"
  static let emptyDirectory = "void"

  /// Makes what is missing below an existing directory that only root can enter.
  public static func prepare(at path: String) throws(SystemError) {
    let root = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    let mask = Myself.setUmask(0)
    defer { Myself.setUmask(mask) }
    _ = try root.open(beneath: emptyFile, [.readOnly, .create], permissions: 0o444)
    _ = try root.ensureDirectory(emptyDirectory, permissions: 0o555)
    let dev = try root.ensureDirectory(devices)
    let there = Set(try dev.entries().map(\.name))
    for (name, major, minor) in [
      ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ] where !there.contains(name) {
      try dev.makeCharacterDevice(name, permissions: 0o666, major: UInt32(major), minor: UInt32(minor))
    }
    for (name, target) in [
      ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
      ("stderr", "/proc/self/fd/2"),
    ] where !there.contains(name) {
      try dev.makeSymbolicLink(name, to: target)
    }
    for name in ["pts", "shm", "mqueue"] { _ = try dev.ensureDirectory(name) }
  }
}
