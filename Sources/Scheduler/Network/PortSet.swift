/// The ports in use on one address of a node, in ascending order. A node holds a few hundred at most, so a sorted array
/// is smaller and faster than a bitmap of 65,536 bits.
struct PortSet: Hashable, Sendable {
  private(set) var ports: [UInt16] = []

  init() {}

  init(_ ports: some Sequence<UInt16>) {
    for port in ports.sorted() where port != self.ports.last { self.ports.append(port) }
  }

  var isEmpty: Bool { ports.isEmpty }
  var count: Int { ports.count }

  /// The position of the first port that isn't below `port`.
  private func position(of port: UInt16) -> Int {
    var low = 0
    var high = ports.count
    while low < high {
      let middle = (low + high) / 2
      if ports[middle] < port { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func contains(_ port: UInt16) -> Bool {
    let position = position(of: port)
    return position < ports.count && ports[position] == port
  }

  /// False when it was there already.
  @discardableResult
  mutating func insert(_ port: UInt16) -> Bool {
    let position = position(of: port)
    if position < ports.count && ports[position] == port { return false }
    ports.insert(port, at: position)
    return true
  }

  mutating func remove(_ port: UInt16) {
    let position = position(of: port)
    if position < ports.count && ports[position] == port { ports.remove(at: position) }
  }

  /// How many ports of the range are in use.
  func count(in range: ClosedRange<UInt16>) -> Int {
    let end = range.upperBound == .max ? ports.count : position(of: range.upperBound + 1)
    return end - position(of: range.lowerBound)
  }

  /// One of the range's free ports, each equally likely; nil when none is free.
  func randomFree(in range: ClosedRange<UInt16>, using random: inout RandomBits) -> UInt16? {
    let free = range.count - count(in: range)
    guard free > 0 else { return nil }
    // The chosen rank counts free ports only: step over each used port at or below the candidate.
    var candidate = Int(range.lowerBound) + Int.random(in: 0..<free, using: &random)
    for used in ports[position(of: range.lowerBound)...] {
      if Int(used) > candidate { break }
      candidate += 1
    }
    return UInt16(candidate)
  }
}
