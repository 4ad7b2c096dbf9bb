/// Shell completion: the scripts only ask the program itself (`serai __complete WORDS…`), so the declarations are the
/// one source of names.
enum Completion {
  /// The script that a user sources, for "bash" or "zsh"; nil for another shell.
  static func script(for shell: String) -> String? {
    switch shell {
    case "bash":
      """
      _serai() {
        local IFS=$'\\n'
        COMPREPLY=($(serai __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
        if [ "${COMPREPLY[0]}" = ":files" ]; then COMPREPLY=(); compopt -o default; fi
      }
      complete -F _serai serai

      """
    case "zsh":
      """
      #compdef serai
      _serai() {
        local -a found
        found=("${(@f)$(serai __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
        if [[ "${found[1]}" == ":files" ]]; then _files; else compadd -- $found; fi
      }
      if [ "$funcstack[1]" = "_serai" ]; then _serai; else compdef _serai serai; fi

      """
    default: nil
    }
  }

  /// What may stand in place of the last of `words`: one candidate a line; ":files" asks the shell for file names.
  /// - Parameter identifiers: looks up what exists (jobs, allocations, …) by prefix; an agent out of reach gives none.
  static func candidates(
    for words: [String], commands: [Command], identifiers: (Command.Argument, String) -> [String]
  ) -> [String] {
    let current = words.last ?? ""
    let before = Array(words.dropLast())
    guard let (command, used) = command(for: before, among: commands) else {
      let all = commands.flatMap { [$0.path] + $0.aliases }
      let fitting = all.filter { $0.starts(with: before) && $0.count > before.count }.map { $0[before.count] }
      return Array(Set(fitting)).filter { $0.hasPrefix(current) && !$0.hasPrefix("__") }.sorted()
    }
    if let previous = before.dropFirst(used).last, let flag = flag(previous, of: command), flag.kind != .bool {
      return offered(flag.completion, current)
    }
    if current.hasPrefix("-") {
      let bare = current.hasPrefix("--") ? "--" : "-"
      return command.allFlags.map { bare + $0.name }.filter { $0.hasPrefix(current) }.sorted()
    }
    switch command.completes {
    case .none: return []
    case .files: return [":files"]
    case .oneOf(let values): return values.filter { $0.hasPrefix(current) }
    default: return identifiers(command.completes, current)
    }
  }

  /// The command that `words` begin with, and how many of them name it: the longest match.
  static func command(for words: [String], among commands: [Command]) -> (Command, Int)? {
    var best: (Command, Int)?
    for command in commands {
      for path in [command.path] + command.aliases where words.starts(with: path) && path.count > (best?.1 ?? 0) {
        best = (command, path.count)
      }
    }
    return best
  }

  private static func flag(_ word: String, of command: Command) -> Flag? {
    guard word.hasPrefix("-"), !word.contains("=") else { return nil }
    let name = word.drop { $0 == "-" }
    return command.allFlags.first { $0.name == name }
  }

  private static func offered(_ completion: Flag.Completion, _ current: String) -> [String] {
    switch completion {
    case .nothing: []
    case .files: [":files"]
    case .oneOf(let values): values.filter { $0.hasPrefix(current) }
    }
  }
}
