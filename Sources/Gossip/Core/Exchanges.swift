/// What goes over TCP: joins, the whole state now and then, probes that no packet answered, the key ring.
extension GossipCore {
  /// An exchange that we began.
  struct Exchange: Sendable {
    enum Purpose: Sendable {
      case pushPull
      case join(operation: UInt64)
      case probe(UInt64)
      case keyRing(operation: UInt64, member: String)
    }

    let request: ExchangeRequest
    let purpose: Purpose
    let address: GossipAddress
    /// It was answered that our session is an old one, and begun again.
    var isSecondTry = false
  }

  struct JoinProgress: Sendable {
    var left: Int
    var reached = 0
    var reachedOurselves = 0
    var failures: [GossipAddress: String] = [:]
  }

  struct KeyRingRun: Sendable {
    var left: Int
    var report = KeyRingReport()
  }

  @discardableResult
  mutating func begin(
    _ request: ExchangeRequest, to address: GossipAddress, for purpose: Exchange.Purpose, isSecondTry: Bool = false
  ) -> UInt64? {
    let number = random.next()
    lastRequest += 1
    let envelope = Envelope(
      lane: .request, sender: ours.name, session: session, number: lastRequest, exchange: number)
    guard exchanges[number] == nil, let bytes = envelope.packed(request.encoded, keys, cipher) else { return nil }
    exchanges[number] = Exchange(request: request, purpose: purpose, address: address, isSecondTry: isSecondTry)
    outputs.append(.exchange(number, bytes, to: address))
    return number
  }

  // MARK: as the one who asks

  mutating func finish(_ number: UInt64, _ bytes: [UInt8], now: UInt64) {
    guard exchanges[number] != nil else { return }
    guard let (envelope, rest) = unpack(bytes), envelope.lane == .answer, envelope.exchange == number else {
      fail(number, "its answer can't be read: does it have the same `encrypt` key and version?")
      return
    }
    let answer: ExchangeAnswer
    do throws(MalformedPacket) {
      var reader = rest
      answer = try ExchangeAnswer(from: &reader)
    } catch {
      statistics.malformed += 1
      fail(number, "its answer is malformed: \(error.problem)")
      return
    }
    guard let exchange = exchanges.removeValue(forKey: number) else { return }
    switch (exchange.purpose, answer) {
    case (_, .oldSession(let known)) where !exchange.isSecondTry:
      session = max(session, min(known, .max - 1) + 1)
      (lastPacket, lastRequest) = (0, 0)
      begin(exchange.request, to: exchange.address, for: exchange.purpose, isSecondTry: true)
    case (.pushPull, .pushPull(let members)): merge(members, from: envelope.sender, now: now)
    case (.join(let operation), .pushPull(let members)):
      merge(members, from: envelope.sender, now: now)
      endJoin(operation) { $0.reached += 1 }
    case (.join(let operation), .notTheTarget): endJoin(operation) { $0.reachedOurselves += 1 }
    case (.probe(let sequence), .pong): acknowledgedOverTCP(sequence)
    case (.keyRing(let operation, let member), .keyRing(let keys, let error)):
      endKeyRing(operation) { report in
        if error.isEmpty { report.add(keys) } else { report.errors[member] = error }
      }
    default: end(exchange, "it answered something else than what it was asked")
    }
  }

  mutating func fail(_ number: UInt64, _ reason: String) {
    if let exchange = exchanges.removeValue(forKey: number) { end(exchange, reason) }
  }

  private mutating func end(_ exchange: Exchange, _ reason: String) {
    switch exchange.purpose {
    case .pushPull, .probe: break
    case .join(let operation): endJoin(operation) { $0.failures[exchange.address] = reason }
    case .keyRing(let operation, let member): endKeyRing(operation) { $0.errors[member] = reason }
    }
  }

  mutating func join(_ operation: UInt64, _ addresses: [GossipAddress]) {
    joins[operation] = JoinProgress(left: addresses.count)
    for address in addresses {
      let request = ExchangeRequest.pushPull(isJoin: true, members: wholeState())
      if begin(request, to: address, for: .join(operation: operation)) == nil {
        endJoin(operation) { $0.failures[address] = "the packet can't be encrypted" }
      }
    }
    if addresses.isEmpty { endJoin(operation) { $0.left = 1 } }
  }

  private mutating func endJoin(_ operation: UInt64, _ note: (inout JoinProgress) -> Void) {
    guard var progress = joins[operation] else { return }
    note(&progress)
    progress.left -= 1
    joins[operation] = progress
    guard progress.left <= 0 else { return }
    joins[operation] = nil
    // Our own address in a list that is the same on every server is no success, unless it is all there is.
    let onlyOurselves = progress.reached == 0 && progress.failures.isEmpty ? progress.reachedOurselves : 0
    outputs.append(
      .joined(operation: operation, reached: progress.reached + onlyOurselves, failures: progress.failures))
  }

