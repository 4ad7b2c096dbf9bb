import Linux

// The root file system: the task directory, the chroot entries as overlays, the job's mounts, the pivot. Every mount is
// made detached, gets its attributes, and is attached to an object held by descriptor.
extension Child {
  /// Binds the task directory and attaches it; from here on `root` names the task's "/".
  mutating func openRoot(_ path: String) throws(SystemError) {
    let directory = try FileDescriptor.open(path, [.path, .directory])
    // Not recursive: nothing on the host is mounted below a task directory, and nothing shall come along.
    let mount = try DetachedMount.clone(directory, recursive: false)
    try mount.set([.noSetuid, .noDevices])
    try mount.attach(to: directory)
    root = OpenFile(mount.intoDescriptor())
  }

  /// The task's "/", for steps that come after `rootDirectory`.
  func rootFile() throws(SystemError) -> OpenFile {
    guard let root else { throw SystemError("use root", "/", .badDescriptor, advice: "the plan has no root step") }
    return root
  }

  /// Opens (O_PATH) the place for a mount, making what is missing. Links that lie in the tree are followed inside the
  /// root only where `followLinks`; what is made is made without following any.
  func openTarget(_ path: String, directory: Bool, followLinks: Bool) throws(SystemError) -> FileDescriptor {
    let relative = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    let root = try rootFile()
    let resolve: ResolveFlags = followLinks ? [.inRoot, .noMagicLinks] : [.inRoot, .noMagicLinks, .noSymlinks]
    let flags: OpenFlags = directory ? [.path, .directory] : [.path]
    do {
      return try root.descriptor.open(beneath: relative.joined(separator: "/"), flags, resolve: resolve)
    } catch {
      if error.errno == .noSuchFile {
        return try Self.makeTarget(relative, in: root.descriptor, directory: directory)
      }
      throw SystemError(
        "open mount point", path, error.errno, advice: "the task directory holds something else there: remove it")
    }
  }

  private static func makeTarget(
    _ components: [String], in root: borrowing FileDescriptor, directory: Bool
  ) throws(SystemError) -> FileDescriptor {
    var place = try root.open(beneath: ".", [.readOnly, .directory])
    for component in components.dropLast() {
      place = try place.ensureDirectory(component)
    }
    guard let last = components.last else { return place }
    if directory {
      _ = try place.ensureDirectory(last)
      return try place.open(beneath: last, [.path, .directory])
    }
    do {
      _ = try place.open(beneath: last, [.writeOnly, .create, .exclusive], permissions: 0o644)
    } catch {
      if error.errno != .fileExists { throw error }
    }
    return try place.open(beneath: last, [.path])
  }

  func addEntry(_ entry: ChrootEntry, layers: String) throws(SystemError) {
    let status: FileStatus
    do {
      status = try FileStatus.of(entry.source, followLink: false)
    } catch {
      // Not every host has /lib32 or /run/resolvconf.
      if error.errno == .noSuchFile || error.errno == .notDirectory { return }
      throw error
    }
    switch status.kind {
    case .symbolicLink: try addLink(entry)
    case .directory: try addOverlay(entry, permissions: status.permissions, layers: layers)
    case .regular:
      try addMount(.bind(entry.source, at: entry.target, readOnly: true))
    default:
      throw SystemError(
        "lay in", entry.source, .invalidArgument, advice: "it is neither a directory, a file nor a link")
    }
  }

  private func addLink(_ entry: ChrootEntry) throws(SystemError) {
    let components = entry.target.split(separator: "/").map(String.init)
    guard let name = components.last else { return }
    let host = try FileDescriptor.open(Files.parent(of: entry.source), [.readOnly, .directory])
    let text = try host.readSymbolicLink(String(entry.source.split(separator: "/").last ?? Substring(entry.source)))
    var place = try rootFile().descriptor.open(beneath: ".", [.readOnly, .directory])
    for component in components.dropLast() { place = try place.ensureDirectory(component) }
    do {
      try place.makeSymbolicLink(name, to: text)
    } catch {
      guard error.errno == .fileExists else { throw error }
      let there = try place.status(of: name)
      if there.kind == .symbolicLink, try place.readSymbolicLink(name) == text { return }
      try place.remove(name, directory: there.kind == .directory)
      try place.makeSymbolicLink(name, to: text)
    }
  }

