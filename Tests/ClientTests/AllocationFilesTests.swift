import Codec
import Glibc
import Linux
import Model
import Testing

@testable import Client

@Suite struct AllocationFilesTests {
  private func withDirectory(_ body: (String, AllocationFiles) async throws -> Void) async throws {
    let path = "/var/tmp/serai-files-" + (try Randomness.bytes(6).map { String($0, radix: 16) }.joined())
    try AllocationDirectory(path).ensure()
    try AllocationDirectory(path).ensure(task: "web", owner: (geteuid(), getegid()))
    defer { try? Files.removeTree(path) }
    try await body(path, AllocationFiles(directory: path, tasks: ["web"], work: BlockingWork()))
  }

  @Test func directoriesHaveTheModesOfTheLayout() async throws {
    try await withDirectory { path, files in
      #expect(try await files.list("").map(\.name) == ["alloc", "web"])
      let web = try await files.list("web")
      #expect(web.map(\.name) == ["local", "secrets", "tmp"])
      #expect(web.map(\.fileMode) == ["drwxrwxrwx", "drwx------", "dtrwxrwxrwx"])
      #expect(try FileStatus.of(path + "/.layers").permissions == 0o700)
      // Again, with a link in the place of a directory: it is not followed.
      try Files.removeTree(path + "/web/local")
      #expect(symlink("/tmp", path + "/web/local") == 0)
      #expect(throws: SystemError.self) {
        try AllocationDirectory(path).ensure(task: "web", owner: (geteuid(), getegid()))
      }
    }
  }

  @Test func aLogIsOneTextOverItsFiles() async throws {
    try await withDirectory { path, files in
      for (index, text) in [(3, "abc"), (4, "def"), (10, "gh")] {
        try Files.replace("\(path)/alloc/logs/web.stdout.\(index)", with: Array(text.utf8))
      }
      func read(_ offset: Int64, fromEnd: Bool = false) async throws -> String {
        var reader = try await LogReader.open(
          files, task: "web", kind: .stdout, offset: offset, fromEnd: fromEnd, follows: false, mayGrow: { false })
        var text = ""
        while let frame = try await reader.next() { text += String(decoding: frame.data.bytes, as: UTF8.self) }
        return text
      }
      #expect(try await read(0) == "abcdefgh")
      #expect(try await read(4) == "efgh")
      #expect(try await read(3) == "defgh")
      #expect(try await read(3, fromEnd: true) == "fgh")
      #expect(try await read(100, fromEnd: true) == "abcdefgh")
      #expect(try await read(100) == "")
      var none = try await LogReader.open(
        files, task: "web", kind: .stderr, offset: 0, fromEnd: false, follows: false, mayGrow: { false })
      #expect(try await none.next() == nil)
    }
  }

  @Test func pathsAreKeptInside() throws {
    let files = AllocationFiles(directory: "/x", tasks: ["web"], work: BlockingWork())
    #expect(try files.checked("/") == "." && files.checked("a//b/./c/..") == "a/b")
    for path in ["..", "a/../..", "web/secrets", "/web//secrets/x", ".layers/web", "a\0b"] {
      #expect(throws: ClientError.self, "\(path)") { try files.checked(path) }
    }
    #expect(try files.checked("other/secrets") == "other/secrets")
  }

  @Test func garbageIsCollectedOldestFirst() {
    func candidate(_ number: UInt64, _ seconds: Int64) -> GarbageCollection.Candidate {
      .init(id: Identifier(high: 0, low: number), finishedAt: Timestamp(nanoseconds: seconds))
    }
    let candidates = [candidate(1, 30), candidate(2, 10), candidate(3, 20)]
    var limits = ClientConfiguration.GarbageCollection()
    limits.maxAllocations = 4
    #expect(GarbageCollection.victims(candidates, total: 4, fullness: nil, limits: limits) == [])
    #expect(GarbageCollection.victims(candidates, total: 6, fullness: nil, limits: limits).map(\.low) == [2, 3])
    #expect(
      GarbageCollection.victims(
        candidates, total: 3, fullness: .init(diskPercent: 81, inodePercent: 0), limits: limits
      ).map(\.low) == [2])
    #expect(
      GarbageCollection.victims(
        candidates, total: 3, fullness: .init(diskPercent: 10, inodePercent: 10), limits: limits) == [])
  }
}
