internal import Codec
internal import Glibc
internal import HCL
internal import Jobspec
internal import Linux
internal import Model

/// The command line: a client of the HTTP API.
public enum CommandLineTool {
  /// Runs one command in this process, on the calling thread.
  ///
  /// SIGPIPE gets its default action, so that `serai … | head` ends quietly.
  /// - Parameters:
  ///   - arguments: the words after the program's name.
  ///   - environment: the process' environment.
  ///   - externalCommands: commands of other modules, which parsing, help and completion treat like those here.
  /// - Returns: the exit status. 127 for a command that does not exist.
  public static func run(
    arguments: [String], environment: [String: String], externalCommands: [ExternalCommand] = []
  ) -> Int32 {
    signal(SIGPIPE, SIG_DFL)
    return Tool(
      commands: CommandRegistry.commands + externalCommands.map(\.command), environment: environment,
      clock: { Clock.realtimeNanoseconds }, sink: nil
    ).run(arguments)
  }
}

/// `Flag` means another type inside of `ExternalCommand`, and the module's name is also that of a type.
private typealias DeclaredFlag = Flag

/// A command that another module carries out.
public struct ExternalCommand: Sendable {
  /// One of its flags.
  public struct Flag: Sendable {
    let name: String
    let placeholder: String?
    let isRepeated: Bool
    let help: String

    /// - Parameters:
    ///   - placeholder: what its value is called in the help, "path" also for completion; nil for a flag that is on or off.
    ///   - isRepeated: whether every value counts, not the last alone.
    public init(name: String, placeholder: String? = nil, isRepeated: Bool = false, help: String) {
      self.name = name
      self.placeholder = placeholder
      self.isRepeated = isRepeated
      self.help = help
    }
  }

  let command: Command

  /// - Parameters:
  ///   - path: the words that select it.
  ///   - summary: one line for the list of commands.
  ///   - details: the rest of its help, in lines of at most 78 columns.
  ///   - run: carries it out, with the values given by flag name ("true" or "false" for flags without a value) and the
  ///     exit status as result. It is called on the thread that called `CommandLineTool.run`.
  public init(
    path: [String], summary: String, details: String = "", flags: [Flag],
    run: @escaping @Sendable ([String: [String]]) -> Int32
  ) {
    let own = flags.map { flag -> DeclaredFlag in
      guard let placeholder = flag.placeholder else { return .bool(flag.name, flag.help) }
      let completion: DeclaredFlag.Completion = placeholder == "path" ? .files : .nothing
      return flag.isRepeated
        ? .repeated(flag.name, placeholder, flag.help, completion: completion)
        : .value(flag.name, placeholder, flag.help, completion: completion)
    }
    let names = Set(flags.map(\.name))
    command = Command(path: path, summary: summary, details: details, flags: own, usesAgent: false) { invocation in
      try invocation.expectArguments(0...0)
      return run(invocation.parsed.values.filter { names.contains($0.key) })
    }
  }
}

/// One run of the program, with everything it depends on.
struct Tool: Sendable {
  let commands: [Command]
  let environment: [String: String]
  let clock: @Sendable () -> Int64
  /// See `Terminal`.
  let sink: (@Sendable (UnsafeRawBufferPointer, Int32) -> Void)?

  private static let unknownCommand: Int32 = 127

  func run(_ arguments: [String]) -> Int32 {
    let plain = terminal(nil)
    switch arguments.first {
    case nil:
      plain.write(Help.text(forGroup: [], commands: commands), to: STDERR_FILENO)
      return Self.unknownCommand
    case "-version", "--version", "-v", "-V":
      return run(["version"])
    case "help":
      return run(Array(arguments.dropFirst()) + ["-help"])
    case "__complete":
      let words = Array(arguments.dropFirst())
      for candidate in Completion.candidates(
        for: words, commands: commands, identifiers: { identifiers($0, $1, words) })
      {
        plain.print(candidate)
      }
      return 0
    default: break
    }
    let words = Array(arguments.prefix { !$0.hasPrefix("-") })
    guard let (command, used) = Completion.command(for: words, among: commands) else {
      return runGroup(words, rest: Array(arguments.dropFirst(words.count)), plain)
    }
    let rest = Array(arguments.dropFirst(used))
    if asksForHelp(rest, of: command) {
      plain.write(Help.text(for: command))
      return 0
    }
    return run(command, rest)
  }

  // MARK: one command

