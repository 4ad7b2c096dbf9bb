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
    try mapIDs(of: mount)
    try mount.attach(to: directory)
    taskDirectory = OpenFile(directory)
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
        return try asTaskRoot { () throws(SystemError) in
          try Self.makeTarget(relative, in: root.descriptor, directory: directory)
        }
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

  func addEntry(_ entry: ChrootEntry, layers: String, readOnly: Bool) throws(SystemError) {
    if let text = try Files.readLink(entry.source) {
      return try asTaskRoot { () throws(SystemError) in try addLink(entry, text) }
    }
    let status: FileStatus
    do {
      status = try FileStatus.of(entry.source, followLink: false)
    } catch {
      // Not every host has /lib32 or /run/resolvconf.
      if error.errno == .noSuchFile || error.errno == .notDirectory { return }
      throw error
    }
    switch status.kind {
    case .directory:
      if readOnly { try addReadOnly(entry) } else { try addOverlay(entry, status, layers: layers) }
    case .regular: try addFile(entry)
    default:
      throw SystemError(
        "lay in", entry.source, .invalidArgument, advice: "it is neither a directory, a file nor a link")
    }
  }

  private func addLink(_ entry: ChrootEntry, _ text: String) throws(SystemError) {
    let components = entry.target.split(separator: "/").map(String.init)
    guard let name = components.last else { return }
    // There from an earlier start.
    if components.count == 1, let there = try? rootFile().descriptor.readSymbolicLink(name), there == text { return }
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

  private func addFile(_ entry: ChrootEntry) throws(SystemError) {
    let target = try openTarget(entry.target, directory: false, followLinks: false)
    let mount = try lower(entry, try FileDescriptor.open(entry.source, [.path]), recursive: false)
    try mount.set([.readOnly, .noSetuid, .noDevices])
    try mount.attach(to: target)
  }

  /// The host's directory below, the task's own layer above: the task may write, and the host never sees it.
  private func addOverlay(_ entry: ChrootEntry, _ status: FileStatus, layers: String) throws(SystemError) {
    let target = try openTarget(entry.target, directory: true, followLinks: false)
    let layerName = Self.layerName(of: entry.target)
    do {
      let lower = try FileDescriptor.open(entry.source, [.path, .directory])
      let layer = "\(layers)/\(layerName)"
      let place = try Self.ensureLayer(layer, like: status)
      try overlay(entry, lower: lower, layer: place).attach(to: target)
    } catch {
      throw SystemError(error.operation, "\(entry.source) at \(entry.target)", error.errno, advice: error.object)
    }
  }

  /// The directory of an overlay's upper layer, which the merged directory takes its mode and owner from.
  private static func ensureLayer(_ path: String, like status: FileStatus) throws(SystemError) -> FileDescriptor {
    do {
      let there = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
      _ = try there.status(of: "work")
      return there
    } catch {
      if error.errno != .noSuchFile { throw error }
    }
    try Files.makeDirectories(path, permissions: 0o700)
    let place = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    let upper = try place.ensureDirectory("upper")
    try upper.setOwner(uid: status.uid, gid: status.gid)
    try upper.setPermissions(status.permissions)
    _ = try place.ensureDirectory("work", permissions: 0o700)
    return place
  }

  /// A copy of the host's mount with the task's ids; with the host's, which the task sees as "nobody", where the file
  /// system cannot map them (an overlay, a network file system).
  private func lower(_ entry: ChrootEntry, _ object: borrowing FileDescriptor, recursive: Bool) throws(SystemError)
    -> DetachedMount
  {
    let mount = try DetachedMount.clone(object, recursive: recursive)
    do {
      try mapIDs(of: mount)
    } catch {
      guard error.errno == .invalidArgument || error.errno == .notPermitted else { throw error }
      let what = "\(entry.source): its file system cannot map ids; its files belong to \"nobody\" in the task"
      send(Report(isFailure: false, step: .chrootEntry, errno: error.errno, object: what))
    }
    return mount
  }

  /// The overlay, or a read-only bind where this file system cannot be a layer; the latter is reported.
  private func overlay(
    _ entry: ChrootEntry, lower object: borrowing FileDescriptor, layer place: borrowing FileDescriptor
  ) throws(SystemError) -> DetachedMount {
    if userNamespace == nil {
      do {
        return try Self.overlay(
          lower: object, upper: try place.open(beneath: "upper", [.path, .directory]),
          work: try place.open(beneath: "work", [.path, .directory]))
      } catch {
        return try readOnlyInstead(entry, object, error)
      }
    }
    let bottom = try lower(entry, object, recursive: false)
    let top = try DetachedMount.clone(place, recursive: false)
    do throws(SystemError) {
      try mapIDs(of: top)
      // Before Linux 6.15 a layer must be in the tree. On every kernel it is cheaper to drop all of them at once, with the
      // old root, than each by itself: the kernel waits for a grace period each time.
      let stage = "\(resources.templates)/\(Templates.stage)"
      try bottom.attach(to: try FileDescriptor.open(stage, [.path, .directory]))
      try top.attach(to: try FileDescriptor.open(stage, [.path, .directory]))
      return try overlay(bottom: bottom, top: top)
    } catch {
      return try readOnlyInstead(entry, object, error)
    }
  }

  private func overlay(bottom: borrowing DetachedMount, top: borrowing DetachedMount) throws(SystemError)
    -> DetachedMount
  {
    let upper = try top.descriptor.open(beneath: "upper", [.path, .directory])
    let work = try top.descriptor.open(beneath: "work", [.path, .directory])
    // As the task's root: whoever mounts an overlay is whom it writes its upper layer as.
    return try asTaskRoot { () throws(SystemError) in
      try Self.overlay(lower: bottom.descriptor, upper: upper, work: work)
    }
  }

  private static func overlay(
    lower: borrowing FileDescriptor, upper: borrowing FileDescriptor, work: borrowing FileDescriptor
  ) throws(SystemError) -> DetachedMount {
    // Descriptor paths: no separator to escape, nothing to swap, and no host path in the task's mountinfo.
    try DetachedMount.create(
      type: "overlay",
      options: [
        ("source", "overlay"), ("lowerdir", "/proc/self/fd/\(lower.number)"),
        ("upperdir", "/proc/self/fd/\(upper.number)"), ("workdir", "/proc/self/fd/\(work.number)"),
      ], attributes: [.noSetuid, .noDevices])
  }

  private func readOnlyInstead(_ entry: ChrootEntry, _ object: borrowing FileDescriptor, _ error: SystemError)
    throws(SystemError) -> DetachedMount
  {
    send(
      Report(
        isFailure: false, step: .chrootEntry, errno: error.errno,
        object: "\(entry.source): no overlay is possible here (\(error.operation)); it is read-only in the task"))
    return try readOnly(entry, object)
  }

  private func addReadOnly(_ entry: ChrootEntry) throws(SystemError) {
    let target = try openTarget(entry.target, directory: true, followLinks: false)
    try readOnly(entry, try FileDescriptor.open(entry.source, [.path, .directory])).attach(to: target)
  }

  private func readOnly(_ entry: ChrootEntry, _ object: borrowing FileDescriptor) throws(SystemError) -> DetachedMount {
    // With the mounts below where ids are not mapped: those can be mapped one mount at a time only.
    let mount = try lower(entry, object, recursive: userNamespace == nil)
    try mount.set([.readOnly, .noSetuid, .noDevices], recursive: true)
    return mount
  }

  /// A directory name for the layer of a target path: distinct paths have distinct names.
  static func layerName(of target: String) -> String {
    target.split(separator: "/").map { component in
      component.map { $0 == "%" ? "%25" : String($0) }.joined()
    }.joined(separator: "%2F")
  }

  private static func open(_ source: String, of mount: Mount) throws(SystemError) -> FileDescriptor {
    guard mount.refusesLinks else { return try FileDescriptor.open(source, [.path]) }
    let relative = source.split(separator: "/").joined(separator: "/")
    return try FileDescriptor.open("/", [.path, .directory]).open(
      beneath: relative.isEmpty ? "." : relative, [.path], resolve: [.beneath, .noSymlinks, .noMagicLinks])
  }

  mutating func addMount(_ mount: Mount) throws(SystemError) {
    switch mount.source {
    case .bind(let source):
      let object = try Self.open(source, of: mount)
      let isDirectory = try object.status().kind == .directory
      let target =
        plan.hasOwnRoot
        ? try openTarget(mount.target, directory: isDirectory, followLinks: true)
        // In the host's own tree nothing is made for a task: the place has to be there.
        : try FileDescriptor.open(mount.target, isDirectory ? [.path, .directory] : [.path])
      if let prepared = propagated[mount.target] {
        return try DetachedMount.attach(mountOf: prepared.descriptor, to: target)
      }
      let detached = try DetachedMount.clone(object, recursive: mount.recursive)
      if mount.hasTaskIDs { try mapIDs(of: detached, source) }
      if !plan.hasOwnRoot { try detached.set(.private, recursive: mount.recursive) }
      try detached.set(mount.attributes.union([.noSetuid, .noDevices]), recursive: mount.recursive)
      try detached.attach(to: target)
    case .handedOver:
      guard let number = resources.mounts.first else {
        throw SystemError("mount", mount.target, .badDescriptor, advice: "no mount was handed over for it")
      }
      resources.mounts.removeFirst()
      try attach(handedOver: try FileDescriptor.duplicate(of: number), mount)
    case .temporary(let size, let permissions):
      let target = try openTarget(mount.target, directory: true, followLinks: true)
      let options: [(String, String?)] = [("size", "\(size)"), ("mode", String(permissions, radix: 8))] + taskOwner
      try temporary(options, mount.attributes.union([.noSetuid, .noDevices])).attach(to: target)
    }
  }

  /// A copy where the kernel can make one of a detached mount (Linux 6.15), so that whoever has handed it over can do so
  /// again; else the mount itself.
  private func attach(handedOver object: borrowing FileDescriptor, _ mount: Mount) throws(SystemError) {
    let target = try openTarget(mount.target, directory: true, followLinks: true)
    let attributes = mount.attributes.union([.noSetuid, .noDevices])
    do {
      let copy = try DetachedMount.clone(object, recursive: false)
      try copy.set(attributes)
      return try copy.attach(to: target)
    } catch {
      if error.errno != .invalidArgument { throw error }
    }
    try DetachedMount.set(attributes, mountOf: object)
    try DetachedMount.attach(mountOf: object, to: target)
  }

  private func mapIDs(of mount: borrowing DetachedMount, _ source: String) throws(SystemError) {
    do throws(SystemError) {
      try mapIDs(of: mount)
    } catch {
      throw SystemError(
        error.operation, source, error.errno,
        advice: "its file system cannot show the task's own ids: let the task have the host's (userns = \"host\")")
    }
  }

  /// Copies the bound directories that share mounts with the host while this process' mounts are still the host's peers.
  mutating func takePropagatedMounts() throws(SystemError) {
    for case .mount(let mount) in plan.steps where mount.propagation != .private {
      guard case .bind(let source) = mount.source else { continue }
      let copy = try DetachedMount.clone(try Self.open(source, of: mount), recursive: mount.recursive)
      if mount.propagation == .slave { try copy.set(.slave, recursive: mount.recursive) }
      try copy.set(mount.attributes.union([.noSetuid, .noDevices]), recursive: mount.recursive)
      propagated[mount.target] = OpenFile(copy.intoDescriptor())
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

  /// The directories that a task writes to stay writable, as mounts of their own; the rest of the root does not.
  func makeRootReadOnly() throws(SystemError) {
    guard let root, let taskDirectory else { return }
    for name in ["alloc", "local", "secrets", "tmp"] {
      let own: FileDescriptor
      do {
        own = try taskDirectory.descriptor.open(beneath: name, [.path, .directory], resolve: [.beneath, .noSymlinks])
      } catch {
        if error.errno == .noSuchFile { continue }
        throw error
      }
      let mount = try DetachedMount.clone(own, recursive: false)
      try mount.set([.noSetuid, .noDevices])
      try mapIDs(of: mount)
      try mount.attach(to: try openTarget("/" + name, directory: true, followLinks: false))
    }
    // The places of the job's mounts can be made only now.
    for case .mount(let mount) in plan.steps {
      let isDirectory: Bool
      if case .bind(let source) = mount.source {
        isDirectory = try Self.open(source, of: mount).status().kind == .directory
      } else {
        isDirectory = true
      }
      _ = try openTarget(mount.target, directory: isDirectory, followLinks: true)
    }
    try DetachedMount.set([.readOnly], mountOf: root.descriptor)
  }

  /// Writes a file for the task's user, into the finished root.
  func write(_ file: InitialFile) throws(SystemError) {
    let components = file.path.split(separator: "/").map(String.init)
    guard let account, let name = components.last else { return }
    let directory = try FileDescriptor.open("/", [.path, .directory]).open(
      beneath: (["."] + components.dropLast()).joined(separator: "/"), [.readOnly, .directory],
      resolve: [.inRoot, .noMagicLinks])
    try asTaskRoot { () throws(SystemError) in
      do throws(SystemError) {
        try directory.remove(name)
      } catch {
        if error.errno != .noSuchFile { throw error }
      }
      let made = try directory.open(
        beneath: name, [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600)
      try made.writeAll(file.content)
      try made.setOwner(uid: hostID(account.uid), gid: hostID(account.gid))
      try made.setPermissions(file.permissions)
    }
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
