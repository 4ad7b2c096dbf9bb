import Linux

// /proc, /sys and /dev of a task.
extension Child {
  /// A new procfs of the pid namespace. It is attached aside, where it can be masked, until the root is there.
  mutating func mountProc(hidePID: Bool) throws(SystemError) {
    // "2": processes of others are invisible. By number: Linux before 5.8 knows no names.
    let mount = try DetachedMount.create(
      type: "proc", options: hidePID ? [("hidepid", "2")] : [], attributes: [.noSetuid, .noDevices, .noExecute])
    let file = try attachAside(mount, Templates.proc)
    settings = OpenFile(try file.descriptor.open(beneath: "sys", [.path, .directory]))
    proc = file
  }

  mutating func mountSys() throws(SystemError) {
    let mount = try DetachedMount.create(type: "sysfs", attributes: [.readOnly, .noSetuid, .noDevices, .noExecute])
    sys = try attachAside(mount, Templates.sys)
  }

  private func attachAside(_ mount: consuming DetachedMount, _ name: String) throws(SystemError) -> OpenFile {
    try mount.attach(to: try FileDescriptor.open("\(resources.templates)/\(name)", [.path, .directory]))
    return OpenFile(mount.intoDescriptor())
  }

  /// Moves a mount that is attached aside into the root, with what covers parts of it.
  func place(_ mount: OpenFile?, at path: String) throws(SystemError) {
    guard let mount else { throw SystemError("move_mount", path, .badDescriptor, advice: "the plan mounts no \(path)") }
    try DetachedMount.attach(mountOf: mount.descriptor, to: try openTarget(path, directory: true, followLinks: false))
  }

  /// /sys/fs shows nothing but the task's own cgroup, read-only: runtimes look there for their limits.
  func showCgroup() throws(SystemError) {
    guard let target = try existing("fs", in: sys) else { return }
    let cover = try DetachedMount.clone(path: "\(resources.templates)/\(Templates.fileSystems)", recursive: false)
    try cover.set([.readOnly, .noSetuid, .noDevices, .noExecute])
    try cover.attach(to: target)
    for view in cgroups.views(resources.cgroup) {
      let mount = try DetachedMount.clone(path: view.directory, recursive: false)
      try mount.set([.readOnly, .noSetuid, .noDevices, .noExecute])
      let place = view.name.isEmpty ? "cgroup" : "cgroup/\(view.name)"
      try mount.attach(to: try cover.descriptor.open(beneath: place, [.path, .directory]))
    }
  }

  /// Covers a path with an empty file or directory of the runtime's own, never with the container's /dev/null. A path
  /// that this kernel does not have needs none.
  mutating func mask(_ masked: MaskedPath) throws(SystemError) {
    // First look: dropping a cover that has no place would cost a grace period.
    guard let mount = masked.inSys ? sys : proc, mount.descriptor.has(masked.path) else { return }
    do {
      try cover(masked.path, in: mount, isDirectory: masked.isDirectory)
    } catch  where error.errno == .invalidArgument {
      // The other kind.
      try cover(masked.path, in: mount, isDirectory: !masked.isDirectory)
    } catch {
      throw error
    }
  }

  private mutating func cover(_ path: String, in place: OpenFile, isDirectory: Bool) throws(SystemError) {
    let cover = try newCover(isDirectory: isDirectory)
    try cover.attach(toKernelPath: path, in: place.descriptor)
    if covers[isDirectory] == nil { covers[isDirectory] = OpenFile(cover.intoDescriptor()) }
  }

  /// A cover to attach. The first is made read-only; the others are copies of it.
  private func newCover(isDirectory: Bool) throws(SystemError) -> DetachedMount {
    if let first = covers[isDirectory] { return try DetachedMount.clone(first.descriptor, recursive: false) }
    let cover = try DetachedMount.clone(
      path: "\(resources.templates)/\(isDirectory ? Templates.emptyDirectory : Templates.emptyFile)", recursive: false)
    try cover.set([.readOnly, .noSetuid, .noDevices, .noExecute])
    return cover
  }

  func protect(_ path: String) throws(SystemError) {
    guard let proc, proc.descriptor.has(path) else { return }
    let itself = try DetachedMount.clone(kernelPath: path, in: proc.descriptor, recursive: true)
    try itself.set([.readOnly, .noSetuid, .noDevices, .noExecute], recursive: true)
    try itself.attach(toKernelPath: path, in: proc.descriptor)
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

  /// Writes a setting of one of the task's namespaces, which this process is in.
  func set(_ sysctl: Sysctl) throws(SystemError) {
    let path = sysctl.name.map { $0 == "." ? "/" : String($0) }.joined()
    do {
      try settings?.descriptor.open(beneath: path, [.writeOnly]).writeAll(Array(sysctl.value.utf8))
    } catch {
      throw SystemError("write sysctl", "\(sysctl.name) = \(sysctl.value)", error.errno)
    }
  }

  func allowUnprivilegedPorts() throws(SystemError) { try set(Sysctl("net.ipv4.ip_unprivileged_port_start", "0")) }
}
