import Codec
import Testing

@testable import Scheduler

@Suite struct VersionTests {
  @Test(
    arguments: [
      ("1.2", [1, 2, 0], 2, ""), ("v2", [2, 0, 0], 1, ""), ("1.2.3.4", [1, 2, 3, 4], 4, ""),
      ("1.0-rc.1", [1, 0, 0], 2, "rc.1"),
      ("1.0rc1", [1, 0, 0], 2, "rc1"), ("1.0.0+x.y", [1, 0, 0], 3, ""), ("1.0-1a", [1, 0, 0], 2, "1a"),
    ] as [(String, [Int64], Int, String)]) func aVersionHasItsParts(
      text: String, segments: [Int64], written: Int, prerelease: String
    ) throws
  {
    let version = try #require(Version(text))
    #expect(version.segments == segments && version.writtenSegmentCount == written && version.prerelease == prerelease)
  }

  @Test(arguments: ["", "v", "a", "1.", "1..2", ".1", "1.2.3+", "1.2 ", "1.2.3-a..b", "99999999999999999999"])
  func whatIsNoVersionIsRefused(text: String) { #expect(Version(text) == nil) }

  /// Versions and constraints out of a small alphabet, so that equal, neighbouring and malformed ones meet often.
  @Test(.enabled(if: Oracles.folder != nil, Oracles.reason)) func constraintsAgreeWithTheReferenceLibrary() throws {
    var random = RandomBits(seed: 42)
    let operators = ["", "=", "!=", ">", "<", ">=", "<=", "~>", "=>", "~"]
    let prereleases = [
      "", "", "", "-beta", "-beta1", "-rc.1", "-rc.2", "-1", "-1.a", "beta", "-", "--x", "-a.b-c", "-~",
    ]
    let builds = ["", "", "", "+ent", "+a.b"]
    func version() -> String {
      let count = Int.random(in: 1...4, using: &random)
      let numbers = (0..<count).map { _ in String(Int.random(in: 0...3, using: &random)) }.joined(separator: ".")
      let prefix = Int.random(in: 0..<8, using: &random) == 0 ? "v" : ""
      return prefix + numbers + prereleases[Int.random(in: 0..<prereleases.count, using: &random)]
        + builds[Int.random(in: 0..<builds.count, using: &random)]
    }
    func requirement() -> String {
      let space = Int.random(in: 0..<2, using: &random) == 0 ? " " : ""
      return operators[Int.random(in: 0..<operators.count, using: &random)] + space + version()
    }
    var pairs: [(version: String, constraint: String)] = []
    for _ in 0..<20_000 {
      let parts = (0..<Int.random(in: 1...2, using: &random)).map { _ in requirement() }
      pairs.append((version(), parts.joined(separator: ", ")))
    }
    let answers = try Oracles.ask(
      "miscoracle",
      pairs.map { ["op": "version", "v": .string($0.version), "c": .string($0.constraint)] })
    #expect(answers.count == pairs.count)
    var differences: [String] = []
    for (pair, answer) in zip(pairs, answers) {
      let expected = answer["ok"]?.boolValue == true ? answer["out"]?.boolValue : nil
      let found = Version(pair.version).flatMap { version in
        VersionConstraint(pair.constraint, flavour: .version).map { $0.isSatisfied(by: version) }
      }
      if expected != found {
        differences.append(
          "\(pair.version) | \(pair.constraint): \(String(describing: expected)), found \(String(describing: found))")
      }
    }
    #expect(differences.isEmpty, "\(differences.count) of \(pairs.count), such as \(differences.prefix(10))")
  }
}
