internal import Codec
internal import Glibc
internal import Linux
internal import Model

let allocExec = Command(
  path: ["alloc", "exec"], aliases: [["exec"]], arguments: "<allocation> <command> [args...]",
  summary: "Run a command inside a running task",
  details: """
    The command runs with the rights and limits of the task. Its exit status is
    this command's; 127 when it is not in the task's root, 126 when it cannot be
    executed there. On a terminal, "~." at the beginning of a line ends the
    session (see -e).
    """,
  flags: [
    .bool("i", "Hand standard input to the command (the default; -i=false for not)."),
    .bool("t", "Give the command a terminal. The default where standard input is one."),
    .value("e", "char", "The escape character, \"none\" for none. Default: ~."),
    .value("task", "name", "The task, when the allocation has several."),
    .bool("job", "The first argument is a job: use one of its running allocations."), verboseFlag,
  ], completes: .allocations, flagsEndAtArgument: 1
) { invocation in
  guard let target = invocation.arguments.first else {
    throw UsageError("alloc exec takes an allocation and a command: \(invocation.command.arguments)")
  }
  var command = Array(invocation.arguments.dropFirst())
  if command.first == "--" { command.removeFirst() }
  guard !command.isEmpty else { throw UsageError("alloc exec needs a command to run in the task, such as /bin/sh") }
  let hasInput = invocation.parsed.value("i") != "false"
  let isTerminal = isatty(STDIN_FILENO) == 1
  let hasTerminal = invocation.parsed.value("t").map { $0 == "true" } ?? (isTerminal && hasInput)
  if hasTerminal && !hasInput { throw UsageError("-t needs -i: a terminal is read from") }
  let escape = try EscapeFilter(character: invocation.parsed.value("e") ?? "~")
  let client = invocation.client
  let allocation =
    invocation.has("job") ? try someAllocation(ofJob: target, client) : try client.allocation(prefix: target)
  let task = try chosenTask(allocation, invocation.parsed.value("task"))
  let query = [
    "command": JSON.text(JSONValue.array(command.map { .string($0) })), "task": task, "tty": "\(hasTerminal)",
  ]
  let session = RemoteSession(
    hasInput: hasInput, escape: hasTerminal && isTerminal ? escape : nil, terminal: invocation.terminal)
  return try session.run(hasTerminal: hasTerminal) {
    try await client.webSocket(
      "/v1/client/allocation/\(allocation.id)/exec", query, namespace: allocation.namespace)
  }
}
