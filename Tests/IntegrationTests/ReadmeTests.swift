import Codec
import HTTP
import Linux
import Testing

/// The commands that the README shows do what it says.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct ReadmeTests {
  /// The `$ serai …` lines of the section "A first job", in order.
  private static func commands() throws -> [String] {
    let text = try Files.readText(Programs.packageFolder + "/README.md")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("## A first job") }) else { return [] }
    let section = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
    return section.filter { $0.hasPrefix("$ serai ") }.map { String($0.dropFirst("$ serai ".count)) }
  }

  @Test func everyCommandOfTheFirstJobWorks() async throws {
    try await Scratch.with { scratch in
      let commands = try Self.commands()
      try #require(commands.count >= 5, "README.md has a section \"A first job\" with lines that begin with $ serai")
      let agent = try await Agent.development(scratch)
      for command in commands {
        let words = command.split(separator: " ").map(String.init)
        let outcome = try await scratch.run(
          try Programs.path("serai"), words, environment: ["NOMAD_ADDR": agent.address])
        // `plan` says with 1 that running the job would change something.
        let expected: Set<Int32> = words.prefix(2) == ["job", "plan"] || words[0] == "plan" ? [0, 1] : [0]
        try #require(expected.contains(outcome.code), "serai \(command): \(outcome)")
      }
    }
  }
}
