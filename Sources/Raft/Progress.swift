/// What the leader knows of one member (dissertation §3.5: `nextIndex`, `matchIndex`; §10.2.2: pipelining).
struct Progress: Sendable {
  enum Mode: Sendable {
    /// Not known where the logs part: one request at a time, until one matches.
    case probing
    /// Requests follow each other without waiting.
    case replicating
    /// What it needs is compacted away.
    case snapshot(Transfer)
  }

  /// A snapshot that is being sent.
  struct Transfer: Sendable {
    let snapshot: Snapshot
    /// How much the follower has on disk.
    var acknowledged: UInt64 = 0
    /// A piece is being read or is on its way.
    var isWaiting = false
    /// When the last piece was asked for, to ask again when it was lost.
    var asked: UInt64
  }

  let id: ServerID
  var isVoter: Bool
  var votesInOutgoing: Bool
  var match: UInt64 = 0
  var next: UInt64
  var mode = Mode.probing
  /// A probe is on its way.
  var isProbeSent = false
  /// The last index and the bytes of every request without an answer, oldest first: `inflight[answered...]`.
  private var inflight: [(last: UInt64, bytes: Int)] = []
  private var answered = 0
  private var inflightBytes = 0
  /// When the newest request that it answered was sent.
  var contact: UInt64
  /// The newest round that it answered.
  var round: UInt64 = 0
  /// Entries for it are being read from disk.
  var isReading = false

  init(_ member: Member, next: UInt64, now: UInt64) {
    id = member.id
    isVoter = member.role == .voter
    votesInOutgoing = member.votesInOutgoing
    self.next = next
    contact = now
  }

  func isWindowFull(_ limits: Limits) -> Bool {
    inflight.count - answered >= limits.inflightRequests || inflightBytes >= limits.inflightBytes
  }

  mutating func sent(through last: UInt64, bytes: Int) {
    inflight.append((last, bytes))
    inflightBytes += bytes
    next = last + 1
  }

  /// Frees the window up to `index`.
  mutating func free(through index: UInt64) {
    while answered < inflight.count, inflight[answered].last <= index {
      inflightBytes -= inflight[answered].bytes
      answered += 1
    }
    if answered > 64, answered > inflight.count / 2 {
      inflight.removeSubrange(0..<answered)
      answered = 0
    }
  }

  mutating func probe(from next: UInt64) {
    mode = .probing
    self.next = next
    isProbeSent = false
    clearWindow()
  }

  mutating func replicate() {
    mode = .replicating
    next = match + 1
    isProbeSent = false
    clearWindow()
  }

  private mutating func clearWindow() {
    inflight.removeAll(keepingCapacity: true)
    answered = 0
    inflightBytes = 0
  }
}
