/// What is said of members, and what is believed of it (SWIM §4.2).
extension GossipCore {
  mutating func handleAlive(_ member: Member, now: UInt64) {
    if member.name == ours.name {
      hearOfOurselves(member)
      return
    }
    guard member.isCompatible else {
      tell(of: member, .incompatible(member))
      return
    }
    guard let known = peers[member.name] else {
      if add(member, status: .alive, now: now) {
        broadcast(.alive(member), about: member.name)
        outputs.append(.event(.joined(alive(member))))
      }
      return
    }
    guard !known.member.isPresent || Self.isSame(known.member, member) else {
      tell(of: member, .conflict(member: known.member, other: member.address))
      return
    }
    guard member.incarnation > known.member.incarnation else { return }
    setStatus(member.name, .alive, now)
    let record = alive(member)
    peers[member.name]?.member = record
    peers[member.name]?.isPruned = false
    broadcast(.alive(member), about: member.name)
    if !known.member.isPresent || known.isPruned {
      outputs.append(.event(.joined(alive(member))))
    } else if known.member.address != member.address || known.member.tags != member.tags {
      outputs.append(.event(.updated(alive(member))))
    }
  }

  mutating func handleSuspect(_ name: String, incarnation: UInt64, from accuser: String, now: UInt64) {
    if name == ours.name {
      refute(incarnation)
      return
    }
    guard let known = peers[name], incarnation >= known.member.incarnation else { return }
    switch known.member.status {
    case .suspect:
      guard peers[name]?.suspicion?.confirm(from: accuser) == true else { return }
      broadcast(.suspect(name: name, incarnation: incarnation, from: accuser), about: name)
    case .alive:
      statistics.suspicions += 1
      setStatus(name, .suspect, now)
      peers[name]?.member.incarnation = incarnation
      let suspicion = Suspicion(
        from: accuser, members: presentCount, configuration: configuration, now: now)
      peers[name]?.suspicion = suspicion
      suspects.append(name)
      broadcast(.suspect(name: name, incarnation: incarnation, from: accuser), about: name)
    case .failed, .left: return
    }
  }

  mutating func handleGone(
    _ name: String, incarnation: UInt64, from teller: String, hasLeft: Bool, isPruned: Bool, now: UInt64
  ) {
    if name == ours.name {
      refute(incarnation)
      return
    }
    guard let known = peers[name], incarnation >= known.member.incarnation else { return }
    let status: Member.Status = hasLeft ? .left : .failed
    switch known.member.status {
    case .alive, .suspect: break
    case .failed: guard hasLeft else { return }
    case .left: guard isPruned, !known.isPruned else { return }
    }
    peers[name]?.member.incarnation = incarnation
    if known.member.status != status { setStatus(name, status, now) }
    broadcast(
      .gone(name: name, incarnation: incarnation, from: teller, hasLeft: hasLeft, isPruned: isPruned), about: name)
    guard let member = peers[name]?.member else { return }
    if known.member.status != status { outputs.append(.event(hasLeft ? .left(member) : .failed(member))) }
    if isPruned {
      peers[name]?.isPruned = true
      outputs.append(.event(.removed(member)))
    }
  }

  /// Takes over what another member knows.
  mutating func merge(_ members: [Member], from sender: String, now: UInt64) {
    for member in members {
      switch member.status {
      case .alive: handleAlive(member, now: now)
      case .suspect:
        handleAlive(alive(member), now: now)
        handleSuspect(member.name, incarnation: member.incarnation, from: sender, now: now)
      case .failed, .left:
        if member.name != ours.name, peers[member.name] == nil {
          // No news for anybody: kept so that it can come back, or be forgotten, here as well.
          if member.isCompatible { _ = add(member, status: member.status, now: now) }
        } else if member.status == .failed {
          // It gets its chance to object to us, too.
          handleSuspect(member.name, incarnation: member.incarnation, from: sender, now: now)
        } else {
          handleGone(
            member.name, incarnation: member.incarnation, from: sender, hasLeft: true, isPruned: false, now: now)
        }
      }
    }
  }

  /// All that this member knows, itself first.
  /// - Parameter reader: who is told. One that was pruned hears so, and contradicts; nobody else hears of it.
  func wholeState(for reader: String? = nil) -> [Member] {
    guard let reader, let peer = peers[reader], peer.isPruned else { return members }
    return members + [peer.member]
  }

