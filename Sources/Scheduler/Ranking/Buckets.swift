import Codec
import Model
import State

/// Groups the nodes by what `spread` and `distinct_property` ask about: all nodes of a bucket have the same values, so
/// what those add to the score, or whether they forbid a placement, is one figure for the bucket.
struct Buckets {
  private let spreads: [SpreadRequirement]
  private let properties: [GroupRequirement.DistinctProperty]
  private let operands: [Operand]
  private let isClassWide: Bool
  /// For each spread and each property how many allocations there are by value.
  private var counts: [ValueCounts]
  /// For each bucket the position of its value in each of `counts`; −1 where its nodes don't have the attribute.
  private var values: [[Int]] = []
  private var numbers: [[Int]: Int] = [:]
  private var numberOfClass: [Int?]
  /// What a bucket adds to its nodes' scores; NaN where nothing may be placed in it.
  private(set) var parts: [Double] = []

  init(_ requirement: GroupRequirement, classes: Int) {
    spreads = requirement.spreads
    properties = requirement.distinctProperties
    operands = spreads.map(\.property) + properties.map(\.property)
    isClassWide = !operands.contains(where: \.isUniqueToNode)
    counts = Array(repeating: ValueCounts(), count: operands.count)
    numberOfClass = Array(repeating: nil, count: classes)
  }

  var count: Int { values.count }

  mutating func number(slot: Int, _ columns: NodeColumns) -> Int {
    if operands.isEmpty {
      if values.isEmpty { values.append([]) }
      return 0
    }
    let number = Int(columns.computedClass[slot])
    if isClassWide, let known = numberOfClass[number] { return known }
    let found: Int
    if let node = columns.nodes[slot] {
      found = bucket(of: node.value)
    } else {
      found = bucket(of: columns.classes[number].example.value)
    }
    if isClassWide { numberOfClass[number] = found }
    return found
  }

  private mutating func bucket(of node: Node) -> Int {
    let key = positions(on: node)
    if let known = numbers[key] { return known }
    numbers[key] = values.count
    values.append(key)
    return values.count - 1
  }

  private mutating func positions(on node: Node) -> [Int] {
    operands.indices.map { index in operands[index].value(on: node).map { counts[index].position(of: $0) } ?? -1 }
  }

  /// Counts an allocation on a node. `isOfGroup` tells the group's from the job's other allocations, which only
  /// properties of the whole job count.
  mutating func add(_ amount: Int, slot: Int, isOfGroup: Bool, _ columns: NodeColumns) {
    if operands.isEmpty || amount == 0 { return }
    let bucket = number(slot: slot, columns)
    for index in operands.indices {
      let position = values[bucket][index]
      if position >= 0, isOfGroup || isJobWide(index) { counts[index].add(amount, at: position) }
    }
  }

  private func isJobWide(_ index: Int) -> Bool {
    index >= spreads.count && properties[index - spreads.count].scope == .job
  }

  /// Works out every bucket's part anew after counts have changed.
  mutating func refresh() {
    if operands.isEmpty {
      if parts.count != values.count { parts = Array(repeating: 0, count: values.count) }
      return
    }
    let ranges = spreads.indices.map { counts[$0].usedRange }
    if parts.count != values.count { parts = Array(repeating: 0, count: values.count) }
    for bucket in values.indices { parts[bucket] = part(of: bucket, ranges: ranges) }
  }

  private func part(of bucket: Int, ranges: [(smallest: Int, largest: Int)?]) -> Double {
    for index in properties.indices {
      let position = values[bucket][spreads.count + index]
      // A node without the property can't be told apart from others by it, so it can't be used.
      if position < 0 || counts[spreads.count + index].counts[position] >= properties[index].limit { return .nan }
    }
    var sum = 0.0
    for index in spreads.indices {
      let position = values[bucket][index]
      let value = position < 0 ? nil : counts[index].values[position]
      let used = position < 0 ? 0 : counts[index].counts[position]
      sum += spreads[index].score(value: value, used: used, range: ranges[index])
    }
    return sum
  }

  /// Whether some bucket may be closed.
  var mayBeClosed: Bool { !properties.isEmpty }

  /// Why the bucket is closed, as metrics name it; nil for an open one.
  func obstacle(_ bucket: Int) -> String? {
    for index in properties.indices {
      let position = values[bucket][spreads.count + index]
      if position < 0 { return "missing property \"\(properties[index].text)\"" }
      let column = counts[spreads.count + index]
      if column.counts[position] >= properties[index].limit {
        return
          "distinct_property: \(properties[index].text)=\(column.values[position]) used by \(column.counts[position]) allocs"
      }
    }
    return nil
  }
}
