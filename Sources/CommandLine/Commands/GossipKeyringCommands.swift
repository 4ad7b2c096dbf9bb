internal import Codec
internal import Linux
internal import Model

let gossipKeyringGenerate = Command(
  path: ["operator", "gossip", "keyring", "generate"], aliases: [["operator", "keygen"]],
  summary: "Make a key for gossip", details: "For server.encrypt, or for operator gossip keyring install.",
  usesAgent: false
) { invocation in
  try invocation.expectArguments(0...0)
  invocation.terminal.print(Blob(try Randomness.bytes(32)).base64)
  return 0
}

let gossipKeyringList = Command(
  path: ["operator", "gossip", "keyring", "list"], summary: "List the keys of gossip",
  details: "On how many servers each is installed, and which one encrypts.", flags: readFlags
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw("/v1/agent/keyring/list")
  if try invocation.printedRaw(bytes) { return 0 }
  let answer = try JSON.decode(KeyringResponse.self, from: bytes)
  invocation.terminal.print("==> Gathering installed encryption keys...")
  let rows = answer.keys.sorted { $0.key < $1.key }.map { key, count in
    [key, "\(count)/\(answer.numNodes)", "\(answer.primaryKeys[key] ?? 0)/\(answer.numNodes)"]
  }
  invocation.terminal.print(Table.columns(["Key", "Installed", "Primary"], rows))
  return 0
}

let gossipKeyringInstall = change(
  "install", "Install a key, to decrypt with", "Installing new gossip encryption key...")
let gossipKeyringUse = change(
  "use", "Encrypt with a key that is installed", "Changing primary gossip encryption key...")
let gossipKeyringRemove = change(
  "remove", "Remove a key that does not encrypt", "Removing gossip encryption key...")

private func change(_ verb: String, _ summary: String, _ progress: String) -> Command {
  Command(
    path: ["operator", "gossip", "keyring", verb], arguments: "<key>", summary: summary,
    details: "On every server that is there; one that does not do it is named."
  ) { invocation in
    var body = KeyringRequest()
    body.key = try invocation.onlyArgument()
    invocation.terminal.print("==> \(progress)")
    try invocation.client.send("/v1/agent/keyring/\(verb)", body: body)
    return 0
  }
}
