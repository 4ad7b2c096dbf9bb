/// One command of the tool, declared once: parsing, help and completion all come from here.
struct Command: Sendable {
  /// What the positional arguments are, for completion.
  enum Argument: Sendable, Equatable {
    case none, files, jobs, allocations, nodes, evaluations, deployments, namespaces, nodePools
    case oneOf([String])
  }

  /// Words that select it, `["job", "run"]`.
  let path: [String]
  /// Other words that select it, `[["run"]]`.
  var aliases: [[String]] = []
  /// The positional arguments as the usage line shows them, `<path>`.
  var arguments = ""
  /// One line for the list of commands.
  let summary: String
  /// The rest of the help, in paragraphs of at most 78 columns.
  var details = ""
  var flags: [Flag] = []
  var completes: Argument = .none
  /// False for commands that never talk to an agent: their help leaves the general options out.
  var usesAgent = true
  /// See `ParsedArguments.init`.
  var flagsEndAtArgument: Int?
  /// Exit status for a command line that cannot be understood and for any other failure.
  var failureStatus: Int32 = 1
  /// Does the work. Returns the exit status.
  let run: @Sendable (Invocation) throws -> Int32

  var allFlags: [Flag] { (usesAgent ? generalFlags : displayFlags) + flags }
}

/// Flags that every command takes which prints.
let displayFlags: [Flag] = [
  .bool("no-color", "Never use colour."),
  .bool("force-color", "Use colour even when the output is not a terminal."),
]

/// Flags that every command takes which talks to an agent.
let generalFlags: [Flag] =
  [
    .value("address", "addr", "The agent's address. Also NOMAD_ADDR. Default: http://127.0.0.1:4646."),
    .value("region", "region", "The region to ask. Also NOMAD_REGION. Default: the agent's own."),
    .value("namespace", "name", "The namespace, \"*\" for all where a list is read. Also NOMAD_NAMESPACE."),
    .value("token", "secret", "The ACL token's secret id. Also NOMAD_TOKEN."),
    .value(
      "ca-cert", "path", "A PEM file with the CA that signed the agent's certificate. Also NOMAD_CACERT.",
      completion: .files),
    .value("ca-path", "path", "A folder of PEM files with CAs. Also NOMAD_CAPATH.", completion: .files),
    .value(
      "client-cert", "path", "A PEM file with this client's certificate. Also NOMAD_CLIENT_CERT.", completion: .files),
    .value("client-key", "path", "A PEM file with the key of -client-cert. Also NOMAD_CLIENT_KEY.", completion: .files),
    .value("tls-server-name", "name", "The name expected in the agent's certificate. Also NOMAD_TLS_SERVER_NAME."),
    .bool("tls-skip-verify", "Accept any certificate of the agent. Also NOMAD_SKIP_VERIFY."),
  ] + displayFlags

/// Flags of every command that reads something.
let readFlags: [Flag] = [
  .bool("json", "Print the API's answer as JSON."),
  .value("t", "template", "Print the API's answer through a Go template."),
]

/// Full ids instead of their first eight characters, and more detail.
let verboseFlag = Flag.bool("verbose", "Print full ids and more detail.")
