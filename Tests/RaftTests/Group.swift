import Raft

/// A few cores with a perfect network and disks that are as fast or as slow as the test wants.
struct Group {
  var cores: [ServerID: RaftCore] = [:]
  /// Messages on their way, oldest first.
  var mail: [Message] = []
  /// What every server has applied.
  var applied: [ServerID: [Entry]] = [:]
  var readResults: [ServerID: [Output.ReadResult]] = [:]
  var events: [ServerID: [Output.Event]] = [:]
  var tasks: [ServerID: [Output.Task]] = [:]
  /// Writes that are not done; only on servers in `slowDisks`.
  var unwritten: [ServerID: [Output.Write]] = [:]
  /// What each server's disk got.
  var disk: [ServerID: [Output.Write]] = [:]
  var slowDisks: Set<ServerID> = []
  /// Servers that neither hear nor are heard.
  var cut: Set<ServerID> = []
  /// Messages that are lost.
  var loses: (Message) -> Bool = { _ in false }
  var now: UInt64 = 1_000_000_000
  var limits: Limits

  init(voters: Int, limits: Limits = Limits()) {
    self.limits = limits
    let membership = Membership(
      (1...voters).map { Member(id: ServerID(UInt64($0)), address: "s\($0)", role: .voter) })
    // A log that all have from the start; so no election has happened yet.
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: membership.encoded)
    for member in membership.members {
      add(member.id, RaftCore.Recovered(hardState: HardState(term: 1), entries: [first]))
    }
  }

  mutating func add(_ id: ServerID, _ recovered: RaftCore.Recovered = .init(), starts: UInt64 = 1) {
    cores[id] = RaftCore(
      id: id, incarnation: Incarnation(count: starts, bits: id.rawValue &* 77 &+ starts), limits: limits,
      recovered: recovered,
      now: now, jitter: id.rawValue &* 20_000_000)
    settle(id)
  }

  func core(_ id: ServerID) -> RaftCore {
    guard let core = cores[id] else { preconditionFailure("the test has no server \(id)") }
    return core
  }

  /// Calls one core and does what it says, except delivering messages.
  @discardableResult
  mutating func call<Value>(_ id: ServerID, _ body: (inout RaftCore, UInt64, UInt64) -> Value) -> Value {
    var core = core(id)
    let value = body(&core, now, id.rawValue &* 20_000_000)
    cores[id] = core
    settle(id)
    return value
  }

  mutating func settle(_ id: ServerID) {
    while let output = cores[id]?.takeOutput(), !output.isEmpty {
      mail += output.messages
      applied[id, default: []] += output.committed
      readResults[id, default: []] += output.reads
      events[id, default: []] += output.events
      tasks[id, default: []] += output.tasks
      if slowDisks.contains(id) {
        unwritten[id, default: []] += output.writes
      } else if let last = output.writes.last {
        disk[id, default: []] += output.writes
        cores[id]?.written(through: last.number, now: now, jitter: 0)
      }
    }
  }

  /// The slow disk of a server is done with everything.
  mutating func sync(_ id: ServerID) {
    guard let writes = unwritten.removeValue(forKey: id), let last = writes.last else { return }
    disk[id, default: []] += writes
    call(id) { core, now, _ in core.written(through: last.number, now: now, jitter: 0) }
  }

  /// Delivers until nobody has anything to say.
  mutating func deliver() {
    while !mail.isEmpty {
      let message = mail.removeFirst()
      guard !cut.contains(message.from), !cut.contains(message.to), !loses(message), cores[message.to] != nil else {
        continue
      }
      call(message.to) { core, now, jitter in core.receive(message, now: now, jitter: jitter) }
    }
  }

  /// Time passes in steps of 10 ms; messages arrive at once.
  mutating func run(milliseconds: UInt64) {
    for _ in 0..<(milliseconds / 10) {
      now += 10_000_000
      for id in cores.keys.sorted() where core(id).nextDeadline <= now {
        call(id) { core, now, jitter in core.tick(now: now, jitter: jitter) }
      }
      deliver()
    }
  }

  /// Makes one server leader: its election timeout passes and the others' does not.
  mutating func elect(_ id: ServerID) {
    guard core(id).role != .leader else { return }
    now += limits.electionTimeout
    let deadline = core(id).nextDeadline
    now = max(now, deadline)
    call(id) { core, now, jitter in core.tick(now: now, jitter: jitter) }
    deliver()
  }

  @discardableResult
  mutating func propose(_ id: ServerID, _ text: String) -> Result<UInt64, Refusal> {
    call(id) { core, now, jitter in core.propose([Proposal(kind: 1, bytes: Array(text.utf8))], now: now, jitter: jitter)
    }
  }

  func texts(_ id: ServerID) -> [String] {
    (applied[id] ?? []).filter { $0.kind == 1 }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// As if the leader had sent it.
  mutating func inject(_ body: Message.Body, from: ServerID, to: ServerID, term: UInt64) -> [Message] {
    let message = Message(
      from: from, to: to, term: term, incarnation: Incarnation(count: 1, bits: from.rawValue &* 77 &+ 1), body: body)
    mail = []
    call(to) { core, now, jitter in core.receive(message, now: now, jitter: jitter) }
    defer { mail = [] }
    return mail
  }
}

func id(_ number: UInt64) -> ServerID { ServerID(number) }

/// Entries of the given terms, from index 1.
func log(_ terms: [UInt64]) -> [Entry] {
  terms.enumerated().map { Entry(index: UInt64($0 + 1), term: $1, kind: 1, bytes: [UInt8(truncatingIfNeeded: $0)]) }
}

func members(_ ids: [UInt64], learners: [UInt64] = []) -> Membership {
  Membership(
    ids.map { Member(id: id($0), address: "s\($0)", role: .voter) }
      + learners.map { Member(id: id($0), address: "s\($0)", role: .learner) })
}
