internal import Codec
internal import Glibc
public import Gossip
internal import Linux
public import Log
public import Model
internal import Synchronization
internal import TLS
internal import Transport

/// A server's part in the gossip pool: the core (`GossipCore`), its sockets, its files, and its servers by name.
public final class Membership: Sendable {
  /// What came of a join.
  public struct JoinResult: Sendable {
    /// Servers that were reached.
    public var reached = 0
    /// Why others were not, by the address given.
    public var failures: [String: String] = [:]
  }

  private let configuration: MembershipConfiguration
  private let driver: GossipDriver
  private let listener: FrameListener
  private let reactor: Reactor
  private let disk: DiskWriter
  private let logger: Logger
  /// What was on disk at the start.
  private let before: KnownServersFile
  private let hasLeft = Atomic(false)
  /// The port listened on, UDP and TCP.
  public let port: UInt16

  /// Binds the sockets and becomes a pool of one.
  /// - Parameter onChange: told of every change of another server, in order, on gossip's own thread: it must not block.
  /// - Throws: `MembershipError` for addresses, keys and files that can't be used.
  public init(
    _ configuration: MembershipConfiguration, logger: Logger,
    onChange: @escaping @Sendable (ServerMemberChange) -> Void
  ) throws(MembershipError) {
    self.configuration = configuration
    self.logger = logger
    let keyFile = "\(configuration.folder)/\(KeyRingFile.name)"
    let membersFile = "\(configuration.folder)/\(KnownServersFile.name)"
    let (keys, ignoresKey) = try KeyRingFile.load(keyFile, configured: configuration.encryptKey)
    if ignoresKey {
      logger.warn(
        "the key ring on disk is used, not the configured `encrypt` key", ("path", keyFile))
    }
    before = KnownServersFile.load(membersFile)
    let sockets = try GossipSockets(host: configuration.bindHost, port: configuration.port)
    port = sockets.port
    let disk = DiskWriter(logger: logger)
    self.disk = disk
    let now = Clock.realtimeNanoseconds
    let ourselves = Member(
      name: configuration.name,
      address: GossipAddress(
        host: configuration.advertisedHost, port: configuration.advertisedPort ?? sockets.port),
      tags: configuration.tags, incarnation: UInt64(clamping: now / 1_000_000_000))
    do {
      let seed = try SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
      let core = GossipCore(
        ourselves, configuration: configuration.gossip, keys: keys, cipher: .aesGCM, session: UInt64(clamping: now),
        seed: seed, now: UInt64(Clock.monotonicNanoseconds))
      reactor = try Reactor(named: "gossip")
      let changes = ChangeSink(logger: logger, onChange: onChange)
      driver = GossipDriver(
        core: core, socket: sockets.packets, reactor: reactor, logger: logger, onEvent: { changes.take($0) },
        onKeys: { disk.write(keyFile, KeyRingFile.encode($0)) })
      listener = FrameListener(sockets.listener, driver: driver)
      changes.afterEach { [weak self] in self?.remember() }
      try driver.register()
      try listener.register()
    } catch {
      throw MembershipError("gossip can't start: \(error)")
    }
    if !keys.isEncrypting {
      logger.warn("gossip is not encrypted: anybody who reaches the port can change who is a server (server.encrypt)")
    } else if !Files.exists(keyFile) {
      disk.write(keyFile, KeyRingFile.encode(driver.view.keys))
    }
  }

  // MARK: looking

  /// All members that are not forgotten, this one first.
  public var members: [Member] { driver.view.members }

  /// The same as servers.
  public var servers: [ServerMember] { members.map { ServerMember($0) } }

  /// The same as the API shows them.
  public var agentMembers: [AgentMember] { members.map { AgentMember($0) } }

  /// Whether gossip is encrypted.
  public var isEncrypted: Bool { !driver.view.keys.isEmpty }

  /// Figures for `agent/self`.
  public var statistics: [String: String] {
    let view = driver.view
    var figures: [String: String] = [:]
    for (name, value) in view.statistics.fields { figures[name] = "\(value)" }
    figures["members"] = "\(view.members.count)"
    figures["failed"] = "\(view.members.count { $0.status == .failed })"
    figures["left"] = "\(view.members.count { $0.status == .left })"
    figures["health_score"] = "\(view.healthScore)"
    figures["queued"] = "\(view.queuedBroadcasts)"
    figures["encrypted"] = "\(!view.keys.isEmpty)"
    return figures
  }

  // MARK: orders

