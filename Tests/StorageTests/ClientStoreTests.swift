import Glibc
import Testing

@testable import Storage

@Suite struct ClientStoreTests {
  @Test func recordsOutliveTheProcessThatWroteThem() async throws {
    let scratch = try Scratch()
    let path = scratch.path + "/state.db"
    let store = try ClientStore(owning: try ClientDatabase(opening: path))
    try await store.put(.node, key: "id", [1, 2, 3])
    try await store.put(.node, key: "id", [4])
    try await store.put(.node, key: "secret", [])
    await store.close()
    let again = try ClientStore(owning: try ClientDatabase(opening: path))
    #expect(try await again.value(.node, key: "id") == [4])
    #expect(try await again.value(.node, key: "secret") == [])
    #expect(try await again.value(.node, key: "other") == nil)
    #expect(try await again.value(.allocations, key: "id") == nil)
    try await again.delete(.node, key: "id")
    try await again.delete(.node, key: "id")
    #expect(try await again.records(.node).map(\.key) == ["secret"])
  }

  @Test func prefixesSelectExactlyTheKeysThatBeginWithThem() async throws {
    let scratch = try Scratch()
    let store = try ClientStore(owning: try ClientDatabase(opening: scratch.path + "/state.db"))
    let keys = ["a", "a/", "a/1", "a/2", "a/\u{10FFFF}", "a0", "b/1", "", "%", "_"]
    try await store.write(keys.map { .put(.taskState, key: $0, Array($0.utf8)) })
    #expect(try await store.records(.taskState, prefix: "a/").map(\.key) == ["a/", "a/1", "a/2", "a/\u{10FFFF}"])
    #expect(try await store.records(.taskState).count == keys.count)
    #expect(try await store.records(.taskState, prefix: "%").map(\.key) == ["%"])
    try await store.write([.deleteAll(.taskState, prefix: "a/"), .put(.taskState, key: "a/9", [9])])
    #expect(try await store.records(.taskState, prefix: "a").map(\.key) == ["a", "a/9", "a0"])
  }

  @Test func forgettingAnAllocationLeavesItsNeighboursAlone() async throws {
    let scratch = try Scratch()
    let store = try ClientStore(owning: try ClientDatabase(opening: scratch.path + "/state.db"))
    for id in ["aaaa", "aaab"] {
      let key = Bucket.taskKey(allocation: id, task: "web")
      try await store.write([
        .put(.allocations, key: id, [1]), .put(.taskState, key: key, [2]), .put(.driverHandles, key: key, [3]),
      ])
    }
    try await store.forget(allocation: "aaaa")
    #expect(try await store.records(.allocations).map(\.key) == ["aaab"])
    #expect(try await store.records(.driverHandles).map(\.key) == ["aaab/web"])
    #expect(try await store.value(.taskState, key: "aaaa/web") == nil)
  }

  @Test func concurrentWritersAreAllStored() async throws {
    let scratch = try Scratch()
    let path = scratch.path + "/state.db"
    let store = try ClientStore(owning: try ClientDatabase(opening: path))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask { try await store.put(.taskState, key: "task-\(number)", [UInt8(number)]) }
      }
      try await group.waitForAll()
    }
    #expect(try await store.records(.taskState).count == 200)
    await store.close()
    await store.close()
    let error = await #expect(throws: StorageError.self) { try await store.put(.node, key: "x", []) }
    #expect(error?.reason == .closed)
  }

  @Test func aDamagedRecordIsReportedByName() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/state.db"
    do {
      var database = try ClientDatabase(opening: path)
      try database.write([.put(.node, key: "id", Array("findable value".utf8)), .put(.node, key: "other", [1])])
      try database.checkpoint()
    }
    unlink(path + "-wal")
    var bytes = readFile(path)
    let needle = Array("findable".utf8)
    let at = try #require((0..<bytes.count - 8).first { Array(bytes[$0..<$0 + 8]) == needle })
    bytes[at] ^= 1
    writeFile(path, bytes)
    var database = try ClientDatabase(opening: path)
    let error = #expect(throws: StorageError.self) { try database.value(.node, key: "id") }
    #expect(error?.reason == .corrupt)
    #expect(error?.detail.contains("node/id") == true)
    #expect(try database.value(.node, key: "other") == [1])
  }
}
