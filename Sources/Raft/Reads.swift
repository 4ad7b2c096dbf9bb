/// Reads that wait until their leader is known to lead (dissertation §6.4).
///
/// One round of questions is on its way at a time; reads that come meanwhile share the next one, so ten thousand reads
/// cost as many messages as one.
struct ReadQueue: Sendable {
  enum Origin: Hashable, Sendable {
    case here(UInt64)
    case follower(ServerID, UInt64)
  }

  struct Waiting: Sendable {
    let origin: Origin
    /// The commit index when the read came.
    let index: UInt64
    /// The round that a majority must answer; 0: none was begun yet.
    var round: UInt64
  }

  var waiting: [Waiting] = []
  var isEmpty: Bool { waiting.isEmpty }

  mutating func takeAll() -> [Origin] {
    defer { waiting = [] }
    return waiting.map(\.origin)
  }
}

extension RaftCore {
  /// How a read is made sure of.
  public enum ReadKind: Sendable {
    /// By a round of questions to a majority (§6.4).
    case linearizable
    /// By the leader's lease when it holds, else as `linearizable` (§6.4.1). Relies on clocks that don't differ in speed by
    /// more than `Limits.clockDrift`.
    case lease
  }

  /// Asks from which index on a state answers a read that begins now; the answer comes in `Output.reads`.
  public mutating func read(id: UInt64, _ kind: ReadKind, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    if role == .leader {
      beginRead(.here(id), kind)
    } else if let leader, quarantine == nil {
      send(.readIndex(id: id), to: leader)
    } else {
      output.reads.append(.init(id: id, index: nil))
    }
  }

  mutating func answerReadIndex(_ from: ServerID, id: UInt64) {
    guard role == .leader else {
      send(.readIndexReply(id: id, index: nil), to: from)
      return
    }
    beginRead(.follower(from, id), .linearizable)
  }

  private mutating func beginRead(_ origin: ReadQueue.Origin, _ kind: ReadKind) {
    // §6.4 step 1: before an entry of its own term is committed a leader does not know what is.
    if isSettled, isAlone || (kind == .lease && holdsLease) {
      answerRead(origin, index: commit)
      return
    }
    guard reads.waiting.count < limits.waitingReads else {
      refuseRead(origin)
      return
    }
    let isIdle = reads.waiting.isEmpty
    reads.waiting.append(.init(origin: origin, index: max(commit, termStart), round: 0))
    if isIdle { beginRound() }
  }

  /// Whether nobody else can lead before the lease ends (§6.4.1). Not after leadership was offered to somebody: the target
  /// may use the offer at any time.
  var holdsLease: Bool { !hasOfferedLeadership && quorumContact + limits.lease > now }

  private mutating func beginRound() {
    round += 1
    for place in reads.waiting.indices where reads.waiting[place].round == 0 { reads.waiting[place].round = round }
    heartbeat()
  }

  mutating func finishReads() {
    guard role == .leader, !reads.isEmpty, isSettled else { return }
    let confirmed = isAlone ? round : quorum { $0.id == id ? round : $0.round }
    var left: [ReadQueue.Waiting] = []
    for read in reads.waiting {
      if isAlone || (read.round > 0 && read.round <= confirmed) {
        answerRead(read.origin, index: read.index)
      } else {
        left.append(read)
      }
    }
    let finished = left.count < reads.waiting.count
    reads.waiting = left
    if finished, !left.isEmpty { beginRound() }
  }

  private mutating func answerRead(_ origin: ReadQueue.Origin, index: UInt64) {
    switch origin {
    case .here(let id): output.reads.append(.init(id: id, index: index))
    case .follower(let peer, let id): send(.readIndexReply(id: id, index: index), to: peer)
    }
  }

  mutating func refuseRead(_ origin: ReadQueue.Origin) {
    switch origin {
    case .here(let id): output.reads.append(.init(id: id, index: nil))
    case .follower(let peer, let id): send(.readIndexReply(id: id, index: nil), to: peer)
    }
  }
}
