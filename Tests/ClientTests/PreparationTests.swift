import Drivers
import Linux
import Testing

@testable import Client

@Suite struct TaskPathTests {
  private let directories = TaskDirectories(allocation: "/data/alloc/x", task: "web")

  @Test(arguments: [
    ("local/a", "/data/alloc/x/web", "local/a"), ("/local/a", "/data/alloc/x/web", "local/a"),
    ("/secrets//a/./b", "/data/alloc/x/web", "secrets/a/b"), ("/alloc/data/a", "/data/alloc/x/alloc", "data/a"),
    ("alloc/data/a", "/data/alloc/x/alloc", "data/a"), ("/data/alloc/x/web/local/a", "/data/alloc/x/web", "local/a"),
    ("/data/alloc/x/alloc/data", "/data/alloc/x/alloc", "data"), ("", "/data/alloc/x/web", ""),
    ("/etc/passwd", "/data/alloc/x/web", "etc/passwd"),
  ]) func placesOfATaskAreFound(_ path: String, _ base: String, _ relative: String) {
    let place = TaskPath(path, directories)
    #expect(place?.base == base && place?.relative == relative)
  }

  @Test(arguments: ["../x", "local/../../x", "/alloc/../../x", "a\0b"])
  func nothingElseOfTheHostIs(_ path: String) { #expect(TaskPath(path, directories) == nil) }

  @Test func filesAreWrittenAndLinksAreNotFollowed() throws {
    let folder = "/tmp/serai-path-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectories(folder + "/web/local", permissions: 0o777)
    defer { try? Files.removeTree(folder) }
    let directories = TaskDirectories(allocation: folder, task: "web")
    let place = try #require(TaskPath("local/deep/file", directories))
    #expect(try place.write(Array("one".utf8), permissions: 0o640, owner: nil))
    #expect(try !place.write(Array("one".utf8), permissions: 0o640, owner: nil), "the same text is no change")
    #expect(try place.read(limit: 10) == Array("one".utf8))
    #expect(try FileStatus.of(folder + "/web/local/deep/file").permissions & 0o777 == 0o640)
    let local = try FileDescriptor.open(folder + "/web/local", [.readOnly, .directory])
    try local.makeSymbolicLink("out", to: folder)
    try local.makeSymbolicLink("link", to: folder + "/victim")
    let through = try #require(TaskPath("local/out/file", directories))
    #expect(throws: SystemError.self) { try through.write([1], permissions: 0o644, owner: nil) }
    let replaced = try #require(TaskPath("local/link", directories))
    #expect(throws: SystemError.self) { try replaced.read(limit: 10) }
    #expect(try replaced.write([1], permissions: 0o644, owner: nil))
    #expect(!Files.exists(folder + "/victim") && !Files.exists(folder + "/file"))
  }
}

@Suite struct EnvironmentFileTests {
  @Test func linesAreRead() throws {
    let text = """
      # comment

      PLAIN=a b
      export EXPORTED=x
        SPACED = y # comment
      DOUBLE="a \\"b\\"\\n# c"
      SINGLE='a \\n $b'
      EMPTY=
      HASH=a#b
      """
    #expect(
      try EnvironmentFile.parse(text) == [
        "PLAIN": "a b", "EXPORTED": "x", "SPACED": "y", "DOUBLE": "a \"b\"\n# c", "SINGLE": "a \\n $b", "EMPTY": "",
        "HASH": "a#b",
      ])
  }

  @Test(arguments: ["no equals", "=x", "A B=x", "A=\"open", "A='x' y"]) func mistakesNameTheLine(_ line: String) {
    let error = #expect(throws: ClientError.self) { try EnvironmentFile.parse("OK=1\n\(line)\n") }
    #expect(error?.message.contains("line 2") == true)
  }
}
