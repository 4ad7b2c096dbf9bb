import Codec
import Raft
import Replica
import State

/// One real server: consensus, replicated state, scheduler and a leader's duties.
final class ReplicaServer: SimulatedServer {
  private(set) var replica: Replica
  private var last: Instant
  /// A snapshot that is due and not taken yet.
  private var due: SnapshotOrder?

  /// Things that a leader does in one turn before it looks after something else.
  private static let turn = 200

  init(_ replica: Replica, at instant: Instant) {
    self.replica = replica
    last = instant
  }

  var core: RaftCore { replica.core }
  var nextDeadline: UInt64 { replica.nextDeadline }
  var applied: UInt64 { replica.applied.index }

  func take(_ input: ServerInput, at moment: Moment) {
    let instant = Instant(moment)
    last = instant
    switch input {
    case .tick: replica.tick(at: instant)
    case .message(let message): replica.receive(message, at: instant)
    case .written(let number): replica.written(through: number, at: instant)
    case .storageFull: replica.storageFull(at: instant)
    case .storageRecovered(let recovered): replica.storageRecovered(recovered, at: instant)
    case .entriesRead(let entries, let follower): replica.entriesRead(entries, for: follower, at: instant)
    case .pieceRead(let bytes, let snapshot, let offset, let follower):
      replica.pieceRead(bytes, of: snapshot, offset: offset, for: follower, at: instant)
    case .pieceWritten(let piece, let succeeded): replica.pieceWritten(piece, succeeded: succeeded, at: instant)
    case .installed(let snapshot, let bytes):
      replica.installed(snapshot, state: bytes.flatMap { State(encoded: $0) }, at: instant)
    case .snapshotTaken(let snapshot): replica.snapshotTaken(snapshot, at: instant)
    }
  }

  func takeOutput() -> ServerOutput {
    var steps = 0
    while steps < Self.turn, replica.work(at: last) { steps += 1 }
    let taken = replica.takeOutput()
    if let order = taken.snapshot { due = order }
    let effects =
      taken.publications.map { Effect.publication($0) }
      + taken.failures.map { .failure(token: $0.token, $0.failure) } + taken.reads.map { .readAnswer($0) }
    return ServerOutput(
      messages: taken.messages, writes: taken.writes, tasks: taken.tasks, events: taken.events, effects: effects,
      notices: taken.notices.map(\.message))
  }

  func propose(_ entry: LogEntry, token: UInt64, at moment: Moment) {
    last = Instant(moment)
    replica.propose(entry, token: token, at: last)
  }

  func read(token: UInt64, _ kind: RaftCore.ReadKind, at moment: Moment) {
    last = Instant(moment)
    replica.read(token: token, kind, at: last)
  }

  func beat(_ node: Identifier, at moment: Moment) -> Nanoseconds? {
    last = Instant(moment)
    return replica.beat(node, at: last)
  }

  func collectGarbage() { replica.forceGarbageCollection() }

  func bootstrap(_ membership: Membership, at moment: Moment) -> Result<Void, Refusal> {
    last = Instant(moment)
    return replica.bootstrap(membership, at: last)
  }

  func changeMembership(to membership: Membership, at moment: Moment) -> Result<UInt64, Refusal> {
    last = Instant(moment)
    return replica.changeMembership(to: membership, at: last)
  }

  func transferLeadership(to target: ServerID, at moment: Moment) -> Result<ServerID, Refusal> {
    last = Instant(moment)
    return replica.transferLeadership(to: target, at: last)
  }

  /// Replicas say by themselves when one is due.
  func snapshot(isForced: Bool) -> (Snapshot, [UInt8])? {
    guard let order = due else { return nil }
    due = nil
    let bytes = order.reader.encoded
    let snapshot = Snapshot(
      position: order.position, membership: order.membership, membershipIndex: order.membershipIndex,
      size: UInt64(bytes.count), checksum: checksum(bytes))
    return (snapshot, bytes)
  }

  func snapshotLost(stored index: UInt64, at moment: Moment) { replica.snapshotTaken(nil, at: Instant(moment)) }
}

extension Instant {
  init(_ moment: Moment) {
    self.init(
      wall: Timestamp(nanoseconds: moment.wall), monotonic: moment.monotonic, jitter: moment.jitter)
  }
}

extension StateReader {
  /// Everything that a snapshot of it holds.
  var encoded: [UInt8] {
    var encoder = StateEncoder(self)
    var bytes: [UInt8] = []
    while let piece = encoder.next() { bytes += piece }
    return bytes
  }
}

extension State {
  /// Nil for bytes that are no snapshot.
  init?(encoded bytes: [UInt8]) {
    var decoder = StateDecoder()
    do throws(CodecError) {
      try decoder.add(bytes)
      self = try decoder.finish()
    } catch {
      return nil
    }
  }
}
