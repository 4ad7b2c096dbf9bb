public import Linux

// /dev of a task.
extension Child {
  /// /dev is a read-only view of one directory that all tasks share, or, for a task with devices of its own, one of its
  /// own; pts, shm and mqueue are always the task's own.
  func mountDevices(sharedMemoryBytes: UInt64, ipc: Bool, own: [DeviceNode]) throws(SystemError) {
    let target = try openTarget("/dev", directory: true, followLinks: false)
    if own.isEmpty {
      let devices = try DetachedMount.clone(path: "\(resources.templates)/\(Templates.devices)", recursive: false)
      // /run is mainly mounted nodev; a device node on a read-only mount can be used, but not chmod'ed.
      try devices.set([.readOnly, .noSetuid, .noExecute], clearing: [.noDevices])
      // Only for the looks: where it cannot be, the nodes belong to "nobody", and anyone may use them all the same.
      try? mapIDs(of: devices)
      try devices.attach(to: target)
    } else {
      try makeDevices(own, at: target)
    }
    // A group of the terminals as programs expect it, tty; as the task sees it. The host has a number of terminals
    // (kernel.pty.max) for all tasks together: one task must not take them all.
    try mountBelowDev(
      "pts", type: "devpts",
      options: [("newinstance", nil), ("ptmxmode", "0666"), ("mode", "0620"), ("gid", "\(hostID(5))"), ("max", "256")],
      attributes: [.noSetuid, .noExecute])
    try mountBelowDev(
      "shm", type: "tmpfs", options: [("mode", "1777"), ("size", "\(sharedMemoryBytes)")] + taskOwner,
      attributes: [.noSetuid, .noDevices, .noExecute])
    // A message queue file system shows the IPC namespace of its maker: only a task's own may be shown.
    if ipc {
      try mountBelowDev("mqueue", type: "mqueue", options: [], attributes: [.noSetuid, .noDevices, .noExecute])
    }
  }

  /// Options that make a tmpfs belong to the task's root.
  var taskOwner: [(String, String?)] {
    firstID == 0 ? [] : [("uid", "\(firstID)"), ("gid", "\(firstID)")]
  }

  private func mountBelowDev(
    _ name: String, type: String, options: [(String, String?)], attributes: MountAttributes
  ) throws(SystemError) {
    let target = try openTarget("/dev/\(name)", directory: true, followLinks: false)
    try DetachedMount.create(type: type, options: options, attributes: attributes).attach(to: target)
  }

  /// A tmpfs with the standard nodes, bound one by one, and the job's. Nothing is made with mknod: the nodes are the
  /// host's, and which may be opened is the cgroup's rule.
  private func makeDevices(_ own: [DeviceNode], at target: borrowing FileDescriptor) throws(SystemError) {
    let mount = try DetachedMount.create(
      type: "tmpfs", options: [("mode", "755"), ("size", "65536"), ("nr_inodes", "256")] + taskOwner,
      attributes: [.noSetuid, .noExecute])
    try mount.attach(to: target)
    let template = try FileDescriptor.open("\(resources.templates)/\(Templates.devices)", [.readOnly, .directory])
    for entry in try template.entries() {
      switch entry.kind {
      case .characterDevice:
        try bind(device: try template.open(beneath: entry.name, [.path]), at: "/dev/\(entry.name)", readOnly: false)
      case .symbolicLink:
        try mount.descriptor.open(beneath: ".", [.readOnly, .directory])
          .makeSymbolicLink(entry.name, to: try template.readSymbolicLink(entry.name))
      default:
        try mount.descriptor.open(beneath: ".", [.readOnly, .directory]).makeDirectory(entry.name)
      }
    }
    for device in own {
      let node = try FileDescriptor.open(device.source, [.path])
      let kind = try node.status().kind
      guard kind == .characterDevice || kind == .blockDevice else {
        throw SystemError("lay in device", device.source, .noDevice, advice: "it is no device node")
      }
      try bind(device: node, at: device.target, readOnly: device.isReadOnly)
    }
    try mount.set([.readOnly])
  }

  private func bind(device: borrowing FileDescriptor, at path: String, readOnly: Bool) throws(SystemError) {
    let node = try DetachedMount.clone(device, recursive: false)
    try node.set(readOnly ? [.readOnly, .noSetuid, .noExecute] : [.noSetuid, .noExecute], clearing: [.noDevices])
    try node.attach(to: try openTarget(path, directory: false, followLinks: false))
  }
}

/// What all tasks share read-only: the device nodes of /dev and the covers for masked paths. They are plain files in a
/// root-only directory of the host, of which every task mounts its own read-only view: the host has no mount for them.
public enum Templates {
  static let devices = "dev"
  static let emptyFile = "empty"
  static let emptyDirectory = "void"
  /// Covers /sys/fs: a directory for the cgroup's view and nothing else.
  static let fileSystems = "fs"
  /// Where the layers of overlays are attached until the old root goes.
  static let stage = "stage"
  /// Where a task's /proc and /sys are attached while they are built.
  static let proc = "proc"
  static let sys = "sys"

  private static let nodes: [(String, UInt32, UInt32)] = [
    ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
  ]
  private static let links = [
    ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
  ]
  /// What every task has in /dev.
  static let deviceNames: Set<String> = Set(nodes.map(\.0) + links.map(\.0) + ["pts", "shm", "mqueue"])

  /// Makes what is missing below an existing directory that only root can enter.
  public static func prepare(at path: String, cgroups: any CgroupDriver) throws(SystemError) {
    let root = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    let mask = Myself.setUmask(0)
    defer { Myself.setUmask(mask) }
    _ = try root.open(beneath: emptyFile, [.readOnly, .create], permissions: 0o444)
    _ = try root.ensureDirectory(emptyDirectory, permissions: 0o555)
    for name in [stage, proc, sys] { _ = try root.ensureDirectory(name, permissions: 0o700) }
    let groups = try root.ensureDirectory(fileSystems).ensureDirectory("cgroup")
    let names = Set(try groups.entries().map(\.name))
    for view in cgroups.views("") where !view.name.isEmpty {
      _ = try groups.ensureDirectory(view.name)
      // Controllers that share a hierarchy have a link each, as on the host.
      let parts = view.name.split(separator: ",").map(String.init)
      for part in parts where parts.count > 1 && !names.contains(part) {
        try groups.makeSymbolicLink(part, to: view.name)
      }
    }
    let dev = try root.ensureDirectory(devices)
    let there = Set(try dev.entries().map(\.name))
    for (name, major, minor) in nodes where !there.contains(name) {
      try dev.makeCharacterDevice(name, permissions: 0o666, major: major, minor: minor)
    }
    for (name, target) in links where !there.contains(name) { try dev.makeSymbolicLink(name, to: target) }
    for name in ["pts", "shm", "mqueue"] { _ = try dev.ensureDirectory(name) }
  }
}
