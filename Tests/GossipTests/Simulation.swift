@testable import Gossip

/// A pool on simulated time and network, in one thread, from one seed.
struct Simulation {
  /// What the network does to packets and connections.
  struct Faults {
    /// Of each packet.
    var loss = 0.0
    var duplication = 0.0
    /// Nanoseconds, uniformly between the two.
    var delay: ClosedRange<UInt64> = 200_000...5_000_000
    /// Pairs (from, to) that nothing passes; one-way when only one of them is in.
    var cut: Set<Link> = []
    /// Members that packets don't reach, while connections do.
    var blocksUDP: Set<Int> = []
  }

  struct Link: Hashable { var from: Int, to: Int }

  final class Node {
    var core: GossipCore?
    /// Until when the process does not run; what arrives meanwhile waits.
    var pausedUntil: UInt64 = 0
    /// Until when nothing gets in or out, while its timers run: what it sends and gets meanwhile is late.
    var stalledUntil: UInt64 = 0
    var lives: UInt64 = 0
    var events: [(time: UInt64, event: MembershipEvent)] = []
    var joins: [UInt64: Int] = [:]
    var keyRings: [UInt64: KeyRingReport] = [:]
    var hasLeft = false
    var timer = UInt64.max
  }

  private enum Happening {
    case packet([UInt8], from: Int, to: Int)
    case request([UInt8], exchange: UInt64, from: Int, to: Int, life: UInt64)
    case answer([UInt8]?, exchange: UInt64, to: Int, life: UInt64)
    case timer(Int)
    case wake(Int)
  }

  private struct Scheduled {
    var time: UInt64
    var number: UInt64
    var what: Happening
  }

  private(set) var now: UInt64 = 1_000_000_000
  var faults = Faults()
  let nodes: [Node]
  var configuration: GossipConfiguration
  private var random: GossipRandom
  private var heap: [Scheduled] = []
  private var lastNumber: UInt64 = 0
  private(set) var packets = 0
  /// The last packet sent by each node, for replays.
  private(set) var recorded: [[UInt8]] = []
  var records = false

  init(_ count: Int, seed: UInt64, configuration: GossipConfiguration = GossipConfiguration()) {
    random = GossipRandom(seed: seed)
    nodes = (0..<count).map { _ in Node() }
    self.configuration = configuration
  }

  static func address(_ index: Int) -> GossipAddress { GossipAddress(host: "n\(index)", port: 4648) }
  static func index(_ address: GossipAddress) -> Int? { Int(address.host.dropFirst()) }
  static func name(_ index: Int) -> String { "n\(index).global" }

  // MARK: orders

  /// Starts a member; in a later life with the same name.
  mutating func start(_ index: Int, keys: [[UInt8]] = [], incarnation: UInt64 = 1, session: UInt64? = nil) throws {
    let node = nodes[index]
    node.lives += 1
    node.hasLeft = false
    node.timer = .max
    node.core = GossipCore(
      Member(
        name: Self.name(index), address: Self.address(index), tags: ["id": "id-\(index)", "role": "server"],
        incarnation: incarnation),
      configuration: configuration, keys: try KeyRing(keys), cipher: .toy, session: session ?? node.lives,
      seed: random.next(), now: now)
    schedule(index)
  }

  /// SIGKILL.
  mutating func kill(_ index: Int) {
    nodes[index].core = nil
    nodes[index].timer = .max
  }

  /// SIGSTOP until then.
  mutating func pause(_ index: Int, for nanoseconds: UInt64) {
    nodes[index].pausedUntil = now + nanoseconds
    push(now + nanoseconds, .wake(index))
  }

  /// Its network stands still until then.
  func stall(_ index: Int, for nanoseconds: UInt64) { nodes[index].stalledUntil = now + nanoseconds }

  mutating func order(_ index: Int, _ input: GossipCore.Input) { step(index, input) }

  mutating func join(_ index: Int, _ others: [Int], operation: UInt64 = 1) {
    step(index, .join(operation: operation, others.map(Self.address)))
  }

