import Linux

/// How long a list of 20,000 allocations takes to become JSON, as `codec-bench` says it.
struct Encoding {
  let place: Place

  func rows() throws -> [Row] {
    let text = try Child.output(of: "\(place.programs)/codec-bench", ["JSON encode"])
    return text.split(separator: "\n").compactMap { line in
      guard let unit = line.firstRange(of: " µs each,") else { return nil }
      let words = line[..<unit.lowerBound].split(separator: " ")
      guard let time = words.last.flatMap({ Double($0) }) else { return nil }
      return Row(
        what: words.dropLast().joined(separator: " "), unit: "µs", ours: time, budget: .atMost(2))
    }
  }
}
