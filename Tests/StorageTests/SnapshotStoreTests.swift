import Glibc
import Testing

@testable import Storage

@Suite struct SnapshotStoreTests {
  static func write(_ store: SnapshotStore, _ index: UInt64, _ chunks: [[UInt8]]) throws -> SnapshotDescription {
    var writer = try store.makeWriter(at: LogPosition(index: index, term: 3))
    for chunk in chunks { try writer.write(chunk) }
    return try writer.finish()
  }

  static func read(_ store: SnapshotStore, _ snapshot: SnapshotDescription) throws -> [[UInt8]] {
    var reader = try store.makeReader(of: snapshot)
    var chunks: [[UInt8]] = []
    while let chunk = try reader.next() { chunks.append(chunk) }
    return chunks
  }

  @Test func chunksComeBackAndOnlyTheLastTwoAreKept() throws {
    let scratch = try Scratch()
    let store = try SnapshotStore(folder: scratch.path + "/snapshots")
    let chunks = [Array("one".utf8), [UInt8](repeating: 7, count: 300_000)]
    for index in [UInt64(5), 70, 900] { _ = try Self.write(store, index, chunks) }
    let listed = try store.list()
    #expect(listed.map(\.position.index) == [900, 70])
    #expect(try Self.read(store, listed[0]) == chunks)
    #expect(try SnapshotStore(folder: scratch.path + "/snapshots").list() == listed)
  }

  @Test func anUnfinishedSnapshotIsNeverSeen() throws {
    let scratch = try Scratch()
    let store = try SnapshotStore(folder: scratch.path)
    do {
      var writer = try store.makeWriter(at: LogPosition(index: 1, term: 1))
      try writer.write([1, 2, 3])
      #expect(try store.list().isEmpty)
    }
    #expect(try Files.names(in: scratch.path).isEmpty)
    writeFile(scratch.path + "/snapshot-0000000000000001-0000000000000001.tmp", [1])
    #expect(try SnapshotStore(folder: scratch.path).list().isEmpty)
    #expect(try Files.names(in: scratch.path).isEmpty)
  }

  @Test func damageAnywhereIsFound() throws {
    let scratch = try Scratch()
    let store = try SnapshotStore(folder: scratch.path)
    let snapshot = try Self.write(store, 9, [Array("first chunk".utf8), Array("second".utf8)])
    let intact = readFile(snapshot.path)
    for at in intact.indices {
      var bytes = intact
      bytes[at] ^= 0x10
      writeFile(snapshot.path, bytes)
      let error = #expect(throws: StorageError.self) { try Self.read(store, snapshot) }
      #expect(error?.reason == .corrupt || error?.reason == .foreign, "byte \(at)")
    }
    for length in 0..<intact.count {
      writeFile(snapshot.path, Array(intact[..<length]))
      let error = #expect(throws: StorageError.self) { try Self.read(store, snapshot) }
      #expect(error?.reason == .corrupt, "cut to \(length)")
    }
    // Both chunks' places, lengths and checksums are right, but one is missing.
    writeFile(snapshot.path, Array(intact[..<32] + intact[(32 + 16 + 11)...]))
    #expect(throws: StorageError.self) { try Self.read(store, snapshot) }
    writeFile(snapshot.path, intact)
    #expect(try Self.read(store, snapshot).count == 2)
  }
}
