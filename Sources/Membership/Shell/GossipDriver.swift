internal import CNet
internal import Glibc
internal import Gossip
internal import Linux
internal import Log
internal import Model
internal import Synchronization
internal import Transport

/// Runs the gossip core on a thread of its own, which is the only one that steps it: packets, frames, timers and orders
/// come one after the other, and so does what follows from them.
final class GossipDriver: Pollable {
  /// What other threads see.
  struct View: Sendable {
    var members: [Member] = []
    var statistics = GossipStatistics()
    var healthScore = 0
    var queuedBroadcasts = 0
    var keys: [[UInt8]] = []
  }

  struct JoinOutcome: Sendable {
    var reached: Int
    var failures: [GossipAddress: String]
  }

  enum Order: Sendable {
    case join([GossipAddress], CheckedContinuation<JoinOutcome, Never>)
    case keyRing(KeyRingOperation, CheckedContinuation<KeyRingReport, Never>)
    case leave(CheckedContinuation<Void, Never>)
    case forceLeave(String, prune: Bool)
    case setTags([String: String])
  }

  private struct State {
    var core: GossipCore
    var token: UInt64?
    var socket: Socket?
    var orders: [Order] = []
    var joins: [UInt64: CheckedContinuation<JoinOutcome, Never>] = [:]
    var keyRings: [UInt64: CheckedContinuation<KeyRingReport, Never>] = [:]
    var leaves: [CheckedContinuation<Void, Never>] = []
    var lastOperation: UInt64 = 0
    var lastRequest: UInt64 = 0
    var connections: [ObjectIdentifier: FrameConnection] = [:]
    var answering: [UInt64: FrameConnection] = [:]
    var isOver = false
  }

  let reactor: Reactor
  let maxFrameBytes: Int
  private let logger: Logger
  private let state: Mutex<State>
  private let published: Mutex<View>
  private let due: Atomic<UInt64>
  private let onEvent: @Sendable (MembershipEvent) -> Void
  private let onKeys: @Sendable ([[UInt8]]) -> Void

  init(
    core: GossipCore, socket: Socket, reactor: Reactor, logger: Logger,
    onEvent: @escaping @Sendable (MembershipEvent) -> Void, onKeys: @escaping @Sendable ([[UInt8]]) -> Void
  ) {
    self.reactor = reactor
    self.logger = logger
    self.onEvent = onEvent
    self.onKeys = onKeys
    maxFrameBytes = core.configuration.maxFrameBytes
    due = Atomic(core.nextTimer)
    published = Mutex(View(members: core.members, keys: core.installedKeys))
    state = Mutex(State(core: core, socket: socket))
  }

  var view: View { published.withLock { $0 } }

  func register() throws(RPCError) {
    guard let socket = state.withLock({ $0.socket }) else { return }
    let token = try reactor.add(self, socket.descriptor)
    state.withLock { $0.token = token }
  }

  // MARK: - Orders, from any thread

  func give(_ order: Order) {
    let isOver = state.withLock { state in
      if !state.isOver { state.orders.append(order) }
      return state.isOver
    }
    if isOver { return Self.refuse(order) }
    due.store(0, ordering: .relaxed)
    reactor.due(at: 0)
  }

  private static func refuse(_ order: Order) {
    switch order {
    case .join(let addresses, let continuation):
      let reasons = addresses.map { ($0, "this agent is shutting down") }
      continuation.resume(
        returning: JoinOutcome(reached: 0, failures: Dictionary(reasons, uniquingKeysWith: { first, _ in first })))
    case .keyRing(_, let continuation): continuation.resume(returning: KeyRingReport())
    case .leave(let continuation): continuation.resume()
    case .forceLeave, .setTags: break
    }
  }

  // MARK: - Pollable, on the reactor's thread

  var nextTimer: UInt64 { due.load(ordering: .relaxed) }

  func timer(now: UInt64) {
    for order in state.withLock({ state in
      defer { state.orders = [] }
      return state.orders
    }) { take(order) }
    step(.tick)
  }

  private func take(_ order: Order) {
    switch order {
    case .join(let addresses, let continuation):
      let operation = state.withLock { state in
        state.lastOperation += 1
        state.joins[state.lastOperation] = continuation
        return state.lastOperation
      }
      step(.join(operation: operation, addresses))
    case .keyRing(let change, let continuation):
      let operation = state.withLock { state in
        state.lastOperation += 1
        state.keyRings[state.lastOperation] = continuation
        return state.lastOperation
      }
      step(.keyRing(operation: operation, change))
    case .leave(let continuation):
      state.withLock { $0.leaves.append(continuation) }
      step(.leave)
    case .forceLeave(let name, let prune): step(.forceLeave(name, prune: prune))
    case .setTags(let tags): step(.setTags(tags))
    }
  }

  func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool {
    guard let socket = state.withLock({ $0.socket }) else { return false }
    for _ in 0..<256 {
      var source = serai_net_address()
      let count = buffer.withUnsafeMutableBytes { target -> Int in
        guard let base = target.baseAddress else { return 0 }
        return serai_net_receive_from(socket.descriptor, base, target.count, &source)
      }
      if count == -Int(EAGAIN) { return false }
      // Errors of earlier packets (a port that nobody listens on) are reported here; the next call goes on.
      guard count > 0, count <= buffer.count else { continue }
      let address = SocketAddress(source)
      step(.packet(Array(buffer[..<count]), from: GossipAddress(host: address.host, port: address.port)))
    }
    return true
  }

