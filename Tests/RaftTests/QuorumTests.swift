import Glibc
import Raft
import Testing

/// The quorum cases of etcd's raft library, whose answers no one here wrote.
@Suite struct QuorumTests {
  static let file = getenv("SERAI_ORACLES").map { String(cString: $0) + "/raftdd/quorum.jsonl" }

  @Test(.enabled(if: file != nil, "SERAI_ORACLES does not name a folder with the oracles"))
  func etcdsCasesAgree() throws {
    let lines = try String(decoding: contents(#require(Self.file)), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 127)
    for line in lines {
      let row = try #require(Row(String(line)))
      switch row.command {
      case "committed":
        let reached = Quorum.reached(row.incoming, row.outgoing) { row.index(of: $0) }
        #expect((reached == .max ? "∞" : "\(reached)") == row.expected, "\(line)")
      case "vote":
        let verdict = Quorum.verdict(row.incoming, row.outgoing) { row.vote(of: $0) }
        let name = verdict == .won ? "VoteWon" : verdict == .lost ? "VoteLost" : "VotePending"
        #expect(name == row.expected, "\(line)")
      default: Issue.record("unknown command in \(line)")
      }
    }
  }

  /// What a majority is, written down by hand: values of the voters in order, nil for one that is not heard of.
  @Test(
    arguments: [
      ([], [], UInt64.max), ([5], [], 5), ([nil], [], 0), ([5, 9], [], 5), ([5, nil], [], 0), ([5, 9, 7], [], 7),
      ([5, nil, 7], [], 5), ([nil, nil, 7], [], 0), ([4, 4, 4, 9], [], 4), ([1, 2, 3, 4], [], 2),
      ([1, 2, 3, 4, 5], [], 3),
      ([3, nil, nil, 4, 5], [], 3), ([9, 9, 9], [1, 2, 3], 2), ([9, 9, 9], [nil, nil, 3], 0), ([nil, 2, 2], [7], 2),
      ([7], [7], 7), ([], [4], 4),
    ] as [([UInt64?], [UInt64?], UInt64)])
  func whatAMajorityHasReached(incoming: [UInt64?], outgoing: [UInt64?], expected: UInt64) {
    let (first, second) = Self.voters(incoming, outgoing)
    let values = incoming + outgoing
    #expect(Quorum.reached(first, second) { values[Int($0.rawValue) - 1] ?? 0 } == expected)
  }

  @Test(
    arguments: [
      ("", "", .won), ("y", "", .won), ("n", "", .lost), ("_", "", .open), ("yn", "", .lost), ("y_", "", .open),
      ("yyn", "", .won), ("y_n", "", .open), ("ynn", "", .lost), ("yynn", "", .lost), ("yyy_", "", .won),
      ("yyn_", "", .open), ("yyynn", "", .won), ("yynn_", "", .open), ("nnn__", "", .lost), ("yyy", "nnn", .lost),
      ("yyy", "y__", .open), ("yyy", "yy_", .won), ("y__", "n", .lost), ("", "y", .won),
    ] as [(String, String, Quorum.Verdict)])
  func howAVoteStands(incoming: String, outgoing: String, expected: Quorum.Verdict) {
    let (first, second) = Self.voters(Array(incoming), Array(outgoing))
    let votes = Array(incoming + outgoing)
    let verdict = Quorum.verdict(first, second) { id in
      switch votes[Int(id.rawValue) - 1] {
      case "y": true
      case "n": false
      default: nil
      }
    }
    #expect(verdict == expected)
  }

  private static func voters<Value>(_ incoming: [Value], _ outgoing: [Value]) -> ([ServerID], [ServerID]) {
    (
      incoming.indices.map { ServerID(UInt64($0 + 1)) },
      outgoing.indices.map { ServerID(UInt64(incoming.count + $0 + 1)) }
    )
  }

  /// Every assignment of four values to up to five voters, against the definition: sorted, the value that a majority has.
  @Test func everySmallConfigurationAgreesWithSorting() {
    for count in 1...5 {
      var places = [Int](repeating: 0, count: count)
      for number in 0..<(1 << (2 * count)) {
        for voter in 0..<count { places[voter] = (number >> (2 * voter)) & 3 }
        let sorted = places.sorted(by: >)
        #expect(Quorum.reached(count: count) { UInt64(places[$0]) } == UInt64(sorted[count / 2]))
        // 0: no, 1: yes, 2 and 3: silent. Won when the silent can't turn it, lost when they can't save it.
        let (yes, silent) = (places.count { $0 == 1 }, places.count { $0 > 1 })
        let expected: Quorum.Verdict = 2 * yes > count ? .won : 2 * (yes + silent) > count ? .open : .lost
        #expect(Quorum.verdict(count: count) { places[$0] > 1 ? nil : places[$0] == 1 } == expected)
      }
    }
  }
}

/// One line of the cases: {"cmd", "cfg", "cfgj", "expect", "idx" | "votes"}, JSON of numbers and short strings.
private struct Row {
  var command = ""
  var incoming: [ServerID] = []
  var outgoing: [ServerID] = []
  var expected = ""
  /// Voters in the order in which their answers are listed.
  private var order: [ServerID] = []
  private var indexes: [UInt64?] = []
  private var votes: [String] = []

  init?(_ line: String) {
    func value(_ key: String) -> Substring? {
      guard let start = line.range(of: "\"\(key)\": ") else { return nil }
      let rest = line[start...]
      if rest.hasPrefix("[") { return rest.firstIndex(of: "]").map { rest[rest.index(after: rest.startIndex)..<$0] } }
      if rest.hasPrefix("\"") {
        let inner = rest.dropFirst()
        return inner.firstIndex(of: "\"").map { inner[..<$0] }
      }
      return rest.prefix { $0 != "," && $0 != "}" }
    }
    func list(_ text: Substring) -> [String] {
      text.split(separator: ",").map { String($0.filter { $0 != " " && $0 != "\"" }) }
    }
    guard let command = value("cmd"), let incoming = value("cfg"), let expected = value("expect") else { return nil }
    self.command = String(command)
    self.expected = String(expected)
    self.incoming = list(incoming).compactMap { UInt64($0).map { ServerID($0) } }
    if let outgoing = value("cfgj"), outgoing != "null", outgoing != "zero" {
      self.outgoing = list(outgoing).compactMap { UInt64($0).map { ServerID($0) } }
    }
    for voter in self.incoming + self.outgoing where !order.contains(voter) { order.append(voter) }
    indexes = value("idx").map { list($0).map { UInt64($0) } } ?? []
    votes = value("votes").map(list) ?? []
  }

  func index(of voter: ServerID) -> UInt64 {
    order.firstIndex(of: voter).flatMap { $0 < indexes.count ? indexes[$0] : nil } ?? 0
  }

  func vote(of voter: ServerID) -> Bool? {
    guard let place = order.firstIndex(of: voter), place < votes.count else { return nil }
    return votes[place] == "y" ? true : votes[place] == "n" ? false : nil
  }
}

extension String {
  /// The index behind the first occurrence of `text`.
  fileprivate func range(of text: String) -> String.Index? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}

private func contents(_ path: String) throws -> [UInt8] {
  let file = try #require(fopen(path, "r"), "\(path) can't be opened")
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
  return bytes
}
