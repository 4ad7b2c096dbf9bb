import Glibc
import Testing

@testable import Storage

func records(_ range: ClosedRange<UInt64>, term: UInt64 = 1, size: Int = 20) -> [LogRecord] {
  range.map {
    LogRecord(index: $0, term: term, kind: UInt8($0 % 5), bytes: [UInt8](repeating: UInt8($0 % 251), count: size))
  }
}

@Suite struct LogStoreTests {
  @Test func whatWasAppendedIsThereAfterReopening() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    do {
      var log = try LogStore(opening: path)
      #expect(log.last == .zero)
      #expect(log.hardState == HardState())
      try log.append(records(1...10))
      try log.append([LogRecord(index: 11, term: 2, kind: 255, bytes: [])])
      try log.save(HardState(term: 2, votedFor: "server-é"))
    }
    var log = try LogStore(opening: path)
    #expect(log.last == LogPosition(index: 11, term: 2))
    #expect(log.hardState == HardState(term: 2, votedFor: "server-é"))
    #expect(try log.entries(from: 1) == records(1...10) + [LogRecord(index: 11, term: 2, kind: 255, bytes: [])])
    #expect(try log.entries(from: 12).isEmpty)
    try log.save(HardState(term: 3, votedFor: nil))
    try log.save(HardState(term: 3, votedFor: ""))
    #expect(try LogStore(opening: path).hardState == HardState(term: 3, votedFor: ""))
  }

  @Test func readsStopAtTheBudgetsButGiveAtLeastOne() throws {
    let scratch = try Scratch()
    var log = try LogStore(opening: scratch.path + "/raft.db")
    try log.append(records(1...10, size: 100))
    #expect(try log.entries(from: 3, maximumCount: 2).map(\.index) == [3, 4])
    #expect(try log.entries(from: 3, maximumBytes: 350).map(\.index) == [3, 4, 5])
    #expect(try log.entries(from: 3, maximumBytes: 1).map(\.index) == [3])
  }

  @Test func gapsAndOlderTermsAreRefusedAndChangeNothing() throws {
    let scratch = try Scratch()
    var log = try LogStore(opening: scratch.path + "/raft.db")
    try log.append(records(1...3, term: 5))
    for bad in [
      records(5...5, term: 5), records(3...4, term: 5), records(4...4, term: 4),
      records(4...5, term: 5) + records(7...7, term: 5),
    ] {
      let error = #expect(throws: StorageError.self) { try log.append(bad) }
      #expect(error?.reason == .conflict)
    }
    #expect(try log.entries(from: 1) == records(1...3, term: 5))
  }

  @Test func truncateThenAppendOverwrites() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    var log = try LogStore(opening: path)
    try log.append(records(1...5, term: 1))
    try log.truncateSuffix(from: 4)
    #expect(log.last == LogPosition(index: 3, term: 1))
    try log.append(records(4...4, term: 3))
    #expect(try LogStore(opening: path).last == LogPosition(index: 4, term: 3))
    try log.truncateSuffix(from: 1)
    #expect(log.last == .zero)
    try log.truncateSuffix(from: 9)
    try log.append(records(1...1, term: 4))
    #expect(try log.entries(from: 1) == records(1...1, term: 4))
  }

  @Test func compactionKeepsThePositionOfWhatIsGone() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    do {
      var log = try LogStore(opening: path)
      try log.append(records(1...10, term: 2))
      try log.compact(through: 7)
      try log.compact(through: 3)
      #expect(log.firstIndex == 8)
      #expect(try log.position(at: 7) == LogPosition(index: 7, term: 2))
      let read = #expect(throws: StorageError.self) { try log.entries(from: 7) }
      #expect(read?.reason == .conflict)
      let cut = #expect(throws: StorageError.self) { try log.truncateSuffix(from: 7) }
      #expect(cut?.reason == .conflict)
      let beyond = #expect(throws: StorageError.self) { try log.compact(through: 11) }
      #expect(beyond?.reason == .conflict)
      try log.compact(through: 10)
    }
    var log = try LogStore(opening: path)
    #expect(log.compacted == LogPosition(index: 10, term: 2))
    #expect(log.last == LogPosition(index: 10, term: 2))
    try log.append(records(11...12, term: 2))
    try log.install(LogPosition(index: 100, term: 9))
    #expect(try log.entries(from: 101).isEmpty)
    try log.append(records(101...101, term: 9))
    #expect(try LogStore(opening: path).last == LogPosition(index: 101, term: 9))
  }

  @Test func aReaderSeesCommittedEntriesBesideTheWriter() throws {
    let scratch = try Scratch()
    var log = try LogStore(opening: scratch.path + "/raft.db")
    try log.append(records(1...5))
    var reader = try log.makeReader()
    #expect(try reader.entries(from: 2, maximumCount: 2) == records(2...3))
    try log.begin()
    try log.append(records(6...6))
    #expect(try reader.entries(from: 6).isEmpty)
    try log.commit()
    #expect(try reader.entries(from: 6) == records(6...6))
    try log.compact(through: 4)
    #expect(try reader.entries(from: 3).isEmpty)
  }

  @Test func rollbackRestoresWhatIsInMemory() throws {
    let scratch = try Scratch()
    var log = try LogStore(opening: scratch.path + "/raft.db")
    try log.append(records(1...5))
    try log.begin()
    try log.append(records(6...9))
    try log.save(HardState(term: 7, votedFor: "a"))
    try log.rollback()
    #expect(log.last.index == 5)
    #expect(log.hardState == HardState())
    try log.append(records(6...6))
  }

  /// The file is a B-tree of 4 KiB pages: flipping a byte of a stored payload must be told, not returned.
  @Test func aFlippedBitInAnEntryIsReported() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    do {
      var log = try LogStore(opening: path, preallocateBytes: 0)
      try log.append([LogRecord(index: 1, term: 1, kind: 0, bytes: Array("a payload that is easy to find".utf8))])
      try log.append(records(2...3))
      try log.checkpoint()
    }
    var bytes = readFile(path)
    let needle = Array("easy".utf8)
    let at = try #require((0..<bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == needle })
    bytes[at] ^= 0x04
    writeFile(path, bytes)
    unlink(path + "-wal")
    var log = try LogStore(opening: path, preallocateBytes: 0)
    let error = #expect(throws: StorageError.self) { try log.entries(from: 1) }
    #expect(error?.reason == .corrupt)
    #expect(error?.description.contains("entry 1 has the wrong checksum") == true)
    #expect(error?.description.contains(path) == true)
    #expect(try log.entries(from: 2) == records(2...3))
  }

  /// Every page in turn is overwritten with noise: opening and reading must end in an error or in the right entries.
  @Test func aPageOfNoiseIsFoundWhereverItIs() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    do {
      var log = try LogStore(opening: path, preallocateBytes: 0)
      try log.append(records(1...400, size: 300))
      try log.save(HardState(term: 1, votedFor: "me"))
      try log.checkpoint()
    }
    let intact = readFile(path)
    var generator = SeededGenerator(state: 7)
    var found = 0
    let pages = intact.count / 4096
    for page in 0..<pages {
      var damaged = intact
      for offset in page * 4096..<(page + 1) * 4096 { damaged[offset] = UInt8.random(in: 0...255, using: &generator) }
      let copy = scratch.path + "/damaged.db"
      for suffix in ["", "-wal", "-shm"] { unlink(copy + suffix) }
      writeFile(copy, damaged)
      do throws(StorageError) {
        var log = try LogStore(opening: copy, preallocateBytes: 0)
        let entries = try log.entries(from: 1)
        #expect(entries == records(1...400, size: 300))
        #expect(log.hardState == HardState(term: 1, votedFor: "me"))
      } catch {
        found += 1
        #expect([.corrupt, .foreign].contains(error.reason), "\(error)")
      }
    }
    // Most pages hold entries; those that were reserved for growth are unused and rightly make no difference.
    #expect(found >= 30)
  }

  @Test func anotherProgramsDatabaseAndANewerSchemaAreRefused() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/client.db"
    _ = try ClientDatabase(opening: path)
    let foreign = #expect(throws: StorageError.self) { _ = try LogStore(opening: path) }
    #expect(foreign?.reason == .foreign)
    let text = scratch.path + "/text.db"
    writeFile(text, Array(String(repeating: "not a database ", count: 500).utf8))
    let corrupt = #expect(throws: StorageError.self) { _ = try LogStore(opening: text) }
    #expect(corrupt?.reason == .corrupt)
    #expect(corrupt?.code.hasPrefix("SQLITE_NOTADB") == true)
    #expect(readFile(text).count == 7_500)
  }

  @Test func aDirectoryThatIsNotThereSaysSo() throws {
    let error = #expect(throws: StorageError.self) { _ = try LogStore(opening: "/nonexistent/serai/raft.db") }
    #expect(error?.reason == .inaccessible)
    #expect(error?.description.contains("/nonexistent/serai/raft.db") == true)
  }
}
