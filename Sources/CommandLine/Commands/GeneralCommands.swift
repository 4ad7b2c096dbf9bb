internal import Codec
internal import Model

let version = Command(path: ["version"], summary: "Print the version", usesAgent: false) { invocation in
  invocation.terminal.print("Serai v\(SeraiVersion.text)")
  return 0
}

/// `status` takes an id of any kind and shows what it belongs to.
let status = Command(
  path: ["status"], arguments: "[identifier]", summary: "List jobs, or show whatever an id or prefix belongs to",
  flags: readFlags + [verboseFlag], completes: .jobs
) { invocation in
  try invocation.expectArguments(0...1)
  guard let prefix = invocation.arguments.first else { return try jobStatus.run(invocation.selecting(jobStatus)) }
  var request = SearchRequest()
  request.prefix = prefix
  request.context = "all"
  let response: SearchResponse = try invocation.client.put("/v1/search", body: request)
  let matches = response.matches
  if matches["jobs"]?.contains(prefix) == true { return try jobStatus.run(invocation.selecting(jobStatus)) }
  let kinds: [(String, Command)] = [
    ("jobs", jobStatus), ("allocs", allocStatus), ("evals", evalStatus), ("nodes", nodeStatus),
    ("deployment", deploymentStatus),
    ("namespaces", namespaceStatus), ("node_pools", nodePoolInfo),
  ]
  let found = kinds.filter { !(matches[$0.0] ?? []).isEmpty }
  guard let only = found.first else { throw CommandFailure("No matches found for id \"\(prefix)\"") }
  guard found.count == 1 else {
    let rows = found.map { "\($0.0): \((matches[$0.0] ?? []).prefix(5).joined(separator: ", "))" }
    throw CommandFailure("\"\(prefix)\" matches more than one thing:\n" + rows.joined(separator: "\n"))
  }
  return try only.1.run(invocation.selecting(only.1))
}

let completion = Command(
  path: ["completion"], arguments: "<bash|zsh>", summary: "Print the script that completes commands in a shell",
  details: "bash: source <(serai completion bash)\nzsh: source <(serai completion zsh)",
  completes: .oneOf(["bash", "zsh"]), usesAgent: false
) { invocation in
  let shell = try invocation.onlyArgument()
  guard let script = Completion.script(for: shell) else {
    throw UsageError("\"\(shell)\" has no completion here: bash or zsh")
  }
  invocation.terminal.write(script)
  return 0
}
