internal import Linux

/// A directory of a task that artifacts go to. Tasks of the group may write there at the same time: every path is walked
/// from the directory's descriptor, no link is followed, and what is in the way is replaced, never written through.
final class ArtifactDirectory: Sendable {
  private let root: FileDescriptor
  /// Whom everything made here belongs to; nil for root.
  private let owner: ArtifactOwner?

  /// Opens `path` below `base`, making what is missing.
  /// - Parameter base: a host directory that no task can replace.
  init(_ path: String, in base: String, owner: ArtifactOwner?) throws(ArtifactError) {
    self.owner = owner
    do throws(SystemError) {
      var place = try FileDescriptor.open(base, [.readOnly, .directory, .noFollow])
      for part in path.split(separator: "/") {
        let isNew = (try? place.status(of: String(part))) == nil
        place = try place.ensureDirectory(String(part))
        if isNew, let owner { try place.setOwner(uid: owner.uid, gid: owner.gid) }
      }
      root = place
    } catch {
      throw ArtifactError(error, "make the destination \"\(path)\"")
    }
  }

  func makeDirectory(_ path: String, permissions: UInt32, _ what: String) throws(ArtifactError) {
    do throws(SystemError) {
      let made = try directory(path)
      // The agent must still be able to put files there, and the task to find them.
      try made.setPermissions(permissions | 0o700)
    } catch {
      throw ArtifactError(error, "unpack \(what)")
    }
  }

  /// A new empty file for writing; what was there is gone.
  func makeFile(_ path: String, _ what: String) throws(ArtifactError) -> FileDescriptor {
    do throws(SystemError) {
      let name = Self.name(of: path)
      let parent = try place(path)
      return try parent.open(beneath: name, [.readWrite, .create, .exclusive], permissions: 0o600)
    } catch {
      throw ArtifactError(error, "write \(path) of \(what)")
    }
  }

  /// Gives a complete file its mode and owner. A program or script gets the permission to be run by those who may read
  /// it: servers hand out no modes.
  func finish(_ file: borrowing FileDescriptor, permissions: UInt32, _ what: String) throws(ArtifactError) {
    do throws(SystemError) {
      let first = try file.read(upTo: 4, at: 0)
      let isProgram = first.starts(with: [0x7F, 0x45, 0x4C, 0x46]) || first.starts(with: [0x23, 0x21])
      try file.setPermissions(isProgram ? permissions | (permissions & 0o444) >> 2 : permissions)
      if let owner { try file.setOwner(uid: owner.uid, gid: owner.gid) }
    } catch {
      throw ArtifactError(error, "write \(what)")
    }
  }

  func makeLink(_ path: String, to target: String, _ what: String) throws(ArtifactError) {
    do throws(SystemError) {
      let name = Self.name(of: path)
      let parent = try place(path)
      try parent.makeSymbolicLink(name, to: target)
    } catch {
      throw ArtifactError(error, "unpack \(what)")
    }
  }

  /// Copies a file that was made here before. Returns its size.
  func copy(
    _ source: String, to path: String, permissions: UInt32, limit: Int64, _ what: String
  ) throws(ArtifactError) -> Int64 {
    let target = try makeFile(path, what)
    var copied: Int64 = 0
    do throws(SystemError) {
      let file = try root.open(beneath: source, [.readOnly, .noFollow, .nonBlocking])
      guard try file.status().kind == .regular else { throw SystemError("link", source, .invalidArgument) }
      while true {
        let bytes = try file.read(upTo: 64 << 10, at: copied)
        if bytes.isEmpty { break }
        copied += Int64(bytes.count)
        if copied > limit { throw SystemError("write", path, .noSpace, advice: "it is larger than this node takes") }
        try target.writeAll(bytes)
      }
    } catch {
      throw ArtifactError(error, "unpack \(what)")
    }
    try finish(target, permissions: permissions, what)
    return copied
  }

  func open(_ name: String) throws(SystemError) -> FileDescriptor {
    try root.open(beneath: name, [.readOnly, .noFollow])
  }

  func rename(_ old: String, to path: String, _ what: String) throws(ArtifactError) {
    do throws(SystemError) { try root.rename(old, to: path) } catch { throw ArtifactError(error, "write \(what)") }
  }

  /// Removes a file of ours; one that is not there is no error.
  func remove(_ name: String) {
    // What cannot be removed now is when the allocation's directory is.
    try? root.remove(name)
  }

  private static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

  /// The directory that holds `path`, made where missing; nothing is at the path any more.
  private func place(_ path: String) throws(SystemError) -> FileDescriptor {
    let parts = path.split(separator: "/").map(String.init)
    guard let name = parts.last else { throw SystemError("make", path, .invalidArgument) }
    let parent = try directory(parts.dropLast().joined(separator: "/"))
    do throws(SystemError) {
      try parent.remove(name)
    } catch {
      if error.errno != .noSuchFile { throw error }
    }
    return parent
  }

  private func directory(_ path: String) throws(SystemError) -> FileDescriptor {
    var place = try root.open(beneath: ".", [.readOnly, .directory])
    for part in path.split(separator: "/") {
      let isNew = (try? place.status(of: String(part))) == nil
      place = try place.ensureDirectory(String(part))
      if isNew, let owner { try place.setOwner(uid: owner.uid, gid: owner.gid) }
    }
    return place
  }
}

/// Whom files belong to.
public struct ArtifactOwner: Equatable, Sendable {
  /// Host user id.
  public var uid: UInt32
  /// Host group id.
  public var gid: UInt32

  /// A user and a group.
  public init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }
}
