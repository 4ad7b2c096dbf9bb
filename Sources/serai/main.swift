internal import Agent
internal import CommandLine
internal import Glibc

// The one program: `serai agent` runs an agent, everything else is a client of an agent's HTTP API.

private let agent = ExternalCommand(
  path: ["agent"], summary: "Run an agent: a server, a client, or both",
  details: """
    Reads the configuration files and folders of -config, in their order, and runs
    until SIGINT or SIGTERM. Flags win over files. SIGHUP reloads what can be changed
    in a running agent.
    """,
  flags: AgentFlags.all.map {
    ExternalCommand.Flag(name: $0.name, placeholder: $0.placeholder, isRepeated: $0.isRepeated, help: $0.help)
  }
) { AgentCommand.run(flags: $0) }

/// The process' environment by name; of a name that is set twice the first counts, as for getenv(3).
private func environment() -> [String: String] {
  var found: [String: String] = [:]
  var entry: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
  while let text = entry.pointee {
    let assignment = String(cString: text)
    if let equals = assignment.firstIndex(of: "=") {
      let name = String(assignment[..<equals])
      if found[name] == nil { found[name] = String(assignment[assignment.index(after: equals)...]) }
    }
    entry += 1
  }
  return found
}

exit(
  CommandLineTool.run(
    arguments: Array(Swift.CommandLine.arguments.dropFirst()), environment: environment(), externalCommands: [agent]))