  func abandon() { end() }

  // MARK: - Connections, on the reactor's thread

  func accepted(_ socket: Socket, _ address: SocketAddress, limit: Int) {
    let request = state.withLock { state -> UInt64? in
      guard state.connections.count < limit, !state.isOver else { return nil }
      state.lastRequest += 1
      return state.lastRequest
    }
    guard let request else { return }
    let connection = FrameConnection(
      socket, .answering(request: request), address: address.description, connecting: false, driver: self)
    state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
    if !connection.register() { connection.close() }
  }

  func asked(_ request: UInt64, _ frame: [UInt8], _ connection: FrameConnection) {
    state.withLock { $0.answering[request] = connection }
    // Whom the frame is from is inside of it; where the connection comes from says nothing.
    step(.request(request, frame, from: GossipAddress(host: "", port: 0)))
  }

  func answered(_ exchange: UInt64, _ frame: [UInt8]) { step(.answered(exchange: exchange, frame)) }

  func failed(_ exchange: UInt64, _ reason: String) { step(.exchangeFailed(exchange, reason)) }

  func closed(_ connection: FrameConnection) {
    state.withLock { state in
      state.connections[ObjectIdentifier(connection)] = nil
      if case .answering(let request) = connection.role { state.answering[request] = nil }
    }
  }

  private func connect(_ exchange: UInt64, _ frame: [UInt8], _ target: GossipAddress) {
    guard let address = SocketAddress(host: target.host, port: target.port) else {
      return failed(exchange, "\(target) is no numeric address")
    }
    var native = address.native
    let descriptor = serai_net_socket(serai_net_address_family(&native))
    guard descriptor >= 0 else { return failed(exchange, "socket failed: \(errnoName(-descriptor))") }
    let socket = Socket(owning: descriptor)
    let result = serai_net_connect(descriptor, &native)
    guard result == 0 || result == -EINPROGRESS else {
      return failed(exchange, "connecting to \(target) failed: \(errnoName(-result))")
    }
    let connection = FrameConnection(
      socket, .asking(exchange: exchange), address: target.description, connecting: result != 0, driver: self)
    state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
    connection.send(frame)
    if !connection.register() { connection.abandon() }
  }

  // MARK: - The core

  private func step(_ input: GossipCore.Input) {
    let outputs = state.withLock { state -> [GossipCore.Output] in
      guard !state.isOver else { return [] }
      let outputs = state.core.step(input, now: UInt64(Clock.monotonicNanoseconds))
      due.store(state.orders.isEmpty ? state.core.nextTimer : 0, ordering: .relaxed)
      publish(state.core, outputs)
      return outputs
    }
    for output in outputs { perform(output) }
    reactor.due(at: due.load(ordering: .relaxed))
  }

  private func publish(_ core: GossipCore, _ outputs: [GossipCore.Output]) {
    let isNews = outputs.contains {
      switch $0 {
      case .event, .keysChanged, .left: true
      default: false
      }
    }
    published.withLock { view in
      if isNews || view.members.first != core.ourselves {
        view.members = core.members
        view.keys = core.installedKeys
      }
      view.statistics = core.statistics
      view.healthScore = core.healthScore
      view.queuedBroadcasts = core.queuedBroadcasts
    }
  }

  private func perform(_ output: GossipCore.Output) {
    switch output {
    case .send(let bytes, let target): send(bytes, target)
    case .exchange(let number, let frame, let target): connect(number, frame, target)
    case .answer(let request, let frame):
      state.withLock { $0.answering.removeValue(forKey: request) }?.send(frame)
    case .refuse(let request):
      state.withLock { $0.answering.removeValue(forKey: request) }?.close()
    case .event(let event): onEvent(event)
    case .joined(let operation, let reached, let failures):
      state.withLock { $0.joins.removeValue(forKey: operation) }?.resume(
        returning: JoinOutcome(reached: reached, failures: failures))
    case .keyRing(let operation, let report):
      state.withLock { $0.keyRings.removeValue(forKey: operation) }?.resume(returning: report)
    case .keysChanged(let keys): onKeys(keys)
    case .left:
      let leaves = state.withLock { state in
        defer { state.leaves = [] }
        return state.leaves
      }
      for leave in leaves { leave.resume() }
    }
  }

  private func send(_ bytes: [UInt8], _ target: GossipAddress) {
    guard let socket = state.withLock({ $0.socket }), let address = SocketAddress(host: target.host, port: target.port)
    else { return }
    var native = address.native
    // A packet that the kernel does not take is one that is lost, which the protocol is made for.
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { _ = serai_net_send_to(socket.descriptor, base, source.count, &native) }
    }
  }

  /// The reactor has stopped: whoever waits is told.
  func end() {
    let (old, connections) = state.withLock { state in
      let old = (state.orders, state.joins, state.keyRings, state.leaves)
      state.isOver = true
      state.orders = []
      (state.joins, state.keyRings, state.leaves) = ([:], [:], [])
      defer {
        state.socket = nil
        state.connections = [:]
        state.answering = [:]
      }
      return (old, Array(state.connections.values))
    }
    for connection in connections { connection.close() }
    for order in old.0 { Self.refuse(order) }
    for join in old.1.values { join.resume(returning: JoinOutcome(reached: 0, failures: [:])) }
    for ring in old.2.values { ring.resume(returning: KeyRingReport()) }
    for leave in old.3 { leave.resume() }
  }
}
