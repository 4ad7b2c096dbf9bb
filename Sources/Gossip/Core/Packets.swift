internal import Glibc

/// Packets in and out.
extension GossipCore {
  mutating func receive(_ bytes: [UInt8], from source: GossipAddress, now: UInt64) {
    statistics.packetsReceived += 1
    guard let (envelope, rest) = unpack(bytes), envelope.sender != ours.name else { return }
    guard envelope.lane == .packet else {
      statistics.malformed += 1
      return
    }
    guard keys.isEmpty || replays.judge(envelope) == .fresh else {
      statistics.replayed += 1
      return
    }
    // All of a packet or nothing of it.
    var messages: [Message] = []
    do throws(MalformedPacket) {
      var reader = rest
      while !reader.isAtEnd {
        if let message = try Message.read(from: &reader) { messages.append(message) }
      }
    } catch {
      statistics.malformed += 1
      return
    }
    for message in messages { handle(message, from: source, now: now) }
  }

  /// Nil, and counted, when the bytes can't be taken.
  mutating func unpack(_ bytes: [UInt8]) -> (Envelope, WireReader)? {
    do throws(Envelope.Refusal) {
      return try Envelope.unpack(bytes, keys, cipher)
    } catch {
      switch error {
      case .malformed: statistics.malformed += 1
      case .incompatible: statistics.incompatible += 1
      case .unencrypted: statistics.unencrypted += 1
      case .wronglyKeyed: statistics.wronglyKeyed += 1
      }
      return nil
    }
  }

  private mutating func handle(_ message: Message, from source: GossipAddress, now: UInt64) {
    switch message {
    case .ping(let sequence, let target):
      // Who was restarted on another's address must not answer for it.
      if target == ours.name { send([.ack(sequence: sequence)], to: source) }
    case .indirectPing(let sequence, let target, let address):
      relay(sequence, target, address, for: source, now: now)
    case .ack(let sequence): acknowledged(sequence, now: now)
    case .nack(let sequence):
      if probe?.sequence == sequence, let expected = probe?.expectedNacks, let got = probe?.nacks, got < expected {
        probe?.nacks += 1
      }
    case .alive(let member): handleAlive(member, now: now)
    case .suspect(let name, let incarnation, let accuser):
      handleSuspect(name, incarnation: incarnation, from: accuser, now: now)
    case .gone(let name, let incarnation, let teller, let hasLeft, let isPruned):
      handleGone(name, incarnation: incarnation, from: teller, hasLeft: hasLeft, isPruned: isPruned, now: now)
    }
  }

  // MARK: out

  /// Sends messages and, in what room is left, news.
  mutating func send(_ messages: [Message], to address: GossipAddress) {
    var content: [UInt8] = []
    for message in messages { content.append(contentsOf: message.encoded) }
    content.append(contentsOf: broadcasts.take(room: room - content.count, transmitLimit: transmitLimit))
    sendPacket(content, to: address)
  }

  private mutating func sendPacket(_ content: [UInt8], to address: GossipAddress) {
    lastPacket += 1
    let envelope = Envelope(lane: .packet, sender: ours.name, session: session, number: lastPacket, exchange: 0)
    guard let bytes = envelope.packed(content, keys, cipher) else { return }
    statistics.packetsSent += 1
    outputs.append(.send(bytes, to: address))
  }

  /// Bytes of messages that fit a packet.
  private var room: Int {
    configuration.maxPacketBytes - Envelope.overhead(sender: ours.name) - (keys.isEmpty ? 0 : cipher.overheadBytes)
  }

  /// How often a piece of news is told (SWIM §4.1: λ log n).
  private var transmitLimit: Int {
    configuration.retransmitFactor * max(1, Int(log10(Double(presentCount + 1)).rounded(.up)))
  }

  mutating func broadcast(_ message: Message, about name: String) {
    if !broadcasts.add(name, message.encoded) { statistics.broadcastsDropped += 1 }
  }

  /// Tells the news to a few members.
  mutating func gossip(_ now: UInt64) {
    guard !broadcasts.isEmpty else { return }
    let candidates = names.filter { name in
      guard let peer = peers[name], !peer.isPruned else { return false }
      return peer.member.isPresent
        || peer.member.status == .failed && now < peer.changedAt + configuration.gossipToFailed
    }
    if candidates.isEmpty {
      // Nobody to tell. Whoever comes gets the whole state.
      _ = broadcasts.take(room: .max, transmitLimit: 0)
      return
    }
    for name in random.sample(candidates, configuration.gossipFanout) {
      guard let address = peers[name]?.member.address, !broadcasts.isEmpty else { return }
      sendPacket(broadcasts.take(room: room, transmitLimit: transmitLimit), to: address)
    }
  }
}
