public import Linux
internal import Synchronization

/// A task's `/secrets`: a small file system in memory, never swapped out where the kernel can (Linux 6.4), that is mounted
/// nowhere on the host. The agent writes to it through a descriptor, and the task's child attaches it in the task's own
/// mount namespace. What is in it goes with the last of both.
public final class SecretsMount: Sendable, Equatable {
  private let root: FileDescriptor
  /// Whether it can be attached once more, for the task's next attempt (Linux 6.15); else that one needs a new one.
  public let isReusable: Bool
  /// The host id of the task's root, once the task has ids of its own.
  private let first = Mutex<UInt32>(0)

  /// A new one, empty, for root alone until `give`.
  ///
  /// - Throws: EPERM for users other than root.
  public init(sizeBytes: UInt64) throws(SystemError) {
    let mount = try Self.create([("size", "\(sizeBytes)"), ("mode", "700")])
    isReusable = Self.canBeCopied(mount)
    root = mount.intoDescriptor()
  }

  private static func canBeCopied(_ mount: borrowing DetachedMount) -> Bool {
    do throws(SystemError) {
      _ = try DetachedMount.clone(mount.descriptor, recursive: false)
      return true
    } catch {
      return false
    }
  }

  private static func create(_ options: [(String, String?)]) throws(SystemError) -> DetachedMount {
    let attributes: MountAttributes = [.noSetuid, .noDevices, .noExecute]
    do {
      return try DetachedMount.create(type: "tmpfs", options: options + [("noswap", nil)], attributes: attributes)
    } catch {
      // Linux before 6.4 has no noswap.
      if error.errno != .invalidArgument { throw error }
    }
    return try DetachedMount.create(type: "tmpfs", options: options, attributes: attributes)
  }

  /// The one that a running task has: its agent has ended, and this is the next one.
  ///
  /// - Throws: ENOENT when the task has none, or has gone.
  public init(ofRunning pid: Int) throws(SystemError) {
    let task = try FileDescriptor.open("/proc/\(pid)/root", [.path, .directory])
    // No link of the task's is followed: it may put one there only where it has no mount.
    let found = try task.open(
      beneath: "secrets", [.readOnly, .directory, .noFollow], resolve: [.beneath, .noSymlinks, .noMagicLinks])
    guard try found.fileSystem().type == 0x0102_1994, try found.status().mountID != task.status().mountID else {
      throw SystemError("open secrets", "/proc/\(pid)/root", .noSuchFile, advice: "the task has no such mount")
    }
    let owner = try found.status().uid
    isReusable = false
    root = found
    if owner >= 65536 { first.withLock { $0 = owner & ~0xffff } }
  }

  /// Its root, as a path that only this process can use, while it holds this value.
  public var path: String { "/proc/self/fd/\(root.number)/." }
  /// Its root, to be handed over.
  public var number: Int32 { root.number }
  /// What is added to the task's ids to have the host's.
  public var firstID: UInt32 { first.withLock { $0 } }

  /// Makes the root directory the task's user's.
  public func give(to uid: UInt32, gid: UInt32) throws(SystemError) {
    let offset = firstID
    try root.setOwner(uid: uid + offset, gid: gid + offset)
  }

  /// Gives everything in it to the task's own ids: what belongs to n belongs to n in the task afterwards.
  public func shift(to firstID: UInt32) throws(SystemError) {
    let before = first.withLock { first in
      let before = first
      first = firstID
      return before
    }
    if before != firstID { try Self.shift(root, from: before, to: firstID, depth: 0) }
  }

  private static func shift(
    _ object: borrowing FileDescriptor, from before: UInt32, to first: UInt32, depth: Int
  ) throws(SystemError) {
    let status = try object.status()
    // What is not of the range before was never the task's.
    if status.uid >= before && status.gid >= before {
      try object.setOwner(uid: status.uid - before + first, gid: status.gid - before + first)
    }
    guard status.kind == .directory, depth < 64 else { return }
    let directory = try object.open(beneath: ".", [.readOnly, .directory])
    for entry in try directory.entries() {
      let inner = try directory.open(
        beneath: entry.name, [.path, .noFollow], resolve: [.beneath, .noMagicLinks])
      try shift(inner, from: before, to: first, depth: depth + 1)
    }
  }

  /// Two names of the same one.
  public static func == (left: SecretsMount, right: SecretsMount) -> Bool { left === right }
}