  /// The host's directory below, the task's own layer above: the task may write, and the host never sees it.
  private func addOverlay(_ entry: ChrootEntry, permissions: UInt32, layers: String) throws(SystemError) {
    let target = try openTarget(entry.target, directory: true, followLinks: false)
    let layerName = Self.layerName(of: entry.target)
    do {
      let lower = try FileDescriptor.open(entry.source, [.path, .directory])
      let layer = "\(layers)/\(layerName)"
      try Files.makeDirectories(layer, permissions: 0o700)
      let place = try FileDescriptor.open(layer, [.readOnly, .directory, .noFollow])
      let upper = try place.ensureDirectory("upper")
      // The merged directory shows the upper layer's mode.
      try upper.setPermissions(permissions)
      let work = try place.ensureDirectory("work", permissions: 0o700)
      try overlay(entry, lower: lower, upper: upper, work: work).attach(to: target)
    } catch {
      throw SystemError(error.operation, "\(entry.source) at \(entry.target)", error.errno, advice: error.object)
    }
  }

  /// The overlay, or a read-only bind where this file system cannot be a layer; the latter is reported.
  private func overlay(
    _ entry: ChrootEntry, lower: borrowing FileDescriptor, upper: borrowing FileDescriptor,
    work: borrowing FileDescriptor
  ) throws(SystemError) -> DetachedMount {
    do {
      // Descriptor paths: no separator to escape, nothing to swap, and no host path in the task's mountinfo.
      return try DetachedMount.create(
        type: "overlay",
        options: [
          ("source", "overlay"), ("lowerdir", "/proc/self/fd/\(lower.number)"),
          ("upperdir", "/proc/self/fd/\(upper.number)"), ("workdir", "/proc/self/fd/\(work.number)"),
        ], attributes: [.noSetuid, .noDevices])
    } catch {
      send(
        Report(
          isFailure: false, step: .chrootEntry, errno: error.errno,
          object: "\(entry.source): no overlay is possible here (\(error.operation)); it is read-only in the task"))
    }
    let mount = try DetachedMount.clone(lower, recursive: true)
    try mount.set([.readOnly, .noSetuid, .noDevices], recursive: true)
    return mount
  }

  /// A directory name for the layer of a target path: distinct paths have distinct names.
  static func layerName(of target: String) -> String {
    target.split(separator: "/").map { component in
      component.map { $0 == "%" ? "%25" : String($0) }.joined()
    }.joined(separator: "%2F")
  }

  func addMount(_ mount: Mount) throws(SystemError) {
    switch mount.source {
    case .bind(let source):
      let object = try FileDescriptor.open(source, [.path])
      let isDirectory = try object.status().kind == .directory
      let target = try openTarget(mount.target, directory: isDirectory, followLinks: true)
      let detached = try DetachedMount.clone(object, recursive: mount.recursive)
      try detached.set(mount.attributes.union([.noSetuid, .noDevices]), recursive: mount.recursive)
      try detached.attach(to: target)
    case .temporary(let size, let permissions):
      let target = try openTarget(mount.target, directory: true, followLinks: true)
      let options: [(String, String?)] = [("size", "\(size)"), ("mode", String(permissions, radix: 8))]
      try temporary(options, mount.attributes.union([.noSetuid, .noDevices])).attach(to: target)
    }
  }

  private func temporary(_ options: [(String, String?)], _ attributes: MountAttributes) throws(SystemError)
    -> DetachedMount
  {
    do {
      return try DetachedMount.create(type: "tmpfs", options: options + [("noswap", nil)], attributes: attributes)
    } catch {
      // Linux before 6.4 has no noswap.
      if error.errno != .invalidArgument { throw error }
    }
    return try DetachedMount.create(type: "tmpfs", options: options, attributes: attributes)
  }

  mutating func pivot() throws(SystemError) {
    let root = try rootFile()
    try Myself.changeDirectory(root.descriptor)
    try MountTree.pivotToWorkingDirectory()
    isInRoot = true
    let now = try FileDescriptor.open("/", [.path, .directory]).status()
    let expected = try root.descriptor.status()
    if now.inode != expected.inode || now.device != expected.device {
      throw SystemError("pivot_root", "/", .protocolError, advice: "the root is not the task's directory")
    }
  }
}