  // MARK: ourselves

  private mutating func hearOfOurselves(_ member: Member) {
    guard Self.isSame(ours, member) else {
      tell(of: member, .conflict(member: ours, other: member.address))
      return
    }
    let differs = member.address != ours.address || member.tags != ours.tags
    if member.incarnation > ours.incarnation || differs && member.incarnation == ours.incarnation {
      refute(member.incarnation)
    }
  }

  /// Contradicts what is said of this member.
  private mutating func refute(_ incarnation: UInt64) {
    guard life == .member, incarnation >= ours.incarnation else { return }
    statistics.refutations += 1
    ours.incarnation = min(incarnation, MemberLimits.incarnation - 1) + 1
    awareness.apply(1)
    broadcast(.alive(ours), about: ours.name)
  }

  mutating func leave(now: UInt64) {
    guard life == .member else { return }
    ours.status = .left
    life = .leaving(until: now + configuration.leaveTimeout)
    probe = nil
    let goodbye = Message.gone(
      name: ours.name, incarnation: ours.incarnation, from: ours.name, hasLeft: true, isPruned: false)
    // To some at once, to the others by gossip.
    let present = names.filter { peers[$0]?.member.isPresent == true }
    for name in random.sample(present, 16) {
      if let address = peers[name]?.member.address { send([goodbye], to: address) }
    }
    if !present.isEmpty { broadcast(goodbye, about: ours.name) }
  }

  mutating func forceLeave(_ name: String, prune: Bool, now: UInt64) {
    guard name != ours.name, let known = peers[name] else { return }
    handleGone(
      name, incarnation: known.member.incarnation, from: ours.name, hasLeft: true, isPruned: prune, now: now)
  }

  // MARK: the table

  /// The same member, perhaps at another address; not another one that took its name.
  static func isSame(_ one: Member, _ other: Member) -> Bool {
    if one.address == other.address { return true }
    guard let id = one.tags["id"], !id.isEmpty else { return false }
    return id == other.tags["id"]
  }

  private func alive(_ member: Member) -> Member {
    var member = member
    member.status = .alive
    return member
  }

  private mutating func add(_ member: Member, status: Member.Status, now: UInt64) -> Bool {
    guard names.count < configuration.maxMembers else {
      statistics.membersRefused += 1
      return false
    }
    var member = member
    member.status = status
    if names.isEmpty { restartTimers(now) }
    peers[member.name] = Peer(member: member, changedAt: now)
    names.append(member.name)
    // Somewhere in what is left of the round (SWIM §4.3).
    probeOrder.insert(member.name, at: random.below(probeOrder.count + 1))
    return true
  }

  /// While there was nobody, time went on without the timers.
  private mutating func restartTimers(_ now: UInt64) {
    nextProbe = max(nextProbe, now + random.next() % configuration.probeInterval)
    nextPushPull = max(nextPushPull, now + random.next() % configuration.pushPullInterval)
    nextReconnect = max(nextReconnect, now + random.next() % configuration.reconnectInterval)
    nextGossip = max(nextGossip, now)
  }

  private mutating func setStatus(_ name: String, _ status: Member.Status, _ now: UInt64) {
    if peers[name]?.member.status == .suspect { suspects.removeAll { $0 == name } }
    peers[name]?.suspicion = nil
    peers[name]?.member.status = status
    peers[name]?.changedAt = now
    if probe?.target == name, status == .failed || status == .left { probe = nil }
  }

  /// Forgets members that have been gone for long.
  mutating func reap(_ now: UInt64) {
    for name in names {
      guard let peer = peers[name], !peer.member.isPresent else { continue }
      let retention =
        peer.member.status == .failed ? configuration.failedRetention : configuration.leftRetention
      guard now >= peer.changedAt + retention else { continue }
      peers[name] = nil
      names.removeAll { $0 == name }
      probeOrder.removeAll { $0 == name }
      replays.forget(name)
      if !peer.isPruned { outputs.append(.event(.removed(peer.member))) }
    }
  }

  /// An event that would come again with every packet, once.
  private mutating func tell(of member: Member, _ event: MembershipEvent) {
    guard knownConflicts.count < 256, knownConflicts.insert("\(member.name) \(member.address)").inserted else { return }
    outputs.append(.event(event))
  }
}