  private func run(_ command: Command, _ words: [String]) -> Int32 {
    var output = terminal(nil)
    do {
      let parsed = try ParsedArguments(words, flags: command.allFlags, flagsEndAtArgument: command.flagsEndAtArgument)
      output = terminal(parsed)
      return try command.run(
        Invocation(command: command, parsed: parsed, environment: environment, terminal: output, clock: clock))
    } catch let error as UsageError {
      let name = "\(Help.program) \(command.path.joined(separator: " "))"
      output.printError("\(error)\nFor usage, run: \(name) -help")
      return command.failureStatus
    } catch let failure as CommandFailure {
      output.printError(failure.description)
      return failure.status ?? command.failureStatus
    } catch let error as JobspecError {
      // The renderer ends every error with a newline.
      output.write(error.rendered, to: STDERR_FILENO)
      return command.failureStatus
    } catch let error as CodecError {
      output.printError(
        "The agent's answer can't be understood: \(error). Is it of another version than this \(SeraiVersion.text)?")
      return command.failureStatus
    } catch {
      output.printError("\(error)")
      return command.failureStatus
    }
  }

  private func terminal(_ parsed: ParsedArguments?) -> Terminal {
    Terminal(
      noColour: parsed?.has("no-color") ?? false, forceColour: parsed?.has("force-color") ?? false,
      environment: { environment[$0] }, sink: sink)
  }

  /// `-h`, `-help` and their kin anywhere among the command's own words.
  private func asksForHelp(_ words: [String], of command: Command) -> Bool {
    let own = words.prefix { $0 != "--" }
    let asking: Set<String> = ["-h", "-help", "--help", "--h"]
    guard let limit = command.flagsEndAtArgument else { return own.contains { asking.contains($0) } }
    var arguments = 0
    for word in own where arguments < limit {
      if asking.contains(word) { return true }
      if !word.hasPrefix("-") { arguments += 1 }
    }
    return false
  }

  // MARK: groups of commands

  private func runGroup(_ words: [String], rest: [String], _ terminal: Terminal) -> Int32 {
    var group = words
    while !group.isEmpty, !commands.contains(where: { $0.path.starts(with: group) }) { group.removeLast() }
    let list = Help.text(forGroup: group, commands: commands)
    if group.count == words.count {
      if let first = rest.first, ["-h", "-help", "--help", "--h"].contains(first) {
        terminal.write(list)
        return 0
      }
      if let first = rest.first {
        terminal.printError("\(first) is no flag of \(([Help.program] + group).joined(separator: " "))")
      }
      terminal.write(list, to: STDERR_FILENO)
      return Self.unknownCommand
    }
    let unknown = words[group.count]
    let paths = commands.flatMap { [$0.path] + $0.aliases }
    let known = Set(paths.filter { $0.starts(with: group) && $0.count > group.count }.map { $0[group.count] })
    let name = ([Help.program] + group).joined(separator: " ")
    let suggestion =
      // A word that was not finished is the likelier mistake.
      (known.sorted().first { $0.hasPrefix(unknown) } ?? Suggestion.nearest(to: unknown, among: known.sorted())).map {
        " Did you mean \"\(name) \($0)\"?"
      } ?? ""
    terminal.printError(
      "\"\(unknown)\" is no command of \(name).\(suggestion)\nFor the list of commands, run: \(name) -help")
    return Self.unknownCommand
  }

  // MARK: completion

  /// What exists and begins with `prefix`; nothing when the agent does not answer within a second.
  private func identifiers(_ kind: Command.Argument, _ prefix: String, _ words: [String]) -> [String] {
    let contexts: [(Command.Argument, String)] = [
      (.jobs, "jobs"), (.allocations, "allocs"), (.nodes, "nodes"), (.evaluations, "evals"),
      (.deployments, "deployment"),
      (.namespaces, "namespaces"), (.nodePools, "node_pools"),
    ]
    guard let context = contexts.first(where: { $0.0 == kind })?.1 else { return [] }
    // Flags typed before, such as -address, count; a half-typed line that can't be parsed must not matter.
    let flags = words.drop { !$0.hasPrefix("-") }.dropLast()
    let parsed = (try? ParsedArguments(Array(flags), flags: generalFlags)) ?? ParsedArguments()
    var client = APIClient(settings: ConnectionSettings(parsed: parsed) { environment[$0] })
    client.timeout = .seconds(5)
    var request = SearchRequest()
    request.prefix = prefix
    request.context = context
    let response: SearchResponse? = try? client.put("/v1/search", body: request)
    return (response?.matches[context] ?? []).sorted()
  }
}
