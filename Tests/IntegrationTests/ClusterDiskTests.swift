import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Servers of a cluster whose disks are full, or not what they were.
@Suite(.timeLimit(.minutes(10))) struct ClusterDiskTests {
  @Test(.enabled(if: isRoot, "mounts small file systems of its own: needs root"))
  func aLeaderWhoseDiskIsFullLeavesTheWorkToOthersAndComesBack() async throws {
    try await Scratch.with { scratch in
      for number in 1...3 {
        let folder = "\(scratch.folder)/s\(number)"
        try Files.makeDirectories(folder, permissions: 0o755)
        try #require(mount("serai-test", folder, "tmpfs", 0, "size=32m") == 0, "errno \(errno)")
        scratch.atEnd { umount2(folder, Int32(MNT_DETACH)) }
      }
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let full = try await group.leader()
      try #require(await full.makeNamespace("before")?.status == .ok)
      let filler = "\(full.dataFolder)/filler"
      fill(filler)
      // What is preallocated still takes some entries; each of these carries 60 KB.
      let description = String(repeating: "x", count: 250)
      let others = group.others(than: full)
      var written: [String] = []
      try await until("another server leads", orSay: { full.logText }) {
        for _ in 0..<20 {
          let name = "w-\(written.count)"
          let meta = (0..<200).map { "\"k\($0)\": \"\(description)\"" }.joined(separator: ", ")
          let answer = try? await others[0].request(
            .put, "/v1/namespace", body: "{\"Name\": \"\(name)\", \"Meta\": {\(meta)}}", timeout: .seconds(10))
          if answer?.status == .ok { written.append(name) }
        }
        return try await group.leader() !== full
      }
      try #require(full.logText.contains("the disk is full") || full.logText.contains("FULL"), "\(full.logText)")
      try #require(await others[1].makeNamespace("meanwhile")?.status == .ok)
      unlink(filler)
      try await until("the one that was full has everything", orSay: { full.logText }) {
        let found = try await full.namespaces()
        return found.isSuperset(of: written) && found.contains("meanwhile")
      }
      try #require(full.logText.contains("the disk takes writes again"))
    }
  }

  /// Leaves no room on the file system.
  private func fill(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
    close(file)
  }

  @Test func aServerWithAnOlderDiskTakesNoPartAndSaysWhatToDo() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let leader = try await group.leader()
      let old = try #require(group.others(than: leader).first)
      try await old.kill()
      try #require(try await scratch.run("/bin/cp", ["-a", old.dataFolder, "\(scratch.folder)/copy"]).code == 0)
      try await old.start()
      for number in 0..<20 { try #require(await leader.makeNamespace("n-\(number)")?.status == .ok) }
      try await until("it has them") { try await old.namespaces().contains("n-19") }
      try await old.kill()
      try Files.removeTree(old.dataFolder)
      try #require(try await scratch.run("/bin/mv", ["\(scratch.folder)/copy", old.dataFolder]).code == 0)
      try old.launch()
      try await until("it knows that its disk is too old", orSay: { old.logText }) {
        old.logText.contains("empty its data directory")
      }
      // It has found out for good: also when the others can't tell it again.
      try await old.kill()
      try old.launch()
      try await until("it still knows", orSay: { old.logText }) {
        old.logText.components(of: "empty its data directory") >= 2
      }
      try #require(await leader.makeNamespace("on-and-on")?.status == .ok, "the other two are a majority")
    }
  }
}

extension String {
  /// How often a text is in this one.
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
