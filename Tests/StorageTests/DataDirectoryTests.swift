import Glibc
import Testing

@testable import Storage

@Suite struct DataDirectoryTests {
  @Test func aSecondOwnerIsRefusedWithTheFirstOnesPid() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/data"
    do {
      let owner = try DataDirectory(owning: path)
      let error = #expect(throws: StorageError.self) { _ = try DataDirectory(owning: path) }
      #expect(error?.reason == .inUse)
      #expect(error?.description.contains("pid \(getpid())") == true)
      #expect(owner.logPath == path + "/server/raft.db")
    }
    let again = try DataDirectory(owning: path)
    _ = try LogStore(opening: again.logPath, preallocateBytes: 0)
    _ = try ClientDatabase(opening: again.clientStatePath)
    _ = try SnapshotStore(folder: again.snapshotsPath)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
  }

  @Test(arguments: [
    ("serai data directory\nlayout 2\n", "newer serai"), ("serai data directory\nlayout 0\n", "older serai"),
    ("something else\n", "not one of serai"), ("", "not one of serai"),
  ])
  func anotherLayoutIsRefusedAndLeftAlone(marker: String, expected: String) throws {
    let scratch = try Scratch()
    writeFile(scratch.path + "/version", Array(marker.utf8))
    let error = #expect(throws: StorageError.self) { _ = try DataDirectory(owning: scratch.path) }
    #expect(error?.reason == .foreign)
    #expect(error?.description.contains(expected) == true)
    #expect(try Files.names(in: scratch.path) == ["agent.lock", "version"])
    #expect(readFile(scratch.path + "/version") == Array(marker.utf8))
  }

  @Test func anotherProgramsDirectoryIsRefused() throws {
    let scratch = try Scratch()
    mkdir(scratch.path + "/client", 0o700)
    let error = #expect(throws: StorageError.self) { _ = try DataDirectory(owning: scratch.path) }
    #expect(error?.reason == .foreign)
  }

  @Test func aPathThatCantBeADirectoryIsRefused() throws {
    let scratch = try Scratch()
    writeFile(scratch.path + "/file", [])
    for path in ["/file", "/missing/deep"] {
      let error = #expect(throws: StorageError.self) { _ = try DataDirectory(owning: scratch.path + path) }
      #expect(error?.reason == .inaccessible)
      #expect(error?.code.hasPrefix("ENO") == true)
    }
  }
}
