/// The membership of a pool as a pure state machine: SWIM (Das, Gupta, Motivala 2002) with Lifeguard's local health,
/// shrinking suspicion and buddy messages (Dadgar, Phillips, Currey 2018), and memberlist's additions to them: probes over
/// TCP where UDP is blocked, exchanges of the whole state, gossip between probes.
///
/// Inputs are packets, frames, time and orders; outputs are packets, frames and what was learned. No clock, socket or key
/// store inside: the same inputs with the same seed give the same outputs.
///
/// Where it differs from the papers and from memberlist:
/// - A member that left is told from one that failed in the message itself, so that an operator can turn the one into the
///   other (force-leave) and remove it for good (prune).
/// - Everything over TCP is one request and one answer, each a frame.
/// - Encrypted packets carry the sender's session and a number, so that a recorded one is worth nothing.
/// - A member's `id` tag tells a member that changed its address from another one that took its name.
public struct GossipCore: Sendable {
  /// What the core is told.
  public enum Input: Sendable {
    /// `nextTimer` has come; earlier is harmless.
    case tick
    /// A packet (UDP).
    case packet([UInt8], from: GossipAddress)
    /// A frame that began a connection (TCP); an `answer` or `refuse` with this number follows at once.
    case request(UInt64, [UInt8], from: GossipAddress)
    /// The frame that answered an `exchange`.
    case answered(exchange: UInt64, [UInt8])
    /// An `exchange` came to nothing: no connection, no answer in time. Every exchange ends in one of the two.
    case exchangeFailed(UInt64, String)
    /// Joins the pool that members at these addresses are in; `joined` with the same number tells how it went.
    case join(operation: UInt64, [GossipAddress])
    /// Says goodbye; `left` follows.
    case leave
    /// Takes a failed member for one that left; one that lives will object. `prune` forgets it, too.
    case forceLeave(String, prune: Bool)
    /// Changes what this member says of itself.
    case setTags([String: String])
    /// Changes or reads the key rings of all members; `keyRing` with the same number tells how it went.
    case keyRing(operation: UInt64, KeyRingOperation)
  }

  /// What the shell does, in order.
  public enum Output: Sendable {
    case send([UInt8], to: GossipAddress)
    /// Connects, sends the frame, reads one and closes.
    case exchange(UInt64, [UInt8], to: GossipAddress)
    /// Sends the frame on the connection that brought the request, and closes it.
    case answer(request: UInt64, [UInt8])
    /// Closes the connection that brought the request.
    case refuse(request: UInt64)
    case event(MembershipEvent)
    /// How a join went: members reached, and why others were not.
    case joined(operation: UInt64, reached: Int, failures: [GossipAddress: String])
    case keyRing(operation: UInt64, KeyRingReport)
    /// The key ring is another one now: keep it, the primary key first.
    case keysChanged([[UInt8]])
    /// The goodbye was told; nothing will be sent any more.
    case left
  }

  /// Another member, as known here.
  struct Peer: Sendable {
    var member: Member
    /// When its status became what it is.
    var changedAt: UInt64
    var suspicion: Suspicion?
    /// Shown to nobody; remembered so that old news does not bring it back.
    var isPruned = false
  }

  enum Life: Sendable, Equatable {
    case member
    case leaving(until: UInt64)
    case gone
  }

  /// As given.
  public let configuration: GossipConfiguration
  let cipher: GossipCipher
  var keys: KeyRing
  var random: GossipRandom

  var ours: Member
  var life = Life.member
  var peers: [String: Peer] = [:]
  /// Names of all peers in the order in which they came: what leaves the core never depends on a dictionary's order.
  var names: [String] = []
  var suspects: [String] = []

  var session: UInt64
  var lastPacket: UInt64 = 0
  var lastRequest: UInt64 = 0
  var replays: ReplayGuard
  var broadcasts: BroadcastQueue

  var awareness: Awareness
  var probe: Probe?
  var probeOrder: [String] = []
  var nextInOrder = 0
  var lastSequence: UInt64
  var relays: [UInt64: Relay] = [:]

  var exchanges: [UInt64: Exchange] = [:]
  var joins: [UInt64: JoinProgress] = [:]
  var keyRingRuns: [UInt64: KeyRingRun] = [:]

  var nextProbe: UInt64
  var nextGossip: UInt64
  var nextPushPull: UInt64
  var nextReconnect: UInt64
  /// Claims to a taken name that were told of already.
  var knownConflicts: Set<String> = []

  /// What is counted since the beginning.
  public internal(set) var statistics = GossipStatistics()
  var outputs: [Output] = []

