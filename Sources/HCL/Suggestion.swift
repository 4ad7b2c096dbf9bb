/// The known name that a misspelt one most likely stands for.
public enum Suggestion {
  /// The candidate nearest to `name` by edits of one character (insert, delete, replace, swap of neighbours), if it is near
  /// enough to be meant: at most a third of the name's length, and at least one edit is always allowed.
  ///
  /// Names longer than 64 bytes get no suggestion: the search is quadratic in the length.
  public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    let given = Array(name.utf8)
    guard !given.isEmpty, given.count <= 64 else { return nil }
    let allowed = max(1, given.count / 3)
    var best: (distance: Int, name: String)?
    for candidate in candidates where candidate != name {
      let distance = distance(given, Array(candidate.utf8), limit: allowed)
      guard let distance else { continue }
      if let known = best, (known.distance, known.name) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.name
  }

  /// ` Did you mean "…"?`, or nothing.
  public static func sentence(for name: String, among candidates: some Sequence<String>) -> String {
    nearest(to: name, among: candidates).map { " Did you mean \"\($0)\"?" } ?? ""
  }

  private static func distance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
    guard b.count <= 64, abs(a.count - b.count) <= limit else { return nil }
    var previous2: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        let same = lowercase(a[i]) == lowercase(b[j])
        var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (same ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, previous2[j - 1] + 1) }
        row.append(cost)
      }
      (previous2, previous) = (previous, row)
    }
    return previous[b.count] <= limit ? previous[b.count] : nil
  }

  private static func lowercase(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
  }
}
