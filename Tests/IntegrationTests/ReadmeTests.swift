import Codec
import HTTP
import Linux
import Testing

/// The commands that the README shows do what it says.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct ReadmeTests {
  /// The `$ serai …` lines of the section "A first job", in order.
  private static func commands() throws -> [String] {
    let text = try Files.readText(Programs.packageFolder + "/README.md")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("## A first job") }) else { return [] }
    let section = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
    return section.filter { $0.hasPrefix("$ serai ") }.map { String($0.dropFirst("$ serai ".count)) }
  }

  /// The three files of the section "Three servers", with ports and directories of this test's own, and its commands.
  @Test func everyCommandOfTheThreeServersWorks() async throws {
    let text = try Files.readText(Programs.packageFolder + "/README.md")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = try #require(lines.firstIndex { $0.hasPrefix("## Three servers") })
    let section = Array(lines[(start + 1)...].prefix { !$0.hasPrefix("## ") })
    try await Scratch.with { scratch in
      var ports: [String: UInt16] = [:]
      for number in ["4646", "4647", "4648", "5646", "5647", "5648", "6646", "6647", "6648"] {
        ports[number] = try FreePorts.next()
      }
      var files: [String] = []
      for place in section.indices where section[place].hasPrefix("# s") && section[place].hasSuffix(".hcl") {
        var file = section[(place + 1)...].prefix { $0 != "```" }.joined(separator: "\n")
        // In two steps: a port of this test's own may hold one of the README's in its digits.
        for number in ports.keys { file = file.replacing(number, with: "@\(number)@") }
        for (number, port) in ports { file = file.replacing("@\(number)@", with: "\(port)") }
        file = file.replacing("/tmp/serai", with: scratch.folder)
        files.append(try scratch.write(String(section[place].dropFirst(2)), file))
      }
      try #require(files.count == 3)
      for file in files { try scratch.launch(try Programs.path("serai"), ["agent", "-config", file]) }
      let environment = ["NOMAD_ADDR": "http://127.0.0.1:\(try #require(ports["4646"]))"]
      try await until("the three are members") {
        let list = try await scratch.run(
          try Programs.path("serai"), ["operator", "raft", "list-peers"], environment: environment)
        return list.code == 0 && list.output.split(separator: "\n").filter { $0.contains(" true ") }.count == 3
      }
      let commands = section.filter { $0.hasPrefix("$ serai ") }.map { String($0.dropFirst("$ serai ".count)) }
      try #require(commands.count >= 5)
      for command in commands {
        // A follower may be a moment behind when it is asked how healthy it is.
        try await until("serai \(command)", within: 20) {
          let words = command.split(separator: " ").map(String.init)
          return try await scratch.run(try Programs.path("serai"), words, environment: environment).code == 0
        }
      }
    }
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
