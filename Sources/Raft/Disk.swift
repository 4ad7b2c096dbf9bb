extension RaftCore {
  mutating func write(_ write: Output.Write) {
    var write = write
    write.number = nextWrite
    nextWrite += 1
    writing.append((write.number, write.entries.last?.index ?? 0))
    output.writes.append(write)
  }

  mutating func writeHardState() {
    hardStateWrite = nextWrite
    write(Output.Write(number: 0, hardState: HardState(term: term, vote: vote), truncateFrom: nil, entries: []))
  }

  /// Every write up to this number is on disk.
  public mutating func written(through number: UInt64, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard number > writtenThrough else { return }
    writtenThrough = number
    var done = 0
    while done < writing.count, writing[done].number <= number {
      durable = max(durable, writing[done].last)
      done += 1
    }
    writing.removeSubrange(0..<done)
    var released = 0
    while released < held.count, held[released].after <= number {
      output.messages.append(held[released].message)
      released += 1
    }
    held.removeSubrange(0..<released)
    countOwnVote()
    if role == .leader { advanceCommit() }
    deliver()
    if role == .leader, isAlone { finishReads() }
  }

  /// A write failed because there is no room; nothing of it or of later ones is on disk. This server leaves the work to
  /// others until `storageRecovered`, instead of acknowledging what it can't keep.
  public mutating func storageFull(now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard !isStorageFull else { return }
    isStorageFull = true
    held = []
    // Its pieces may or may not be there; the leader begins anew.
    incoming = nil
    if role != .follower { follow(term: term, leader: nil, why: "the disk is full") }
  }

  /// There is room again. The log is what the disk says, which lacks what could not be written.
  ///
  /// The shell reports no write from before as done after this.
  public mutating func storageRecovered(_ recovered: Recovered, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    isStorageFull = false
    held = []
    writing = []
    writtenThrough = nextWrite - 1
    log = Log(base: recovered.base, entries: recovered.entries)
    durable = log.last
    // What was handed out was on disk. Anything beyond may be an entry that a newer leader has overruled: what is
    // committed at its place is to be heard from that leader again.
    commit = delivered
    memberships = []
    if let snapshot = recovered.snapshot { memberships.append((snapshot.membershipIndex, snapshot.membership)) }
    for entry in recovered.entries where entry.kind == Entry.membershipKind {
      if entry.index > memberships.last?.index ?? 0, let membership = Membership(decoding: entry.bytes) {
        memberships.append((entry.index, membership))
      }
    }
    snapshot = recovered.snapshot
    rebuildPeers()
    // The term of memory may be newer than the disk's; nothing was said in it yet.
    if recovered.hardState.term > term { term = recovered.hardState.term; vote = recovered.hardState.vote }
    if recovered.hardState.term < term || recovered.hardState.vote != vote { writeHardState() }
    leaderContact = max(1, now)
    resetElectionTimer()
    campaignIfAlone()
  }
}