  /// A member that knows nobody yet.
  /// - Parameters:
  ///   - ourselves: name, address and tags as others shall see them. Its incarnation should be higher than in an earlier
  ///     life (the time in seconds does); if it is not, the others say so and it is raised.
  ///   - session: higher than in an earlier life, likewise; only counts while packets are encrypted.
  ///   - seed: random bits.
  ///   - now: monotonic nanoseconds, here and everywhere.
  public init(
    _ ourselves: Member, configuration: GossipConfiguration = GossipConfiguration(), keys: KeyRing,
    cipher: GossipCipher, session: UInt64, seed: UInt64, now: UInt64
  ) {
    self.configuration = configuration
    self.cipher = cipher
    self.keys = keys
    self.session = session
    ours = ourselves
    ours.status = .alive
    random = GossipRandom(seed: seed)
    replays = ReplayGuard(limit: configuration.maxMembers * 2)
    broadcasts = BroadcastQueue(limit: configuration.maxBroadcasts)
    awareness = Awareness(levels: configuration.maxAwareness)
    lastSequence = random.next() >> 1
    // At different times on each member, so that they don't all work in the same instant.
    nextProbe = now + random.next() % configuration.probeInterval
    nextGossip = now + random.next() % configuration.gossipInterval
    nextPushPull = now + random.next() % configuration.pushPullInterval
    nextReconnect = now + random.next() % configuration.reconnectInterval
  }

  /// Takes one input.
  /// - Parameter now: monotonic nanoseconds, never less than before.
  public mutating func step(_ input: Input, now: UInt64) -> [Output] {
    guard life != .gone else {
      if case .request(let id, _, _) = input { return [.refuse(request: id)] }
      return []
    }
    switch input {
    case .tick: break
    case .packet(let bytes, let source): receive(bytes, from: source, now: now)
    case .request(let id, let bytes, _): serve(id, bytes, now: now)
    case .answered(let id, let bytes): finish(id, bytes, now: now)
    case .exchangeFailed(let id, let reason): fail(id, reason)
    case .join(let operation, let addresses): join(operation, addresses)
    case .leave: leave(now: now)
    case .forceLeave(let name, let prune): forceLeave(name, prune: prune, now: now)
    case .setTags(let tags):
      guard tags != ours.tags else { break }
      ours.tags = tags
      ours.incarnation += 1
      broadcast(.alive(ours), about: ours.name)
    case .keyRing(let operation, let order): runKeyRing(operation, order)
    }
    tick(now)
    defer { outputs = [] }
    return outputs
  }

  // MARK: looking

  /// This member, as others see it.
  public var ourselves: Member { ours }

  /// All members that are not forgotten, this one first, then in the order in which they came.
  public var members: [Member] {
    [ours] + names.compactMap { peers[$0] }.filter { !$0.isPruned }.map(\.member)
  }

  /// Lifeguard's local health: 0 is well.
  public var healthScore: Int { awareness.score }

  /// The keys, the primary one first; empty while nothing is encrypted.
  public var installedKeys: [[UInt8]] { keys.all }

  /// News that waits to be told.
  public var queuedBroadcasts: Int { broadcasts.count }

  /// Members that are not known to be gone, this one included.
  var presentCount: Int { names.count { peers[$0]?.member.isPresent == true } + 1 }

  // MARK: time

  /// When `tick` has something to do at the earliest.
  public var nextTimer: UInt64 {
    var earliest = UInt64.max
    switch life {
    case .gone: return .max
    case .leaving(let until): earliest = until
    case .member:
      if let probe {
        earliest = min(earliest, probe.askedForHelp ? probe.endsAt : probe.helpAt)
      } else if !names.isEmpty {
        earliest = min(earliest, nextProbe)
      }
      if !names.isEmpty { earliest = min(earliest, nextPushPull, nextReconnect) }
      for name in suspects { earliest = min(earliest, peers[name]?.suspicion?.deadline ?? .max) }
    }
    if !broadcasts.isEmpty { earliest = min(earliest, nextGossip) }
    for relay in relays.values { earliest = min(earliest, relay.hasNacked ? relay.expiresAt : relay.nackAt) }
    return earliest
  }

  private mutating func tick(_ now: UInt64) {
    expireRelays(now)
    if life == .member {
      for name in suspects {
        guard let peer = peers[name], let deadline = peer.suspicion?.deadline, deadline <= now else { continue }
        handleGone(
          name, incarnation: peer.member.incarnation, from: ours.name, hasLeft: false, isPruned: false, now: now)
      }
      advanceProbe(now)
      if now >= nextPushPull { pushPull(now) }
      if now >= nextReconnect { reconnect(now) }
    }
    if now >= nextGossip {
      gossip(now)
      nextGossip = now + configuration.gossipInterval
    }
    if case .leaving(let until) = life, broadcasts.isEmpty || now >= until {
      life = .gone
      outputs.append(.left)
    }
  }
}
