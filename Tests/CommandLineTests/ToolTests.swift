import Codec
import Testing

@testable import CommandLine

/// Which words select which command, help, and completion.
@Suite(.timeLimit(.minutes(10))) struct ToolTests {
  @Test(arguments: CommandRegistry.commands.map(\.path)) func everyCommandExplainsItself(path: [String]) async throws {
    for flag in ["-h", "-help", "--help"] {
      let outcome = await runTool(path + [flag])
      #expect(outcome.status == 0 && outcome.errors == "")
      #expect(outcome.output.hasPrefix("Usage: serai \(path.joined(separator: " ")) [options]"))
    }
    let command = try #require(CommandRegistry.commands.first { $0.path == path })
    #expect(Set(command.allFlags.map(\.name)).count == command.allFlags.count, "a flag is declared twice")
    let wrong = await runTool(path + ["-no-such-flag"])
    #expect(wrong.status == command.failureStatus && wrong.errors.hasPrefix("unknown flag -no-such-flag"))
  }

  @Test func everyGroupOfCommandsSaysWhatItIsAbout() {
    let groups = Set(CommandRegistry.commands.flatMap { path in (1..<path.path.count).map { path.path.prefix($0) } })
    for group in groups { #expect(Help.groupSummaries[group.joined(separator: " ")] != nil, "\(group)") }
  }

  @Test func noTwoCommandsHaveTheSameWords() {
    let words = CommandRegistry.commands.flatMap { [$0.path] + $0.aliases }
    #expect(Set(words).count == words.count)
    for short in ["run", "stop", "status", "init", "plan", "logs", "validate", "inspect"] {
      #expect(words.contains([short]))
    }
  }

  @Test func groupsListTheirCommandsAndMistakesGetASuggestion() async {
    let all = await runTool(["-help"])
    #expect(
      all.status == 0 && all.output.contains("\n    job           ") && all.output.contains("Alias of \"job run\""))
    let group = await runTool(["node", "pool", "-h"])
    #expect(group.status == 0 && group.output.contains("    delete") && !group.output.contains("eligibility"))
    let incomplete = await runTool(["operator", "scheduler"])
    #expect(incomplete.status == 127 && incomplete.output == "" && incomplete.errors.contains("get-config"))
    #expect(await runTool([]).status == 127)
    let unknown = await runTool(["job", "stauts"])
    #expect(unknown.status == 127)
    #expect(
      unknown.errors
        == "\"stauts\" is no command of serai job. Did you mean \"serai job status\"?\nFor the list of commands, run: serai job -help\n"
    )
    #expect(await runTool(["job", "stat"]).errors.contains("Did you mean \"serai job status\"?"))
    let usage = await runTool(["job", "run"])
    #expect(usage.status == 1 && usage.errors.hasSuffix("\nFor usage, run: serai job run -help\n"))
  }

  @Test func versionHasManySpellings() async {
    for words in [["version"], ["-version"], ["--version"], ["-v"]] {
      #expect(await runTool(words).output == "Serai v0.1.0\n")
    }
  }

  private func complete(_ words: String...) async -> [String] {
    let outcome = await runTool(["__complete"] + words, environment: ["NOMAD_ADDR": "http://127.0.0.1:1"])
    return outcome.output.split(separator: "\n").map(String.init)
  }

  @Test func completionOffersCommandsFlagsAndValues() async {
    #expect(await complete("jo") == ["job"])
    #expect(await complete("node", "p") == ["pool"])
    #expect(await complete("deployment", "p") == ["pause", "promote"])
    #expect(await complete("job", "run", "-var") == ["-var", "-var-file"])
    #expect(await complete("run", "--var-f") == ["--var-file"])
    #expect(await complete("job", "run", "") == [":files"])
    #expect(await complete("job", "run", "-var-file", "") == [":files"])
    #expect(await complete("operator", "scheduler", "set-config", "-scheduler-algorithm", "s") == ["spread"])
    #expect(await complete("completion", "") == ["bash", "zsh"])
    #expect(await complete("job", "status", "x") == [], "no agent, no candidates, no complaint")
    #expect(await !complete("").contains("__complete"))
  }

  @Test func completionAsksTheAgentForIdentifiers() async throws {
    let (outcome, agent) = try await FakeAgent.run(
      ["__complete", "job", "stop", "-purge", "he"], ["PUT /v1/search": [#"{"Matches": {"jobs": ["hello", "help"]}}"#]])
    #expect(outcome.output == "hello\nhelp\n" && outcome.status == 0)
    #expect(try agent.body(0)["Context"] == "jobs" && agent.body(0)["Prefix"] == "he")
  }

  @Test func theScriptsAreForTheShellsThatHaveThem() async {
    #expect(await runTool(["completion", "bash"]).output.contains("complete -F _serai serai"))
    #expect(await runTool(["completion", "zsh"]).output.hasPrefix("#compdef serai"))
    #expect(await runTool(["completion", "fish"]).status == 1)
  }

  @Test func commandsOfOtherModulesAreParsedAndListed() {
    let command = ExternalCommand(
      path: ["agent"], summary: "Run an agent",
      flags: [.init(name: "dev", help: "h"), .init(name: "config", placeholder: "path", isRepeated: true, help: "h")]
    ) { flags in flags == ["dev": ["true"], "config": ["a", "b"]] ? 7 : 0 }
    let tool = Tool(
      commands: CommandRegistry.commands + [command.command], environment: [:], clock: { 0 }, sink: { _, _ in })
    #expect(tool.run(["agent", "-dev", "-config=a", "-no-color", "-config", "b"]) == 7)
    #expect(tool.run(["agent", "-dve"]) == 1)
    #expect(Help.text(forGroup: [], commands: tool.commands).contains("    agent  "))
    #expect(Completion.candidates(for: ["agent", "-config", ""], commands: tool.commands) { _, _ in [] } == [":files"])
  }
}
