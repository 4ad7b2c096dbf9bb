/// The log as the core sees it: where it begins and ends, the term at every index, and the newest entries themselves.
///
/// Terms are kept as runs, so the term of any index and the place where a diverging term began are found without the
/// entries; older entries may leave memory once they are on disk and handed out, and are asked back from the shell for a
/// follower that is far behind.
struct Log: Sendable {
  private struct Run: Sendable {
    let first: UInt64
    let term: UInt64
  }

  /// Everything up to here is compacted away.
  private(set) var base: Position
  private(set) var last: UInt64
  /// Runs of one term, ascending, covering `base.index + 1 ... last`.
  private var runs: [Run] = []
  /// The cached entries are `cache[dropped...]`.
  private var cache: [Entry] = []
  private var dropped = 0
  private(set) var cachedBytes = 0

  init(base: Position, entries: [Entry]) {
    self.base = base
    last = base.index
    for entry in entries { append(entry) }
  }

  /// The first index that can still be read, from memory or disk.
  var first: UInt64 { base.index + 1 }
  /// The first index in memory; `last + 1` when there is none.
  var firstCached: UInt64 { last + 1 - UInt64(cache.count - dropped) }
  var lastPosition: Position { Position(index: last, term: lastTerm) }
  var lastTerm: UInt64 { runs.last?.term ?? base.term }

  /// Nil when the index is compacted away or not there yet.
  func term(at index: UInt64) -> UInt64? {
    if index == base.index { return base.term }
    guard index > base.index, index <= last else { return nil }
    var place = runs.count - 1
    while place > 0, runs[place].first > index { place -= 1 }
    return runs[place].term
  }

  func contains(_ position: Position) -> Bool { term(at: position.index) == position.term }

  /// The largest index up to `index` whose term is not above `term`: no entry between it and `index` can be in a log
  /// that has `term` at `index`.
  func lastIndex(upTo index: UInt64, termAtMost term: UInt64) -> Position {
    var bound = min(index, last)
    for run in runs.reversed() where run.first <= bound {
      if run.term <= term { return Position(index: bound, term: run.term) }
      bound = run.first - 1
    }
    return base.term <= term && base.index <= bound ? base : .zero
  }

  mutating func append(_ entry: Entry) {
    precondition(entry.index == last + 1, "entry \(entry.index) after \(last)")
    precondition(entry.term >= lastTerm, "term \(entry.term) after \(lastTerm)")
    if entry.term != lastTerm || runs.isEmpty { runs.append(Run(first: entry.index, term: entry.term)) }
    cache.append(entry)
    cachedBytes += entry.cost
    last = entry.index
  }

  /// Removes the entries from `index` on.
  mutating func truncate(from index: UInt64) {
    precondition(index > base.index, "truncating at \(index), compacted through \(base.index)")
    while cache.count > dropped, let tail = cache.last, tail.index >= index {
      cachedBytes -= tail.cost
      cache.removeLast()
    }
    last = min(last, index - 1)
    while let run = runs.last, run.first > last { runs.removeLast() }
  }

  /// The entries from `index` on, at least one when there is any, then as many as fit into `bytes`. `index` must be cached.
  func entries(from index: UInt64, through end: UInt64, bytes: Int) -> [Entry] {
    guard index <= end, index >= firstCached, end <= last else { return [] }
    let start = cache.count - Int(last + 1 - index)
    let limit = cache.count - Int(last - end)
    var stop = start
    var total = 0
    while stop < limit {
      total += cache[stop].cost
      if total > bytes, stop > start { break }
      stop += 1
    }
    return Array(cache[start..<stop])
  }

  /// Forgets cached entries up to `index` until what is left fits into `bytes`.
  mutating func shrinkCache(through index: UInt64, toBytes bytes: Int) {
    while cachedBytes > bytes, dropped < cache.count, cache[dropped].index <= index { dropOne() }
    reclaim()
  }

  /// Everything up to `position` is in a snapshot.
  mutating func compact(through position: Position) {
    guard position.index > base.index else { return }
    while dropped < cache.count, cache[dropped].index <= position.index { dropOne() }
    reclaim()
    while runs.count > 1, runs[1].first <= position.index + 1 { runs.removeFirst() }
    if let run = runs.first {
      if position.index >= last { runs = [] } else { runs[0] = Run(first: position.index + 1, term: run.term) }
    }
    last = max(last, position.index)
    base = position
  }

  /// A snapshot takes the place of the whole log.
  mutating func replace(by position: Position) { self = Log(base: position, entries: []) }

  private mutating func dropOne() {
    cachedBytes -= cache[dropped].cost
    // The slot lives until `reclaim`; its content should not.
    cache[dropped] = Entry(index: cache[dropped].index, term: cache[dropped].term, kind: 0, bytes: [])
    dropped += 1
  }

  private mutating func reclaim() {
    guard dropped > 1_024, dropped > cache.count / 2 else { return }
    cache.removeSubrange(0..<dropped)
    dropped = 0
  }
}
