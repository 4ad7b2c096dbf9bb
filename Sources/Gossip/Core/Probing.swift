/// The failure detector: SWIM §3.1 and §4.3, Lifeguard §IV-A.
extension GossipCore {
  mutating func advanceProbe(_ now: UInt64) {
    if let running = probe {
      if now >= running.endsAt {
        probeFailed(running, now)
      } else if now >= running.helpAt, !running.askedForHelp {
        askForHelp(running, now)
      }
    }
    if probe == nil, now >= nextProbe { beginProbe(now) }
  }

  private mutating func beginProbe(_ now: UInt64) {
    let interval = awareness.scale(configuration.probeInterval)
    nextProbe = now + interval
    guard let name = nextTarget(), let peer = peers[name] else { return }
    lastSequence += 1
    let timeout = min(awareness.scale(configuration.probeTimeout), interval)
    probe = Probe(
      target: name, incarnation: peer.member.incarnation, sequence: lastSequence, helpAt: now + timeout,
      endsAt: now + interval)
    statistics.probes += 1
    var messages = [Message.ping(sequence: lastSequence, target: name)]
    if peer.member.status == .suspect {
      // Who is suspected hears it with the first packet that reaches it (Lifeguard §IV-C, "Buddy System").
      messages.append(.suspect(name: name, incarnation: peer.member.incarnation, from: ours.name))
    }
    send(messages, to: peer.member.address)
  }

  /// Round-robin through a random order, so that everybody is probed within a bounded time (SWIM §4.3).
  private mutating func nextTarget() -> String? {
    for _ in 0...probeOrder.count {
      if nextInOrder >= probeOrder.count {
        probeOrder.shuffle(using: &random)
        nextInOrder = 0
      }
      guard nextInOrder < probeOrder.count else { return nil }
      let name = probeOrder[nextInOrder]
      nextInOrder += 1
      if peers[name]?.member.isPresent == true { return name }
    }
    return nil
  }

  private mutating func askForHelp(_ running: Probe, _ now: UInt64) {
    probe?.askedForHelp = true
    guard let target = peers[running.target]?.member else { return }
    let candidates = names.filter { $0 != running.target && peers[$0]?.member.status == .alive }
    let helpers = random.sample(candidates, configuration.indirectProbes)
    probe?.expectedNacks = helpers.count
    for helper in helpers {
      guard let address = peers[helper]?.member.address else { continue }
      send(
        [.indirectPing(sequence: running.sequence, target: running.target, address: target.address)], to: address)
    }
    begin(.ping(target: running.target), to: target.address, for: .probe(running.sequence))
  }

  mutating func acknowledged(_ sequence: UInt64, now: UInt64) {
    if probe?.sequence == sequence {
      probe = nil
      awareness.apply(-1)
    } else if let relay = relays.removeValue(forKey: sequence) {
      send([.ack(sequence: relay.sequence)], to: relay.requester)
    }
  }

  /// The probe over TCP came through: the target lives, only packets don't reach it.
  mutating func acknowledgedOverTCP(_ sequence: UInt64) {
    guard probe?.sequence == sequence else { return }
    probe = nil
    statistics.probesSavedByTCP += 1
  }

  private mutating func probeFailed(_ running: Probe, _ now: UInt64) {
    probe = nil
    statistics.probesFailed += 1
    // Helpers that did not even say "nothing yet" are a sign that the trouble is here.
    awareness.apply(running.expectedNacks > 0 ? running.expectedNacks - running.nacks : 1)
    handleSuspect(running.target, incarnation: running.incarnation, from: ours.name, now: now)
  }

  // MARK: for others

  mutating func relay(
    _ sequence: UInt64, _ target: String, _ address: GossipAddress, for requester: GossipAddress, now: UInt64
  ) {
    guard relays.count < configuration.maxRelays else { return }
    lastSequence += 1
    relays[lastSequence] = Relay(
      requester: requester, sequence: sequence,
      nackAt: now + configuration.probeTimeout * configuration.nackPercent / 100,
      // As long as a prober in poor health waits.
      expiresAt: now + configuration.probeInterval * UInt64(max(1, configuration.maxAwareness)))
    send([.ping(sequence: lastSequence, target: target)], to: address)
  }

  mutating func expireRelays(_ now: UInt64) {
    guard !relays.isEmpty else { return }
    for number in relays.keys.sorted() {
      guard let relay = relays[number] else { continue }
      if now >= relay.expiresAt {
        relays[number] = nil
      } else if now >= relay.nackAt, !relay.hasNacked {
        relays[number]?.hasNacked = true
        send([.nack(sequence: relay.sequence)], to: relay.requester)
      }
    }
  }
}
