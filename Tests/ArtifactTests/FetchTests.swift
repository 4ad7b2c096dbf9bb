import HTTP
import Linux
import Testing

@testable import Artifact

/// Artifacts from a server of our own into a temporary directory.
@Suite(.timeLimit(.minutes(10))) struct ArtifactFetchTests {
  /// SHA-256 of "hello\n" by sha256sum(1).
  static let hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

  @Test func aFileIsDownloadedAndChecked() async throws {
    try await Scratch.with(["/hello": Array("hello\n".utf8), "/run.sh": Array("#!/bin/sh\n".utf8)]) { scratch in
      try await scratch.fetch("/hello?checksum=sha256:\(Self.hello)")
      #expect(try scratch.text("local/hello") == "hello\n")
      #expect(try scratch.status("local/hello").permissions & 0o777 == 0o644)
      try await scratch.fetch("/hello", destination: "local/deep/name", mode: .file)
      #expect(try scratch.text("local/deep/name") == "hello\n")
      try await scratch.fetch("/run.sh")
      #expect(try scratch.status("local/run.sh").permissions & 0o777 == 0o755, "a script can be run")
      try await scratch.fetch("/hello", options: ["checksum": "file:\(scratch.url)/sums"])
      #expect(try scratch.entries("local").filter { $0.hasSuffix(".part") }.isEmpty)
    }
  }

  @Test func aWrongChecksumLeavesNothing() async throws {
    try await Scratch.with(["/hello": Array("hello?\n".utf8)]) { scratch in
      let error = await #expect(throws: ArtifactError.self) {
        try await scratch.fetch("/hello?checksum=sha256:\(Self.hello)")
      }
      #expect(error?.kind == .refused && error?.message.contains(Self.hello) == true, "\(String(describing: error))")
      let left = try scratch.entries("local")
      #expect(left.isEmpty)
    }
  }

  @Test func archivesAreUnpacked() async throws {
    let tar = Tar()
      .directory("app/").file("app/run", "#!/bin/sh\necho hi\n", mode: 0o755).file("app/data", "x", mode: 0o600)
      .link("app/latest", to: "run").hardLink("app/copy", to: "app/data").bytes
    try await Scratch.with(["/app.tar": tar]) { scratch in
      try await scratch.fetch("/app.tar")
      #expect(try scratch.text("local/app/run") == "#!/bin/sh\necho hi\n")
      #expect(try scratch.status("local/app/run").permissions & 0o7777 == 0o755)
      #expect(try scratch.status("local/app/data").permissions & 0o7777 == 0o600)
      #expect(try scratch.text("local/app/latest").hasPrefix("#!") && scratch.text("local/app/copy") == "x")
      try await scratch.fetch("/app.tar//app", destination: "local/flat")
      #expect(try scratch.entries("local/flat").sorted() == ["copy", "data", "latest", "run"])
      // Again over what is there.
      try await scratch.fetch("/app.tar")
      #expect(try scratch.text("local/app/data") == "x")
    }
  }

  @Test func nothingIsWrittenOutside() async throws {
    let archives = [
      Tar().file("../outside", "x").bytes, Tar().file("a/../../outside", "x").bytes,
      Tar().link("out", to: "..").file("out/outside", "x").bytes,
      Tar().link("out", to: "/tmp").bytes, Tar().fifo("pipe").bytes,
    ]
    for (number, archive) in archives.enumerated() {
      try await Scratch.with(["/a.tar": archive]) { scratch in
        let error = await #expect(throws: ArtifactError.self, "archive \(number)") { try await scratch.fetch("/a.tar") }
        #expect(error?.kind == .refused)
        let entries = try scratch.entries(".")
        #expect(entries.sorted() == ["local"])
      }
    }
    // An absolute path is one below the destination.
    try await Scratch.with(["/a.tar": Tar().file("/etc/passwd", "x").bytes]) { scratch in
      try await scratch.fetch("/a.tar")
      #expect(try scratch.text("local/etc/passwd") == "x")
    }
  }

  @Test func linksThatATaskHasMadeAreNotFollowed() async throws {
    try await Scratch.with(["/hello": Array("hello\n".utf8)]) { scratch in
      let local = try FileDescriptor.open(scratch.folder + "/task/local", [.readOnly, .directory])
      try local.makeSymbolicLink("dir", to: scratch.folder)
      try local.makeSymbolicLink("hello", to: scratch.folder + "/victim")
      await #expect(throws: ArtifactError.self) { try await scratch.fetch("/hello", destination: "local/dir") }
      try await scratch.fetch("/hello")
      #expect(!Files.exists(scratch.folder + "/victim") && !Files.exists(scratch.folder + "/hello"))
      #expect(try scratch.text("local/hello") == "hello\n")
    }
  }

  @Test func limitsHold() async throws {
    let zeros = [UInt8](repeating: 0, count: 100_000)
    try await Scratch.with([
      "/big": zeros, "/big.tar": Tar().file("a", String(repeating: "x", count: 50_000)).bytes,
      "/many.tar": Tar().file("a", "").file("b", "").file("c", "").bytes,
    ]) { scratch in
      var limits = ArtifactLimits()
      limits.downloadBytes = 60_000
      limits.unpackedBytes = 40_000
      limits.files = 2
      for path in ["/big", "/big.tar", "/many.tar"] {
        let error = await #expect(throws: ArtifactError.self) { try await scratch.fetch(path, limits: limits) }
        #expect(error?.kind == .refused, "\(path): \(String(describing: error))")
      }
    }
  }

  @Test func filesOfTheHostNeedTheOperatorsLeave() async throws {
    try await Scratch.with([:]) { scratch in
      let path = scratch.folder + "/shared/note"
      try Files.makeDirectories(scratch.folder + "/shared")
      try Files.replace(path, with: Array("note".utf8), permissions: 0o644)
      let request = ArtifactRequest(source: "file://" + path, directory: scratch.folder + "/task", destination: "local")
      var limits = ArtifactLimits()
      let error = await #expect(throws: ArtifactError.self) { try await ArtifactFetch.run(request, limits: limits) }
      #expect(error?.message.contains("allow_host_paths") == true)
      limits.hostPaths = [scratch.folder + "/shared"]
      try await ArtifactFetch.run(request, limits: limits)
      #expect(try scratch.text("local/note") == "note")
    }
  }

  @Test func aMissingFileIsSaidSo() async throws {
    try await Scratch.with([:]) { scratch in
      let error = await #expect(throws: ArtifactError.self) { try await scratch.fetch("/nothing") }
      #expect(error?.kind == .refused && error?.message.contains("404") == true, "\(String(describing: error))")
    }
  }
}
