import HTTP
import Linux
import Testing

/// The scripts that `serai completion` prints, in the shells that they are for.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct CompletionTests {
  @Test func bashCompletesCommandsFlagsAndJobs() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .server)
      try await agent.start()
      try await agent.submit("example", shellJob("example", script: "true"))
      let script = try scratch.write(
        "complete.bash",
        """
        source <(serai completion bash)
        for line in "serai jo" "serai job run -de" "serai job status ex"; do
          read -ra COMP_WORDS <<< "$line"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
          _serai; echo "${COMPREPLY[*]}"
        done
        complete -p serai
        """)
      let outcome = try await run(scratch, agent, "/bin/bash", script)
      try #require(
        outcome.output == "job\n-detach\nexample\ncomplete -F _serai serai\n" && outcome.errors == "", "\(outcome)")
    }
  }

  @Test func zshTakesTheScript() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .server)
      try await agent.start()
      let script = try scratch.write(
        "complete.zsh",
        """
        autoload -Uz compinit; compinit -u -d "$PWD/zcompdump"
        source <(serai completion zsh)
        echo ${_comps[serai]}
        compadd() { shift; echo "$@" }
        words=(serai jo); CURRENT=2; _serai
        """)
      let outcome = try await run(scratch, agent, "/bin/zsh", "-f", script)
      try #require(outcome.output == "_serai\njob\n" && outcome.errors == "", "\(outcome)")
    }
  }

  private func run(_ scratch: Scratch, _ agent: Agent, _ shell: String, _ arguments: String...) async throws -> Outcome
  {
    let folder = Files.parent(of: try Programs.path("serai"))
    return try await scratch.run(
      shell, arguments,
      environment: ["NOMAD_ADDR": agent.address, "PATH": "\(folder):/usr/local/bin:/usr/bin:/bin"])
  }
}
