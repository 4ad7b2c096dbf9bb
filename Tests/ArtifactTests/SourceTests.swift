import Digests
import Testing

@testable import Artifact

@Suite struct ArtifactSourceTests {
  @Test func aURLIsTakenApart() throws {
    let source = try ArtifactSource(
      "https://example.org/dir/app-1.2.tar.gz//app/bin?checksum=sha256:\(String(repeating: "ab", count: 32))&token=x",
      options: [:])
    #expect(source.scheme == "https" && source.location == "https://example.org/dir/app-1.2.tar.gz?token=x")
    #expect(source.fileName == "app-1.2.tar.gz" && source.packing == .archive && source.subdirectory == "app/bin")
    #expect(source.checksum?.expectation == .digest(.sha256, [UInt8](repeating: 0xAB, count: 32)))
  }

  @Test func optionsWinAndOthersBelongToTheRequest() throws {
    let source = try ArtifactSource(
      "http://h:1/a.zip?archive=zip", options: ["archive": "false", "filename": "tool", "version": "3"])
    #expect(source.packing == .none && source.fileName == "tool" && source.location == "http://h:1/a.zip?version=3")
  }

  @Test(arguments: [
    ("http://h/a.tgz", ArtifactSource.Packing.archive), ("http://h/a.tar.zst", .archive), ("http://h/a.zip", .archive),
    ("http://h/tool.gz", .compressed(name: "tool")), ("http://h/tool.xz", .compressed(name: "tool")),
    ("http://h/tool", .none), ("http://h/.gz", .none), ("http://h/x?archive=tar.gz", .archive),
  ]) func thePackingIsKnownByTheName(_ url: String, _ packing: ArtifactSource.Packing) throws {
    #expect(try ArtifactSource(url, options: [:]).packing == packing)
  }

  @Test(arguments: [
    "", "relative/path", "git::https://example.org/x.git", "s3::https://s3.amazonaws.com/b/k", "ftp://h/x",
    "http://h/a.tar.gz//../x", "http://h/x?checksum=sha256:12", "http://h/x?checksum=crc32:00000000",
  ]) func whatIsNotUnderstoodIsRefused(_ url: String) {
    #expect(throws: ArtifactError.self) { try ArtifactSource(url, options: [:]) }
  }

  @Test func checksumsAreFoundInLists() {
    let digits = String(repeating: "0f", count: 32)
    let expected = Checksum.Expectation.digest(.sha256, [UInt8](repeating: 0x0F, count: 32))
    for list in [
      "\(digits)  app.zip\n", "aa  other\n\(digits) *app.zip\n", "\(digits)  ./dist/app.zip\n",
      "SHA256 (app.zip) = \(digits)\n", "\(digits)\n",
    ] { #expect(Checksum.find("app.zip", inList: list)?.expectation == expected, "\(list)") }
    #expect(Checksum.find("app.zip", inList: "\(digits)  other.zip\n\(digits)  more.zip\n") == nil)
  }

  @Test func pathsAndLinksStayInside() throws {
    #expect(try ArchiveExtraction.relative("./a//b", below: "", "x") == "a/b")
    #expect(try ArchiveExtraction.relative("/etc/passwd", below: "", "x") == "etc/passwd")
    #expect(try ArchiveExtraction.relative("app/bin/x", below: "app/bin", "x") == "x")
    #expect(try ArchiveExtraction.relative("app/binary", below: "app/bin", "x") == nil)
    #expect(throws: ArtifactError.self) { try ArchiveExtraction.relative("a/../../b", below: "", "x") }
    #expect(ArchiveExtraction.staysInside(link: "bin/npm", to: "../lib/npm"))
    #expect(
      !ArchiveExtraction.staysInside(link: "npm", to: "../lib") && !ArchiveExtraction.staysInside(link: "a", to: "/x"))
    #expect(!ArchiveExtraction.staysInside(link: "a/b/c", to: "../../../etc"))
  }
}
