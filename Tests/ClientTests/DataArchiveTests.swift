import Codec
import Glibc
import Linux
import Model
import Testing

@testable import Client

/// An ended allocation's data, taken apart and put together again.
@Suite struct DataArchiveTests {
  @Test(arguments: [1, 7, 4096, 1 << 20]) func whatComesOutIsWhatWentIn(_ piece: Int) throws {
    try withDirectories { old, new in
      try fill(old)
      try old.write("t/secrets/key", "secret", 0o600)
      var reader = try DataArchiveReader(old.directory, tasks: ["t"])
      var writer = try DataArchiveWriter(new.directory, tasks: ["t"])
      while let bytes = try reader.next() {
        for start in stride(from: 0, to: bytes.count, by: piece) {
          try writer.add(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
      }
      #expect(writer.isComplete && writer.bytes == 600_005)
      #expect(
        try new.text("alloc/data/a") == "hello"
          && new.bytes("t/local/deep/er/large") == old.bytes("t/local/deep/er/large"))
      for path in ["alloc/data/a", "t/local/deep", "t/local/deep/er/large", "alloc/data/empty"] {
        let (before, after) = try (FileStatus.of(old.path + path), FileStatus.of(new.path + path))
        #expect(
          before.permissions == after.permissions && before.modifiedNanoseconds == after.modifiedNanoseconds, "\(path)")
      }
      let folder = try FileDescriptor.open(new.path + "alloc/data", [.directory])
      #expect(try folder.readSymbolicLink("link") == "/etc/passwd")
      // Secrets, sockets and pipes stay where they are.
      #expect(!Files.exists(new.path + "t/secrets/key") && !Files.exists(new.path + "alloc/data/pipe"))
    }
  }

  @Test func aStreamThatIsCutOffIsNotComplete() throws {
    try withDirectories { old, new in
      try fill(old)
      var reader = try DataArchiveReader(old.directory, tasks: ["t"])
      var pieces: [[UInt8]] = []
      while let bytes = try reader.next() { pieces.append(bytes) }
      var writer = try DataArchiveWriter(new.directory, tasks: ["t"])
      for bytes in pieces.dropLast() { try writer.add(bytes) }
      #expect(!writer.isComplete)
      try new.directory.clearData(tasks: ["t"])
      #expect(!Files.exists(new.path + "alloc/data/a") && Files.exists(new.path + "alloc/data"))
    }
  }

  @Test(arguments: ["../x", "alloc/logs/x", "alloc/data/../../x", "t/secrets/x", "other/local/x", "/etc/x"])
  func entriesThatLeadOutAreRefused(_ path: String) throws {
    try withDirectories { _, new in
      var writer = try DataArchiveWriter(new.directory, tasks: ["t"])
      var entry = ArchiveEntry()
      entry.path = path
      entry.kind = ArchiveEntry.Kind.directory.rawValue
      let error = #expect(throws: ClientError.self) { try writer.add(ClientRPC.frame(entry)) }
      #expect(error?.message.contains("leads out of it") == true)
    }
  }

  @Test func aLinkThatCameBeforeIsNotFollowed() throws {
    try withDirectories { old, new in
      var writer = try DataArchiveWriter(new.directory, tasks: ["t"])
      var directory = ArchiveEntry()
      (directory.path, directory.kind) = ("alloc/data", ArchiveEntry.Kind.directory.rawValue)
      try writer.add(ClientRPC.frame(directory))
      var link = ArchiveEntry()
      (link.path, link.kind, link.target) = ("alloc/data/out", ArchiveEntry.Kind.link.rawValue, old.directory.path)
      try writer.add(ClientRPC.frame(link))
      var file = ArchiveEntry()
      (file.path, file.kind) = ("alloc/data/out/x", ArchiveEntry.Kind.file.rawValue)
      #expect(throws: ClientError.self) { try writer.add(ClientRPC.frame(file)) }
      #expect(!Files.exists(old.path + "x"))
    }
  }

  // MARK: -

  private func fill(_ place: Place) throws {
    try place.directory.ensure()
    try place.directory.ensure(task: "t", owner: (geteuid(), getegid()))
    try place.write("alloc/data/a", "hello", 0o640)
    try place.write("alloc/data/empty", "", 0o644)
    try Files.makeDirectories(place.path + "t/local/deep/er", permissions: 0o755)
    try place.write("t/local/deep/er/large", String(repeating: "abcdef", count: 100_000), 0o4755)
    chmod(place.path + "t/local/deep", 0o711)
    let folder = try FileDescriptor.open(place.path + "alloc/data", [.directory])
    try folder.makeSymbolicLink("link", to: "/etc/passwd")
    try folder.makeFIFO("pipe")
  }

  private struct Place {
    let directory: AllocationDirectory
    var path: String { directory.path + "/" }
    func write(_ file: String, _ text: String, _ permissions: UInt32) throws {
      try Files.replace(path + file, with: Array(text.utf8), permissions: permissions)
      chmod(path + file, permissions)
    }
    func text(_ file: String) throws -> String { try Files.readText(path + file) }
    func bytes(_ file: String) throws -> [UInt8] { try Files.read(path + file, limit: 1 << 20) }
  }

  private func withDirectories(_ body: (Place, Place) throws -> Void) throws {
    var template = Array("/tmp/serai-archive-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? Files.removeTree(folder) }
    try body(
      Place(directory: AllocationDirectory(folder + "/old")), Place(directory: AllocationDirectory(folder + "/new")))
  }
}
