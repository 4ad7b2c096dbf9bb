import Linux

/// Figures of the benchmarks that are programs of their own.
struct OtherBenchmarks {
  let place: Place

  func rows() throws -> [Row] { try evaluations() + encoding() }

  /// Evaluations of a new job on simulated nodes: the lines without ports and spreads.
  private func evaluations() throws -> [Row] {
    let text = try Child.output(of: "\(place.programs)/serai-scheduler-bench", [])
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 8, Int(words[0]) != nil, let time = Double(words[5]) else { return nil }
      let variant = words[2] == "0" ? (words[3] == "yes" ? ", a port each" : "") : ", \(words[2]) spreads"
      return Row(what: "evaluation of \(words[1]) on \(words[0]) nodes\(variant), p50", unit: "ms", ours: time)
    }
  }

  private func encoding() throws -> [Row] {
    let text = try Child.output(of: "\(place.programs)/codec-bench", ["JSON encode"])
    return text.split(separator: "\n").compactMap { line in
      guard let unit = line.firstRange(of: " µs each,") else { return nil }
      let words = line[..<unit.lowerBound].split(separator: " ")
      guard let time = words.last.flatMap({ Double($0) }) else { return nil }
      return Row(
        what: words.dropLast().joined(separator: " "), unit: "µs", peer: nil, ours: time, budget: .atMost(2))
    }
  }
}
