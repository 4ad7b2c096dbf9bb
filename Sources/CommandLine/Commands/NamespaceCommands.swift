internal import Codec
internal import Model

let namespaceList = Command(
  path: ["namespace", "list"], summary: "List namespaces", flags: readFlags
) { invocation in
  let bytes = try invocation.client.raw("/v1/namespaces")
  if try invocation.printedRaw(bytes) { return 0 }
  let found = try JSON.decode([Namespace].self, from: bytes)
  invocation.terminal.print(Table.columns(["Name", "Description"], found.map { [$0.name, $0.description] }))
  return 0
}

let namespaceStatus = Command(
  path: ["namespace", "status"], arguments: "<namespace>", summary: "Show a namespace", flags: readFlags,
  completes: .namespaces
) { invocation in
  let bytes = try invocation.client.raw("/v1/namespace/\(try invocation.onlyArgument().pathEncoded)")
  if try invocation.printedRaw(bytes) { return 0 }
  let found = try JSON.decode(Namespace.self, from: bytes)
  invocation.terminal.print(
    Table.keyValues(
      [("Name", found.name), ("Description", found.description)]
        + found.meta.sorted { $0.key < $1.key }.map { ("Meta \($0.key)", $0.value) }))
  return 0
}

let namespaceApply = Command(
  path: ["namespace", "apply"], arguments: "<namespace>", summary: "Make or change a namespace",
  flags: [.value("description", "text", "What it is for.")], completes: .namespaces
) { invocation in
  var namespace = Namespace()
  namespace.name = try invocation.onlyArgument()
  namespace.description = invocation.parsed.value("description") ?? ""
  try invocation.client.send("/v1/namespace/\(namespace.name.pathEncoded)", body: namespace)
  invocation.terminal.print("Successfully applied namespace \"\(namespace.name)\"!")
  return 0
}

let namespaceDelete = Command(
  path: ["namespace", "delete"], arguments: "<namespace>", summary: "Remove an empty namespace", completes: .namespaces
) { invocation in
  let name = try invocation.onlyArgument()
  try invocation.client.remove("/v1/namespace/\(name.pathEncoded)")
  invocation.terminal.print("Successfully deleted namespace \"\(name)\"!")
  return 0
}