  /// Joins the pool that these servers are in.
  /// - Parameter addresses: `host:port` of their gossip; the port defaults to 4648, names are looked up.
  public func join(_ addresses: [String]) async -> JoinResult {
    var result = JoinResult()
    var given: [GossipAddress: String] = [:]
    var targets: [GossipAddress] = []
    for text in addresses {
      do throws(RPCError) {
        let (host, port) = try Resolver.split(text, defaultPort: MembershipConfiguration.defaultPort)
        for found in try await Resolver.addresses(host, port) {
          let target = GossipAddress(host: found.host, port: found.port)
          if given.updateValue(text, forKey: target) == nil { targets.append(target) }
        }
      } catch {
        result.failures[text] = error.message
      }
    }
    guard !targets.isEmpty else { return result }
    let wanted = targets
    let outcome = await withCheckedContinuation { driver.give(.join(wanted, $0)) }
    result.reached = outcome.reached
    for (address, reason) in outcome.failures { result.failures[given[address] ?? "\(address)"] = reason }
    return result
  }

  /// Takes a failed server for one that left; one that lives objects and stays.
  /// - Parameter prune: forgets it, too.
  /// - Returns: false if there is no such server.
  public func forceLeave(_ name: String, prune: Bool) -> Bool {
    guard members.contains(where: { $0.name == name }) else { return false }
    driver.give(.forceLeave(name, prune: prune))
    return true
  }

  /// Changes or reads the key rings of all servers.
  public func keyRing(_ operation: KeyRingOperation) async -> KeyRingReport {
    let report = await withCheckedContinuation { driver.give(.keyRing(operation, $0)) }
    await disk.flush()
    return report
  }

  /// Tells the others another `bootstrap_expect`.
  public func setExpect(_ expect: Int) {
    var changed = configuration
    changed.expect = expect
    driver.give(.setTags(changed.tags))
  }

  /// Says goodbye to the pool.
  public func leave() async {
    hasLeft.store(true, ordering: .sequentiallyConsistent)
    remember()
    await withCheckedContinuation { driver.give(.leave($0)) }
    await disk.flush()
  }

  /// Stops without a goodbye: to the others this server will have failed, or be back before it has.
  public func stop() async {
    listener.close()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let reactor = reactor
      let work: @Sendable () -> Void = {
        reactor.stop()
        continuation.resume()
      }
      do throws(SystemError) {
        try DetachedThread.start(named: "gossip-stop", work)
      } catch {
        // No thread to be had: late is worse than blocking one thread of the pool for a moment.
        work()
      }
    }
    driver.end()
    for source in reactor.clear() { source.abandon() }
    await disk.flush()
  }

  // MARK: the servers of before

  /// Addresses of the pool that this server was in, to join again; none after a goodbye unless that is configured.
  public var previousAddresses: [String] {
    before.hasLeft && !configuration.rejoinsAfterLeave ? [] : before.addresses
  }

  private func remember() {
    let isGone = hasLeft.load(ordering: .sequentiallyConsistent)
    let others = members.dropFirst().filter { $0.status != .left }.map(\.address.description)
    // Whoever says goodbye keeps the addresses that it knew, for `rejoin_after_leave`.
    let file = KnownServersFile(addresses: others, hasLeft: isGone)
    disk.write("\(configuration.folder)/\(KnownServersFile.name)", JSON.encode(file))
  }
}

/// Hands events on: to the log, to whoever is interested, to the disk.
private final class ChangeSink: Sendable {
  private let logger: Logger
  private let onChange: @Sendable (ServerMemberChange) -> Void
  private let after = Mutex<(@Sendable () -> Void)?>(nil)

  init(logger: Logger, onChange: @escaping @Sendable (ServerMemberChange) -> Void) {
    self.logger = logger
    self.onChange = onChange
  }

  func afterEach(_ action: @escaping @Sendable () -> Void) { after.withLock { $0 = action } }

  func take(_ event: MembershipEvent) {
    switch event {
    case .joined(let member): logger.info("server joined", ("name", member.name), ("address", "\(member.address)"))
    case .updated(let member): logger.info("server changed", ("name", member.name), ("address", "\(member.address)"))
    case .failed(let member): logger.warn("server failed", ("name", member.name), ("address", "\(member.address)"))
    case .left(let member): logger.info("server left", ("name", member.name), ("address", "\(member.address)"))
    case .removed(let member): logger.info("server forgotten", ("name", member.name))
    case .conflict(let member, let other):
      logger.error(
        "two servers have one name, only the first is believed: give each its own (name in its configuration)",
        ("name", member.name), ("address", "\(member.address)"), ("other", "\(other)"))
    case .incompatible(let member):
      logger.error(
        "a server speaks no gossip protocol version that this one does: upgrade the older of the two",
        ("name", member.name), ("versions", "\(member.protocolMin) to \(member.protocolMax)"))
    }
    if let change = ServerMemberChange(event) { onChange(change) }
    after.withLock { $0 }?()
  }
}

extension GossipCipher {
  /// AES in Galois/Counter Mode, by the length of the key.
  static let aesGCM = GossipCipher(
    overheadBytes: AESGCM.overheadBytes,
    // A key ring takes no key that could fail here.
    seal: { plaintext, key, authenticated in try? AESGCM.seal(plaintext, key: key, authenticating: authenticated) },
    open: { sealed, key, authenticated in
      (try? AESGCM.open(sealed, key: key, authenticating: authenticated)) ?? nil
    })
}