  /// All started and joined to the first.
  mutating func startAll(keys: [[UInt8]] = []) throws {
    for index in nodes.indices { try start(index, keys: keys) }
    for index in nodes.indices.dropFirst() { join(index, [0]) }
  }

  mutating func inject(_ bytes: [UInt8], from source: Int, to target: Int) {
    push(now, .packet(bytes, from: source, to: target))
  }

  /// Cuts everything between the members of one side and the others.
  mutating func partition(_ side: Set<Int>) {
    for one in side {
      for other in nodes.indices where !side.contains(other) {
        faults.cut.insert(Link(from: one, to: other))
        faults.cut.insert(Link(from: other, to: one))
      }
    }
  }

  // MARK: time

  mutating func run(for nanoseconds: UInt64) { run(until: now + nanoseconds) { _ in false } }

  /// Runs until a condition holds, looked at after every event.
  /// - Returns: nanoseconds until then, or nil.
  @discardableResult
  mutating func run(upTo nanoseconds: UInt64, until condition: (Simulation) -> Bool) -> UInt64? {
    let begin = now
    if condition(self) { return 0 }
    return run(until: now + nanoseconds, condition) ? now - begin : nil
  }

  @discardableResult
  private mutating func run(until end: UInt64, _ condition: (Simulation) -> Bool) -> Bool {
    while let next = heap.first, next.time <= end {
      pop()
      now = next.time
      happen(next.what)
      if condition(self) { return true }
    }
    now = end
    return false
  }

  private mutating func happen(_ what: Happening) {
    switch what {
    case .packet(let bytes, let source, let target):
      if let time = heldUntil(target) { return push(time, what) }
      step(target, .packet(bytes, from: Self.address(source)))
    case .request(let bytes, let exchange, let source, let target, let life):
      if let time = heldUntil(target) { return push(time, what) }
      guard nodes[target].core != nil, isOpen(source, target), isOpen(target, source) else {
        return push(now + 1_000_000, .answer(nil, exchange: exchange, to: source, life: life))
      }
      step(target, .request(exchange, bytes, from: Self.address(source)), asking: (source, life))
    case .answer(let bytes, let exchange, let target, let life):
      if let time = heldUntil(target) { return push(time, what) }
      guard nodes[target].lives == life else { return }
      if let bytes {
        step(target, .answered(exchange: exchange, bytes))
      } else {
        step(target, .exchangeFailed(exchange, "no connection"))
      }
    case .timer(let index):
      guard let core = nodes[index].core, !isPaused(index) else { return }
      nodes[index].timer = .max
      if core.nextTimer <= now { step(index, .tick) } else { schedule(index) }
    case .wake(let index):
      if nodes[index].core != nil, !isPaused(index) { step(index, .tick) }
    }
  }

  private func isPaused(_ index: Int) -> Bool { nodes[index].pausedUntil > now }
  private func heldUntil(_ index: Int) -> UInt64? {
    let time = max(nodes[index].pausedUntil, nodes[index].stalledUntil)
    return time > now ? time : nil
  }
  private func isOpen(_ from: Int, _ to: Int) -> Bool { !faults.cut.contains(Link(from: from, to: to)) }

  private mutating func step(_ index: Int, _ input: GossipCore.Input, asking: (source: Int, life: UInt64)? = nil) {
    let node = nodes[index]
    guard let outputs = node.core?.step(input, now: now) else { return }
    for output in outputs { perform(output, index, node, asking) }
    schedule(index)
  }

