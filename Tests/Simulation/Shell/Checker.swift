import Raft

/// What must hold whatever happens, looked at by code that shares nothing with the core.
struct Checker {
  /// By index: term and content of what some server applied. Election safety and log matching make these equal everywhere.
  private var committed: [UInt64: UInt64] = [:]
  private var lastCommitted = Position.zero
  /// The term in which that was known to be committed. A leader of an older term may be elected late, if its votes were
  /// long on their way; it can't commit anything any more.
  private var committedInTerm: UInt64 = 0
  private var leaders: [UInt64: ServerID] = [:]
  /// The state's hash by applied index.
  private var stateHashes: [UInt64: UInt64] = [:]
  private(set) var failure: String?

  mutating func fail(_ what: String) { if failure == nil { failure = what } }

  /// Dissertation figure 3.2, Election Safety: at most one leader a term.
  mutating func elected(_ id: ServerID, term: UInt64) {
    if let other = leaders[term], other != id { fail("term \(term) has two leaders, \(other) and \(id)") }
    leaders[term] = id
  }

  /// Leader Completeness: what is committed is in the log of every later leader.
  mutating func checkCompleteness(of core: RaftCore) {
    guard lastCommitted.index >= core.firstIndex, core.term > committedInTerm else { return }
    if core.term(at: lastCommitted.index) != lastCommitted.term {
      fail(
        "leader \(core.id) of term \(core.term) lacks committed entry \(lastCommitted.index) of term \(lastCommitted.term)"
      )
    }
  }

  /// State Machine Safety: no two servers apply different entries at an index.
  mutating func applied(_ entry: Entry, by host: ServerID, inTerm term: UInt64) {
    var hash = mix(entry.term, UInt64(entry.kind))
    for byte in entry.bytes { hash = mix(hash, UInt64(byte)) }
    if let known = committed[entry.index] {
      if known != hash {
        fail("server \(host) applied another entry \(entry.index) of term \(entry.term) than others did")
      }
    } else {
      committed[entry.index] = hash
      if entry.index > lastCommitted.index {
        lastCommitted = entry.position
        committedInTerm = term
      }
    }
  }

  /// The same entries have made the same state everywhere.
  mutating func state(at index: UInt64, is hash: UInt64, on host: ServerID) {
    if let known = stateHashes[index] {
      if known != hash { fail("the state of server \(host) at \(index) differs from others'") }
    } else {
      stateHashes[index] = hash
    }
  }

  /// Log Matching: if two logs have an entry of equal index and term they are equal up to there.
  mutating func checkMatching(_ left: RaftCore, _ right: RaftCore) {
    let low = max(left.firstIndex, right.firstIndex)
    var index = min(left.last.index, right.last.index)
    var mustMatch = false
    while index >= low, index > 0 {
      let (one, other) = (left.term(at: index), right.term(at: index))
      if one == other {
        mustMatch = true
      } else if mustMatch {
        fail("the logs of \(left.id) and \(right.id) match behind \(index) but not there")
        return
      }
      index -= 1
    }
  }
}
