internal import Linux

/// The host ids that allocations get for their user namespaces: one range each, never two allocations the same one at a
/// time. Pure: the client keeps `taken` and gives it back after a restart.
public struct IDRangePool: Sendable, Equatable {
  /// Ids in a range.
  public static let rangeSize: UInt32 = 65536
  /// The default pool: above what Linux distributions give to users, containers and systemd-nspawn (up to 1879048191, see
  /// systemd's UIDS-GIDS), below its range for foreign file systems.
  public static let defaultFirstID: UInt32 = 0x7000_0000
  /// Ranges in the default pool.
  public static let defaultCount = 4094

  /// The first id of the pool.
  public let firstID: UInt32
  /// How many ranges it has.
  public let count: Int
  /// Which allocation has which range, by the range's number.
  public private(set) var taken: [String: Int]
  /// Where the next search begins: a range that was given back rests as long as others are free.
  private var next: Int

  /// A pool.
  ///
  /// - Parameters:
  ///   - taken: as this pool, or an earlier one with the same first id, said.
  /// - Throws: SandboxError when the ids are the host's own or there are none.
  public init(
    firstID: UInt32 = defaultFirstID, count: Int = defaultCount, taken: [String: Int] = [:]
  ) throws(SandboxError) {
    let end = UInt64(firstID) + UInt64(max(count, 0)) * UInt64(Self.rangeSize)
    guard firstID >= Self.rangeSize, count > 0, end < UInt64(UInt32.max) else {
      throw SandboxError(
        "userns pool", "\(firstID), \(count) ranges", "must lie between 65536 and 4294967294 and hold one range or more"
      )
    }
    self.firstID = firstID
    self.count = count
    // What an earlier configuration gave out beyond this pool's end is not ours to give out again.
    self.taken = taken.filter { (0..<count).contains($0.value) }
    next = ((self.taken.values.max() ?? -1) + 1) % count
  }

  /// The range of an allocation: the one it has, else a free one; nil when all are taken.
  public mutating func range(for allocation: String) -> UserNamespace? {
    if let number = taken[allocation] { return namespace(number) }
    let used = Set(taken.values)
    for step in 0..<count {
      let number = (next + step) % count
      if used.contains(number) { continue }
      taken[allocation] = number
      next = (number + 1) % count
      return namespace(number)
    }
    return nil
  }

  /// Gives an allocation's range back, once nothing runs with its ids any more. One that has none is no error.
  public mutating func release(_ allocation: String) { taken[allocation] = nil }

  private func namespace(_ number: Int) -> UserNamespace {
    UserNamespace(firstID: firstID + UInt32(number) * Self.rangeSize, count: Self.rangeSize)
  }
}

extension UserNamespace {
  /// Tries whether this host can give tasks below a directory ids of their own: a user namespace, and a mount of the
  /// directory that maps ids. Leaves nothing behind.
  ///
  /// - Returns: nil when it can, else why not and what to change.
  public static func problem(below directory: String) -> String? {
    do throws(SystemError) {
      let proc = try FileDescriptor.open("/proc", [.path, .directory])
      let namespace = try UserNamespaces.make(
        first: IDRangePool.defaultFirstID, count: IDRangePool.rangeSize, proc: proc)
      try DetachedMount.clone(path: directory, recursive: false).mapIDs(as: namespace)
      return nil
    } catch {
      return "\(error)"
    }
  }
}
