import Model

/// A `spread` block, ready to score values.
///
/// Source: "spread Block" of Nomad's public jobspec documentation.
struct SpreadRequirement: Sendable {
  let property: Operand
  /// This block's weight over the sum of all blocks' weights.
  let weightShare: Double
  /// How many allocations of the group each value should have; empty for an even spread over whatever values there are.
  let desired: [String: Double]
  /// For each value that no target names, where the targets leave a share open.
  let desiredElsewhere: Double?

  static func list(_ spreads: [Spread], count: Int) -> [SpreadRequirement] {
    let sum = spreads.reduce(0) { $0 + max($1.weight ?? 50, 0) }
    return spreads.map { spread in
      var desired: [String: Double] = [:]
      var open = 100.0
      for target in spread.spreadTarget {
        desired[target.value] = Double(target.percent) / 100 * Double(count)
        open -= Double(target.percent)
      }
      return SpreadRequirement(
        property: Operand(spread.attribute),
        weightShare: sum == 0 ? 0 : Double(max(spread.weight ?? 50, 0)) / Double(sum),
        desired: desired,
        desiredElsewhere: !spread.spreadTarget.isEmpty && open > 0 ? open / 100 * Double(count) : nil)
    }
  }
}

/// How many allocations of a group run on nodes with each value of a property.
struct ValueCounts: Sendable {
  /// Values in the order in which they were first seen.
  private(set) var values: [String] = []
  private(set) var counts: [Int] = []
  private var positions: [String: Int] = [:]

  mutating func position(of value: String) -> Int {
    if let known = positions[value] { return known }
    positions[value] = values.count
    values.append(value)
    counts.append(0)
    return values.count - 1
  }

  mutating func add(_ amount: Int, at position: Int) { counts[position] += amount }

  /// The smallest and the largest count among the values in use; nil when none is.
  var usedRange: (smallest: Int, largest: Int)? {
    var range: (smallest: Int, largest: Int)?
    for count in counts where count > 0 {
      range = range.map { (min($0.smallest, count), max($0.largest, count)) } ?? (count, count)
    }
    return range
  }
}

extension SpreadRequirement {
  /// What one more allocation on a node with a value adds to the node's score; a node without the property gets −1.
  func score(value: String?, used: Int, range: (smallest: Int, largest: Int)?) -> Double {
    guard let value else { return -1 }
    if desired.isEmpty && desiredElsewhere == nil { return Self.evenScore(used: used, range: range) }
    guard let wanted = desired[value] ?? desiredElsewhere, wanted > 0 else { return -1 }
    return (wanted - Double(used + 1)) / wanted * weightShare
  }

  /// Without targets: values that have less than the others gain, those that have more lose.
  static func evenScore(used: Int, range: (smallest: Int, largest: Int)?) -> Double {
    guard let range else { return 0 }
    if used != range.smallest { return Double(range.smallest - used) / Double(range.smallest) }
    if range.smallest == range.largest { return -1 }
    return Double(range.largest - range.smallest) / Double(range.smallest)
  }
}
