/// Help texts made from the declarations.
enum Help {
  /// The name the program is called by in its own texts.
  static let program = "serai"

  /// Everything about one command.
  static func text(for command: Command) -> String {
    var text = "Usage: \(program) \(command.path.joined(separator: " ")) [options]"
    if !command.arguments.isEmpty { text += " \(command.arguments)" }
    text += "\n"
    for alias in command.aliases { text += "Alias: \(program) \(alias.joined(separator: " "))\n" }
    text += "\n" + indented(command.summary, by: 2) + "\n"
    if !command.details.isEmpty { text += "\n" + indented(command.details, by: 2) + "\n" }
    if command.usesAgent {
      text += "\nGeneral Options:\n" + listed(generalFlags)
    } else {
      text += "\nGeneral Options:\n" + listed(displayFlags)
    }
    if !command.flags.isEmpty {
      let name = command.path.last.map { $0.prefix(1).uppercased() + $0.dropFirst() } ?? ""
      text += "\n\(name) Options:\n" + listed(command.flags)
    }
    return text
  }

  /// The commands of a group ("job"), or of the whole tool for an empty path.
  static func text(forGroup group: [String], commands: [Command]) -> String {
    let words = ([program] + group).joined(separator: " ")
    var text = "Usage: \(words) [-version] [-help] <command> [args]\n\n"
    if !group.isEmpty { text = "Usage: \(words) <subcommand> [options] [args]\n\n" }
    var rows: [(String, String)] = []
    var seen: Set<String> = []
    for command in commands where command.path.starts(with: group) && command.path.count > group.count {
      let name = command.path[group.count]
      if command.path.count == group.count + 1 {
        rows.append((name, command.summary))
      } else if seen.insert(name).inserted {
        rows.append(
          (name, groupSummaries[(group + [name]).joined(separator: " ")] ?? ""))
      }
    }
    if group.isEmpty {
      for command in commands {
        for alias in command.aliases where alias.count == 1 {
          rows.append((alias[0], "Alias of \"\(command.path.joined(separator: " "))\""))
        }
      }
    }
    rows.sort { $0.0 < $1.0 }
    let width = rows.map(\.0.count).max() ?? 0
    text += group.isEmpty ? "Commands:\n" : "Subcommands:\n"
    for row in rows { text += "    \(row.0)\(String(repeating: " ", count: width - row.0.count))    \(row.1)\n" }
    return text
  }

  /// What a word that only begins commands is about.
  static let groupSummaries: [String: String] = [
    "alloc": "Look into allocations and act on them",
    "deployment": "Look into deployments and act on them",
    "eval": "Look into evaluations and act on them",
    "job": "Run, change and look into jobs",
    "namespace": "Manage namespaces",
    "node": "Look into nodes and act on them",
    "node pool": "Manage node pools",
    "operator scheduler": "See and change how the scheduler works",
    "operator": "Tools for those who run the cluster",
    "server": "Look into servers and act on them",
    "system": "Housekeeping of the whole cluster",
    "job periodic": "Launch periodic jobs out of their turn",
    "job tag": "Give names to versions of a job",
    "node meta": "Read and change a node's metadata",
    "operator autopilot": "How the leader looks after the servers",
    "operator snapshot": "Save the state of the servers and put it back",
    "operator raft": "See and change who makes up the cluster",
    "operator gossip": "Manage the encryption of gossip",
    "operator gossip keyring": "Manage the keys that encrypt gossip",
    "scaling": "Look into scaling policies",
    "scaling policy": "Look into scaling policies",
    "system reconcile": "Put right what is derived from the state",
    "tls": "Make certificates for a cluster and look into them",
    "tls ca": "The authority that signs a cluster's certificates",
    "tls cert": "Certificates of a cluster's agents and users",
    "var": "Keep secrets and settings for jobs",
  ]

  private static func listed(_ flags: [Flag]) -> String {
    flags.sorted { $0.name < $1.name }.map { flag in
      let value =
        switch flag.kind {
        case .bool: ""
        case .value(let placeholder), .repeated(let placeholder): "=<\(placeholder)>"
        }
      return "\n  -\(flag.name)\(value)\n" + indented(wrapped(flag.help, width: 74), by: 4) + "\n"
    }.joined()
  }

  static func indented(_ text: String, by columns: Int) -> String {
    let space = String(repeating: " ", count: columns)
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : space + $0 }.joined(separator: "\n")
  }

  static func wrapped(_ text: String, width: Int) -> String {
    var lines: [String] = [""]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }
}
