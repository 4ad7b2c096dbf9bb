/// The core's random bits: SplitMix64 (Steele, Lea, Flood 2014) from a seed that is an input, so that a run can be
/// repeated. Good enough to choose members; keys and nonces are the injected cipher's matter.
struct GossipRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// 0 ..< bound; bound is positive.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Up to `count` different elements, in random order.
  mutating func sample<Element>(_ elements: [Element], _ count: Int) -> [Element] {
    var rest = elements
    var chosen: [Element] = []
    while chosen.count < count, !rest.isEmpty {
      let index = below(rest.count)
      chosen.append(rest[index])
      rest.swapAt(index, rest.count - 1)
      rest.removeLast()
    }
    return chosen
  }
}
