internal import Codec
internal import Glibc
internal import Linux
internal import Log
internal import Raft
internal import Replica
internal import State
internal import Storage

/// A server's log and snapshots: carries out what the replica asks for and tells the core what came of it.
final class ServerDisk: Sendable {
  /// What was there at the start.
  struct Opened: Sendable {
    let id: Identifier
    let incarnation: Incarnation
    let recovered: RaftCore.Recovered
    /// As of `recovered.snapshot`.
    let state: State
  }

  private let log: LogWriter
  let snapshots: SnapshotStore
  private let logger: Logger

  /// What an earlier start found out: that this disk is older than what the server had promised. It stays so.
  private let damage: String?

  private init(log: LogWriter, snapshots: SnapshotStore, damage: String?, logger: Logger) {
    self.damage = damage
    self.log = log
    self.snapshots = snapshots
    self.logger = logger
  }

  // MARK: opening

  /// Opens log and snapshots and counts this start, which is on disk when it returns.
  /// - Throws: `ServerError` naming what can't be read and what to do; but for that count nothing on disk is changed.
  static func open(
    _ configuration: ServerConfiguration, logger: Logger
  ) async throws(ServerError) -> (ServerDisk, Opened) {
    do {
      let snapshots = try SnapshotStore(folder: configuration.snapshotsPath)
      var store = try LogStore(opening: configuration.logPath)
      let id = try identity(&store, configured: configuration.id)
      let starts = (try number(named: "starts", of: store) ?? 0) + 1
      try store.save(littleEndian(starts), named: "starts")
      let damage = try store.value(named: "damage").map { String(decoding: $0, as: UTF8.self) }
      let log = try LogWriter(owning: store)
      let disk = ServerDisk(log: log, snapshots: snapshots, damage: damage, logger: logger)
      var (recovered, state) = try await disk.recover()
      recovered.damage = disk.damage
      let peersPath = PeersFile.path(besideLog: configuration.logPath)
      if let members = try PeersFile.members(peersPath) {
        (recovered, state) = try await disk.force(members, upon: recovered, state)
        // Left where it is, it would undo at the next start what has become of the members since.
        guard unlink(peersPath) == 0 else {
          throw ServerError(
            .unavailable,
            "\(peersPath) is in force but can't be removed (\(Linux.Errno(rawValue: errno))): remove it, then start again"
          )
        }
        logger.warn(
          "the members of the cluster are what peers.json says from now on",
          ("members", "\(members.members.map { MemberAddress($0.address).address })"))
      }
      if recovered.isWithoutMembers, configuration.bootstrapExpect == 1 {
        recovered.beAlone(ServerID(id), address: MemberAddress(configuration.advertisedRPCAddress, id).text)
      }
      var random = SystemRandomNumberGenerator()
      return (
        disk,
        Opened(
          id: id, incarnation: Incarnation(count: starts, bits: random.next()), recovered: recovered, state: state)
      )
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.unavailable, "the server's log can't be used: \(error)")
    }
  }

  /// Who this server is. The log remembers, so that a copy of another server's data is not taken for its own.
  private static func identity(_ store: inout LogStore, configured: Identifier) throws -> Identifier {
    if let high = try number(named: "identity high", of: store), let low = try number(named: "identity low", of: store)
    {
      let id = Identifier(high: high, low: low)
      guard configured.isNone || configured == id else {
        throw ServerError(
          .unavailable,
          "\(store.path) belongs to server \(id), but this one is \(configured) (server/node-id): two servers with one log "
            + "would lose writes. Put the right files back, or let this server join with an empty data directory")
      }
      return id
    }
    var random = SystemRandomNumberGenerator()
    let id = configured.isNone ? Identifier(using: &random) : configured
    try store.save(littleEndian(id.high), named: "identity high")
    try store.save(littleEndian(id.low), named: "identity low")
    return id
  }

  private static func number(named name: String, of store: borrowing LogStore) throws -> UInt64? {
    guard let bytes = try store.value(named: name), bytes.count == 8 else { return nil }
    return (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << UInt64(8 * $1) }
  }

  private static func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  /// The newest readable snapshot and the log behind it, as they are on disk now.
  private func recover() async throws -> (RaftCore.Recovered, State) {
    let opening = try await log.current()
    let (snapshot, state) = try newestSnapshot()
    let reached = snapshot?.position.index ?? 0
    guard opening.compacted.index <= reached else {
      throw ServerError(
        .unavailable,
        "the log begins after entry \(opening.compacted.index), but the newest readable snapshot in "
          + "\(snapshots.folder) ends at \(reached): put the missing snapshot back, or restore from a backup")
    }
    var base = Position(opening.compacted)
    var entries = try await readAll(from: opening.compacted.index + 1, through: opening.last.index)
    if let snapshot, base.index < reached {
      let ours = entries.first { $0.index == reached }
      if ours?.term != snapshot.position.term {
        // It came from another server, and this one ended before the log was replaced by it.
        try await replaceLog(by: snapshot.position)
        base = snapshot.position
        entries = []
      }
    }
    return (
      RaftCore.Recovered(
        hardState: Raft.HardState(opening.hardState), snapshot: snapshot, base: base, entries: entries),
      state
    )
  }

  /// Makes the members what an operator says they are. Every entry of the log counts as committed, for nobody is left to
  /// ask; they are in a snapshot then, and the log begins behind it.
  private func force(
    _ members: Membership, upon recovered: RaftCore.Recovered, _ old: State
  ) async throws -> (RaftCore.Recovered, State) {
    var state = old
    var position = recovered.snapshot?.position ?? recovered.base
    for entry in recovered.entries where entry.index > position.index {
      if entry.kind < Entry.firstReservedKind {
        let (decoded, time) = try LogEntry.decode(kind: entry.kind, bytes: entry.bytes)
        _ = state.apply(decoded, index: entry.index, time: time)
      }
      position = entry.position
    }
    if position == .zero { position = Position(index: 1, term: max(1, recovered.hardState.term)) }
    let order = SnapshotOrder(
      position: position, reader: state.reader, membership: members, membershipIndex: position.index)
    let snapshot = try SnapshotFile.write(order, to: snapshots)
    try await replaceLog(by: position)
    var forced = RaftCore.Recovered(
      hardState: recovered.hardState, snapshot: snapshot, base: position, damage: recovered.damage)
    forced.hardState.term = max(forced.hardState.term, position.term)
    return (forced, state)
  }

  private func newestSnapshot() throws -> (Snapshot?, State) {
    for description in try snapshots.list() {
      do {
        let contents = try SnapshotFile.read(description, of: snapshots)
        let (size, checksum) = try snapshots.measure(description)
        let snapshot = Snapshot(
          position: Position(description.position), membership: contents.membership?.membership ?? .none,
          membershipIndex: contents.membership?.index ?? 0, size: size, checksum: checksum)
        return (snapshot, contents.state)
      } catch {
        logger.error(
          "a snapshot can't be read, trying the one before", ("path", description.path), ("error", "\(error)"))
      }
    }
    return (nil, State())
  }

  private func readAll(from first: UInt64, through last: UInt64) async throws -> [Entry] {
    var entries: [Entry] = []
    var next = first
    while next <= last {
      let records = try await log.entries(from: next, maximumBytes: 8 << 20)
      guard let end = records.last else { break }
      entries += records.map(Entry.init)
      next = end.index + 1
    }
    return entries
  }

  private func replaceLog(by position: Position) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      log.install(LogPosition(position)) { continuation.resume(with: $0.mapError { $0 }) }
    }
  }

  // MARK: writing

  /// Makes a write durable; writes that are queued while the disk syncs share a transaction.
  func write(_ write: Output.Write, completion: @escaping @Sendable (StorageError?) -> Void) {
    log.write(
      truncateFrom: write.truncateFrom, write.entries.map(LogRecord.init), write.hardState.map(Storage.HardState.init)
    ) { result in
      if case .failure(let error) = result { completion(error) } else { completion(nil) }
    }
  }

  /// Looks whether the disk takes something again, and if it does what is on it.
  /// - Returns: nil while it is full.
  func lookForRoom() async -> RaftCore.Recovered? {
    let room = [UInt8](repeating: 0x5A, count: 256 << 10)
    let hasRoom = await withCheckedContinuation { continuation in
      log.save(room, named: "room") { continuation.resume(returning: (try? $0.get()) != nil) }
    }
    guard hasRoom else { return nil }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      log.save([], named: "room") { _ in continuation.resume() }
    }
    do {
      return try await recover().0
    } catch {
      logger.error("the log can't be read back after the disk was full", ("error", "\(error)"))
      return nil
    }
  }

  /// `Output.Event.quarantined`: at every later start the server has to be told so.
  func remember(damage reason: String) {
    log.save(Array(reason.utf8), named: "damage") { [logger] result in
      if case .failure(let error) = result {
        logger.error("what is wrong with this disk can't be written down on it", ("error", "\(error)"))
      }
    }
  }

  /// `Output.Task.compact`.
  func compact(through position: Position) {
    log.compact(through: position.index) { [logger] result in
      if case .failure(let error) = result { logger.warn("the log could not be shortened", ("error", "\(error)")) }
    }
  }

  /// `Output.Task.readEntries`.
  func readEntries(from index: UInt64, bytes: Int, completion: @escaping @Sendable ([Entry]) -> Void) {
    log.entries(from: index, maximumBytes: bytes) { [logger] result in
      switch result {
      case .success(let records): completion(records.map(Entry.init))
      case .failure(let error):
        logger.warn("entries for another server can't be read", ("from", "\(index)"), ("error", "\(error)"))
        completion([])
      }
    }
  }

  // MARK: snapshots

  /// Writes a snapshot on a thread of its own.
  func take(_ order: SnapshotOrder, completion: @escaping @Sendable (Snapshot?) -> Void) {
    onThread({ completion(nil) }) { [self] in
      do throws(StorageError) {
        let snapshot = try SnapshotFile.write(order, to: snapshots)
        logger.info("snapshot taken", ("index", "\(snapshot.position.index)"), ("bytes", "\(snapshot.size)"))
        completion(snapshot)
      } catch {
        logger.error(
          "taking a snapshot failed, the log is kept", ("index", "\(order.position.index)"), ("error", "\(error)"))
        completion(nil)
      }
    }
  }

  /// `Output.Task.readPiece`.
  func readPiece(
    of snapshot: Snapshot, offset: UInt64, count: UInt64, completion: @escaping @Sendable ([UInt8]?) -> Void
  ) {
    onThread({ completion(nil) }) { [self] in
      do throws(StorageError) {
        completion(
          try snapshots.piece(of: LogPosition(snapshot.position), offset: offset, count: Int(clamping: count)))
      } catch {
        logger.warn("a snapshot for another server can't be read", ("error", "\(error)"))
        completion(nil)
      }
    }
  }

  /// `Output.Task.writePiece`.
  func writePiece(_ piece: SnapshotPiece, completion: @escaping @Sendable (Bool) -> Void) {
    onThread({ completion(false) }) { [self] in
      do throws(StorageError) {
        try snapshots.store(piece.bytes, at: piece.offset)
        completion(true)
      } catch {
        logger.error("a piece of another server's snapshot can't be stored", ("error", "\(error)"))
        completion(false)
      }
    }
  }

  /// `Output.Task.install`.
  func install(_ snapshot: Snapshot, completion: @escaping @Sendable (State?) -> Void) {
    onThread({ completion(nil) }) { [self] in
      do {
        let description = try snapshots.adopt(at: LogPosition(snapshot.position), checksum: snapshot.checksum)
        let contents = try SnapshotFile.read(description, of: snapshots)
        log.install(LogPosition(snapshot.position)) { [logger] result in
          if case .failure(let error) = result {
            logger.error("the log can't be replaced by a snapshot", ("error", "\(error)"))
            completion(nil)
          } else {
            logger.info("took the state of another server", ("index", "\(snapshot.position.index)"))
            completion(contents.state)
          }
        }
      } catch {
        logger.error("another server's snapshot can't be used", ("error", "\(error)"))
        completion(nil)
      }
    }
  }

  /// A new folder beside the snapshots.
  func folder(for purpose: String) -> String {
    var random = SystemRandomNumberGenerator()
    return "\(snapshots.folder)/\(purpose)-\(Identifier(using: &random))"
  }

  /// Runs what blocks on the disk on a thread of its own.
  func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      onThread({
        continuation.resume(throwing: ServerError(.unavailable, "no thread for the work on a snapshot"))
      }) {
        continuation.resume(with: Result { try body() })
      }
    }
  }

  private func onThread(_ failed: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () -> Void) {
    do throws(SystemError) {
      try DetachedThread.start(named: "server-snapshot", body)
    } catch {
      logger.warn("no thread for the work on a snapshot", ("error", "\(error)"))
      failed()
    }
  }

  /// Finishes what is queued and closes the log.
  func close() async { await log.close() }
}