  private mutating func perform(
    _ output: GossipCore.Output, _ index: Int, _ node: Node, _ asking: (source: Int, life: UInt64)?
  ) {
    switch output {
    case .send(let bytes, let address):
      packets += 1
      if records { recorded.append(bytes) }
      guard let target = Self.index(address), isOpen(index, target), !faults.blocksUDP.contains(target) else { return }
      let copies = chance(faults.duplication) ? 2 : 1
      for _ in 0..<copies where !chance(faults.loss) {
        push(max(now, node.stalledUntil) + delay(), .packet(bytes, from: index, to: target))
      }
    case .exchange(let id, let bytes, let address):
      guard let target = Self.index(address), nodes.indices.contains(target) else { return }
      // TCP repeats what is lost: it is late, not gone.
      push(
        max(now, node.stalledUntil) + delay() * (chance(faults.loss) ? 40 : 2),
        .request(bytes, exchange: id, from: index, to: target, life: node.lives))
    case .answer(let id, let bytes):
      guard let asking else { return }
      push(now + delay(), .answer(bytes, exchange: id, to: asking.source, life: asking.life))
    case .refuse(let id):
      guard let asking else { return }
      push(now + delay(), .answer(nil, exchange: id, to: asking.source, life: asking.life))
    case .event(let event): node.events.append((now, event))
    case .joined(let operation, let reached, _): node.joins[operation] = reached
    case .keyRing(let operation, let report): node.keyRings[operation] = report
    case .keysChanged: break
    case .left:
      node.hasLeft = true
      node.core = nil
    }
  }

  private mutating func chance(_ probability: Double) -> Bool {
    probability > 0 && Double(random.next() >> 11) / Double(1 << 53) < probability
  }

  private mutating func delay() -> UInt64 {
    faults.delay.lowerBound + random.next() % (faults.delay.upperBound - faults.delay.lowerBound + 1)
  }

  private mutating func schedule(_ index: Int) {
    guard let timer = nodes[index].core?.nextTimer, timer != .max, timer < nodes[index].timer else { return }
    nodes[index].timer = timer
    push(max(timer, now), .timer(index))
  }

  // MARK: the heap

  private mutating func push(_ time: UInt64, _ what: Happening) {
    lastNumber += 1
    heap.append(Scheduled(time: time, number: lastNumber, what: what))
    var child = heap.count - 1
    while child > 0, comesBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && comesBefore(child, first) {
        first = child
      }
      guard first != parent else { return }
      heap.swapAt(first, parent)
      parent = first
    }
  }

  private func comesBefore(_ one: Int, _ other: Int) -> Bool {
    heap[one].time != heap[other].time ? heap[one].time < heap[other].time : heap[one].number < heap[other].number
  }

  // MARK: looking

  /// Whether every running member sees exactly the running ones as present.
  var agrees: Bool {
    let running = nodes.indices.filter { nodes[$0].core != nil }
    let names = Set(running.map(Self.name))
    return running.allSatisfy { present(at: $0) == names }
  }

  /// Names of those that one member takes for present.
  func present(at index: Int) -> Set<String> {
    Set(nodes[index].core?.members.filter(\.isPresent).map(\.name) ?? [])
  }

  func status(of subject: Int, at index: Int) -> Member.Status? {
    nodes[index].core?.members.first { $0.name == Self.name(subject) }?.status
  }

  /// Failures that were told of members in `healthy`, by anybody in `observers`.
  func falsePositives(of healthy: Set<Int>, at observers: Set<Int>) -> Int {
    let names = Set(healthy.map(Self.name))
    return observers.reduce(0) { sum, index in
      sum
        + nodes[index].events.count {
          if case .failed(let member) = $0.event { names.contains(member.name) } else { false }
        }
    }
  }
}

extension GossipCipher {
  /// No cipher at all: a keyed checksum in front of the plaintext. Wrong keys and altered bytes are found, which is all
  /// that the core builds on.
  static let toy = GossipCipher(
    overheadBytes: 28,
    seal: { plaintext, key, authenticated in
      checksum(key + authenticated + plaintext) + [UInt8](repeating: 0, count: 20) + plaintext
    },
    open: { sealed, key, authenticated in
      guard sealed.count >= 28 else { return nil }
      let plaintext = Array(sealed[28...])
      return Array(sealed[..<8]) == checksum(key + authenticated + plaintext) ? plaintext : nil
    })

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) }
  }
}

let second: UInt64 = 1_000_000_000
