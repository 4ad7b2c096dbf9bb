internal import Codec

/// Everything a command's `run` has: what was typed, the agent to ask, and where to print.
struct Invocation: Sendable {
  let command: Command
  let parsed: ParsedArguments
  let environment: [String: String]
  let terminal: Terminal
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  let clock: @Sendable () -> Int64

  var arguments: [String] { parsed.arguments }

  /// A client for the agent that the flags and the environment name.
  var client: APIClient { APIClient(settings: settings) }

  /// Which agent to ask and as whom.
  var settings: ConnectionSettings { ConnectionSettings(parsed: parsed) { environment[$0] } }

  /// The same command line for another command: what `status` hands on to.
  func selecting(_ command: Command) -> Invocation {
    Invocation(command: command, parsed: parsed, environment: environment, terminal: terminal, clock: clock)
  }

  func has(_ flag: String) -> Bool { parsed.has(flag) }

  /// The one argument of a command that takes exactly one.
  func onlyArgument() throws(UsageError) -> String {
    guard arguments.count == 1 else {
      throw UsageError(
        "\(command.path.joined(separator: " ")) takes one argument: \(command.arguments), not \(arguments.count)")
    }
    return arguments[0]
  }

  /// Refuses arguments beyond `count`.
  func expectArguments(_ range: ClosedRange<Int>) throws(UsageError) {
    guard range.contains(arguments.count) else {
      let expected =
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      throw UsageError(
        "\(command.path.joined(separator: " ")) takes \(expected) argument(s) \(command.arguments), not \(arguments.count)"
      )
    }
  }

  /// An id as it is shown: whole with -verbose, else its first eight characters.
  func shown(_ id: Identifier) -> String { has("verbose") ? id.description : id.short }

  /// Prints the API's answer as -json or -t ask. Returns false when neither was given.
  func printedRaw(_ bytes: @autoclosure () throws -> [UInt8]) throws -> Bool {
    if let template = parsed.value("t") {
      terminal.write(try renderTemplate(template, over: try JSON.decode(JSONValue.self, from: try bytes())))
      return true
    }
    if has("json") {
      terminal.print(JSON.text(try JSON.decode(JSONValue.self, from: try bytes()), pretty: true))
      return true
    }
    return false
  }
}

/// A failure whose text is meant for the user as it is.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  /// Nil for the command's own status for failures.
  var status: Int32?

  init(_ description: String, status: Int32? = nil) {
    self.description = description
    self.status = status
  }
}
