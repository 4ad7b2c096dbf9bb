/// One line of the table: what was measured beside what others take and what the kernel cannot do without.
struct Row {
  var what: String
  /// What the figures are: "ms", "MB", "µs", …
  var unit: String
  /// The program that people use for this today; nil where there is none to run here.
  var peer: (name: String, value: Double)?
  /// The least that any program would take on this machine, measured by a program that does nothing else.
  var floor: Double?
  var ours: Double
  var budget: Budget?
  /// Larger figures are better (a throughput).
  var isRate = false

  /// What is to be reached.
  enum Budget {
    case atMost(Double)
    case atLeast(Double)
    /// So many times better than the peer.
    case timesPeer(Double)
    /// So many times better than the peer, and at most this.
    case timesPeerAndAtMost(Double, Double)
  }

  /// How many times better than the peer.
  var ratio: Double? {
    guard let peer, peer.value > 0, ours > 0 else { return nil }
    return isRate ? ours / peer.value : peer.value / ours
  }

  /// How many times the floor.
  var overFloor: Double? {
    guard let floor, floor > 0, ours > 0 else { return nil }
    return isRate ? floor / ours : ours / floor
  }

  var isMet: Bool? {
    switch budget {
    case nil: nil
    case .atMost(let most): ours <= most
    case .atLeast(let least): ours >= least
    case .timesPeer(let times): ratio.map { $0 >= times }
    case .timesPeerAndAtMost(let times, let most): ratio.map { $0 >= times && ours <= most }
    }
  }

  private var budgetText: String {
    switch budget {
    case nil: "–"
    case .atMost(let most): "≤ \(figure(most)) \(unit)"
    case .atLeast(let least): "≥ \(figure(least)) \(unit)"
    case .timesPeer(let times): "\(figure(times)) × peer"
    case .timesPeerAndAtMost(let times, let most): "\(figure(times)) × peer, ≤ \(figure(most)) \(unit)"
    }
  }

  /// The line's cells.
  var cells: [String] {
    [
      what, peer.map { "\($0.name) \(figure($0.value))" } ?? "–", floor.map(figure) ?? "–", "\(figure(ours)) \(unit)",
      ratio.map { figure($0) + " ×" } ?? "–", overFloor.map { figure($0) + " ×" } ?? "–", budgetText,
      isMet.map { $0 ? "met" : "MISSED" } ?? "–",
    ]
  }

  static let titles = ["what", "peer", "floor", "ours", "better than peer", "over the floor", "budget", ""]

  /// The rows as one Markdown table.
  static func table(_ rows: [Row]) -> String {
    let lines = [titles] + rows.map(\.cells)
    let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      "| " + zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
        + " |"
    }
    let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
    return ([line(titles), rule] + rows.map { line($0.cells) }).joined(separator: "\n")
  }
}

/// A figure with three significant digits.
func figure(_ value: Double) -> String {
  let size = value.magnitude
  let scale: Double = size >= 100 ? 1 : size >= 10 ? 10 : size >= 1 ? 100 : 1000
  let rounded = (value * scale).rounded() / scale
  return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
}

/// Times of many rounds, in nanoseconds.
struct Samples {
  private var values: [Int64] = []

  mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

  /// In milliseconds; of an even number the upper of the two in the middle.
  func percentile(_ share: Double) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.indices.last else { return .nan }
    return Double(sorted[min(last, Int(Double(sorted.count) * share))]) / 1e6
  }

  var p50: Double { percentile(0.5) }
  var p99: Double { percentile(0.99) }
}