  // MARK: now and then

  mutating func pushPull(_ now: UInt64) {
    nextPushPull = now + configuration.pushPullInterval
    reap(now)
    let present = names.filter { peers[$0]?.member.isPresent == true }
    guard let name = random.sample(present, 1).first, let address = peers[name]?.member.address else { return }
    begin(.pushPull(isJoin: false, members: wholeState()), to: address, for: .pushPull)
  }

  /// A failed member may only have been out of reach.
  mutating func reconnect(_ now: UInt64) {
    nextReconnect = now + configuration.reconnectInterval
    let failed = names.filter { peers[$0]?.member.status == .failed && peers[$0]?.isPruned == false }
    guard let name = random.sample(failed, 1).first, let address = peers[name]?.member.address else { return }
    begin(.pushPull(isJoin: false, members: wholeState()), to: address, for: .pushPull)
  }

  // MARK: the key ring

  mutating func runKeyRing(_ operation: UInt64, _ order: KeyRingOperation) {
    let present = names.filter { peers[$0]?.member.isPresent == true }
    keyRingRuns[operation] = KeyRingRun(left: present.count + 1)
    keyRingRuns[operation]?.report.members = present.count + 1
    // The others first: they are told under the key that they have.
    for name in present {
      guard let address = peers[name]?.member.address, !keys.isEmpty else {
        endKeyRing(operation) { $0.errors[name] = "gossip is not encrypted" }
        continue
      }
      if begin(.keyRing(order), to: address, for: .keyRing(operation: operation, member: name)) == nil {
        endKeyRing(operation) { $0.errors[name] = "the request can't be encrypted" }
      }
    }
    let (ring, error) = apply(order)
    let name = ours.name
    endKeyRing(operation) { report in
      if let error { report.errors[name] = error.description } else { report.add(ring) }
    }
  }

  private mutating func apply(_ order: KeyRingOperation) -> ([[UInt8]], KeyRingError?) {
    let before = keys
    do throws(KeyRingError) {
      try keys.apply(order)
    } catch {
      return (keys.all, error)
    }
    if keys != before { outputs.append(.keysChanged(keys.all)) }
    return (keys.all, nil)
  }

  private mutating func endKeyRing(_ operation: UInt64, _ note: (inout KeyRingReport) -> Void) {
    guard var run = keyRingRuns[operation] else { return }
    note(&run.report)
    run.left -= 1
    keyRingRuns[operation] = run
    guard run.left <= 0 else { return }
    keyRingRuns[operation] = nil
    outputs.append(.keyRing(operation: operation, run.report))
  }

  // MARK: as the one who is asked

  mutating func serve(_ id: UInt64, _ bytes: [UInt8], now: UInt64) {
    statistics.framesReceived += 1
    guard let answer = answer(bytes, now: now) else {
      outputs.append(.refuse(request: id))
      return
    }
    outputs.append(.answer(request: id, answer))
  }

  private mutating func answer(_ bytes: [UInt8], now: UInt64) -> [UInt8]? {
    guard let (envelope, rest) = unpack(bytes) else { return nil }
    guard envelope.lane == .request else {
      statistics.malformed += 1
      return nil
    }
    if envelope.sender == ours.name {
      // Our own address in our own list; or a stranger of our name, who is not taken in.
      return envelope.session == session ? pack(.notTheTarget, envelope) : nil
    }
    if !keys.isEmpty {
      switch replays.judge(envelope) {
      case .fresh: break
      case .replayed:
        statistics.replayed += 1
        return nil
      case .oldSession(let known):
        statistics.replayed += 1
        return pack(.oldSession(known), envelope)
      }
    }
    let request: ExchangeRequest
    do throws(MalformedPacket) {
      var reader = rest
      request = try ExchangeRequest(from: &reader)
    } catch {
      statistics.malformed += 1
      return nil
    }
    switch request {
    case .ping(let target): return pack(target == ours.name ? .pong : .notTheTarget, envelope)
    case .pushPull(_, let members):
      guard life == .member else { return nil }
      merge(members, from: envelope.sender, now: now)
      return pack(.pushPull(members: wholeState(for: envelope.sender)), envelope)
    case .keyRing(let order):
      guard !keys.isEmpty else { return nil }
      // Answered under the key it was asked under: who asks may not have the new one yet.
      let before = keys
      let (ring, error) = apply(order)
      return pack(.keyRing(keys: ring, error: error?.description ?? ""), envelope, under: before)
    }
  }

  private func pack(_ answer: ExchangeAnswer, _ request: Envelope, under ring: KeyRing? = nil) -> [UInt8]? {
    Envelope(lane: .answer, sender: ours.name, session: session, number: 0, exchange: request.exchange).packed(
      answer.encoded, ring ?? keys, cipher)
  }
}
