/// News on its way to everybody: each piece rides on a number of packets that grows with the logarithm of the members
/// (SWIM §4.1), what was told least first. A newer piece about a member replaces the older one.
struct BroadcastQueue: Sendable {
  private struct Entry {
    let subject: String
    let bytes: [UInt8]
    var transmits = 0
    let number: UInt64
  }

  private var entries: [Entry] = []
  private var lastNumber: UInt64 = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// - Returns: false if the piece that was told most had to give way.
  mutating func add(_ subject: String, _ bytes: [UInt8]) -> Bool {
    entries.removeAll { $0.subject == subject }
    lastNumber += 1
    entries.append(Entry(subject: subject, bytes: bytes, number: lastNumber))
    guard entries.count > limit else { return true }
    sort()
    entries.removeLast()
    return false
  }

  /// Pieces that fit into `room` bytes together; each is counted, and gone after `transmitLimit` times.
  mutating func take(room: Int, transmitLimit: Int) -> [UInt8] {
    guard !entries.isEmpty else { return [] }
    sort()
    var bytes: [UInt8] = []
    for index in entries.indices where bytes.count + entries[index].bytes.count <= room {
      bytes.append(contentsOf: entries[index].bytes)
      entries[index].transmits += 1
    }
    entries.removeAll { $0.transmits >= transmitLimit }
    return bytes
  }

  /// Least told first, the newest of those first.
  private mutating func sort() {
    entries.sort { $0.transmits != $1.transmits ? $0.transmits < $1.transmits : $0.number > $1.number }
  }
}