extension RaftCore.Recovered {
  /// No entry and no snapshot says who the cluster is.
  var isWithoutMembers: Bool {
    guard snapshot?.membership.members.isEmpty ?? true else { return false }
    return !entries.contains { $0.kind == Entry.membershipKind }
      && (snapshot != nil || !entries.isEmpty || hardState.term > 0)
  }

  /// What an earlier serai left, which knew one server only and wrote down no members: that server is the cluster.
  mutating func beAlone(_ id: ServerID, address: String) {
    let alone = Membership.single(id, address: address)
    if snapshot == nil {
      snapshot = Snapshot(position: base, membership: alone, membershipIndex: 0, size: 0, checksum: 0)
    } else {
      snapshot?.membership = alone
    }
  }
}

extension ServerID {
  /// The part of a server's identity that the consensus works with: 60 random bits.
  init(_ id: Identifier) { self.init(id.high) }
}

extension Position {
  init(_ position: LogPosition) { self.init(index: position.index, term: position.term) }
}

extension LogPosition {
  init(_ position: Position) { self.init(index: position.index, term: position.term) }
}

extension Entry {
  init(_ record: LogRecord) {
    self.init(index: record.index, term: record.term, kind: record.kind, bytes: record.bytes)
  }
}

extension LogRecord {
  init(_ entry: Entry) { self.init(index: entry.index, term: entry.term, kind: entry.kind, bytes: entry.bytes) }
}

extension Raft.HardState {
  /// Votes are stored as text.
  init(_ stored: Storage.HardState) {
    self.init(term: stored.term, vote: stored.votedFor.flatMap { UInt64($0, radix: 16) }.map { ServerID($0) })
  }
}

extension Storage.HardState {
  init(_ state: Raft.HardState) { self.init(term: state.term, votedFor: state.vote?.description) }
}
