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

  @Test func aMajorityOfFive() {
    let values: [UInt64] = [7, 9, 3, 9, 1]
    #expect(Quorum.reached(count: 5) { values[$0] } == 7)
    #expect(Quorum.verdict(count: 5) { [true, true, nil, false, nil][$0] } == .open)
    #expect(Quorum.verdict(count: 5) { [true, true, nil, false, true][$0] } == .won)
    #expect(Quorum.verdict(count: 4) { [true, true, false, false][$0] } == .lost)
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
