internal import Codec
internal import HCL
internal import HTTP
internal import Model

let variableList = Command(
  path: ["var", "list"], arguments: "[prefix]", summary: "List variables, without what is in them",
  flags: readFlags + [.value("filter", "expression", "Only those that it selects.")]
) { invocation in
  try invocation.expectArguments(0...1)
  var query: [String: String] = [:]
  if let prefix = invocation.arguments.first { query["prefix"] = prefix }
  if let filter = invocation.parsed.value("filter") { query["filter"] = filter }
  let bytes = try invocation.client.raw("/v1/vars", query)
  if try invocation.printedRaw(bytes) { return 0 }
  let variables = try JSON.decode([VariableMetadata].self, from: bytes)
  if variables.isEmpty {
    invocation.terminal.print("No matching variables found")
    return 0
  }
  let rows = variables.map { [$0.namespace, $0.path, TimeText.absolute(nanoseconds: $0.modifyTime)] }
  invocation.terminal.print(Table.columns(["Namespace", "Path", "Last Updated"], rows))
  return 0
}

let variableGet = Command(
  path: ["var", "get"], arguments: "<path>", summary: "Show a variable",
  flags: readFlags + [.value("item", "key", "Only the value of this key.")]
) { invocation in
  let path = try invocation.onlyArgument()
  let bytes = try invocation.client.raw(variablePath(path))
  let variable = try JSON.decode(Variable.self, from: bytes)
  if let key = invocation.parsed.value("item") {
    guard let value = variable.items[key] else {
      throw CommandFailure("Variable \"\(path)\" does not contain a \"\(key)\" item")
    }
    invocation.terminal.print(value)
    return 0
  }
  if try invocation.printedRaw(bytes) { return 0 }
  invocation.terminal.print(variableText(variable))
  return 0
}

let variableInit = Command(
  path: ["var", "init"], arguments: "[file]", summary: "Write an example of a variable's specification",
  flags: [
    .value("out", "format", "hcl or json. Default: hcl.", completion: .oneOf(["hcl", "json"])),
    .bool("quiet", "Print nothing."),
  ]
) { invocation in
  try invocation.expectArguments(0...1)
  let format = invocation.parsed.value("out") ?? "hcl"
  guard ["hcl", "json"].contains(format) else { throw UsageError("-out is hcl or json, not \"\(format)\"") }
  let file = invocation.arguments.first ?? "spec.nv.\(format)"
  try LocalFile.create(
    file, format == "hcl" ? VariableSpecification.exampleHCL : VariableSpecification.exampleJSON)
  if !invocation.has("quiet") { invocation.terminal.print("Example variable specification written to \(file)") }
  return 0
}

let variablePut = Command(
  path: ["var", "put"], arguments: "<path or @file or -> [key=value]...", summary: "Set a variable",
  details: """
    The first argument is a path, or "@" and a specification's file (`var init`
    writes an example), or "-" for one on standard input. What else is given
    stands above what the specification says.

    Values that begin with "@" are read from the file that follows, "-" stands for
    standard input. What the variable had before and is not named here goes, unless
    -check-index and -force say otherwise: without either, a variable that exists
    is only changed when it has not changed since it was read here.
    """,
  flags: readFlags + [
    .value("check-index", "index", "Only if its modify index is this; 0: only if it does not exist yet."),
    .bool("force", "Whatever it was before."), .bool("quiet", "Print nothing."),
    .value("in", "format", "Of a specification: hcl or json.", completion: .oneOf(["hcl", "json"])),
  ]
) { invocation in
  var variable = try givenVariable(invocation)
  let path = variable.path
  let namespace = variable.namespace.isEmpty ? nil : variable.namespace
  for (key, value) in try keyValues(Array(invocation.arguments.dropFirst()), flag: "put") {
    variable.items[key] =
      value == "-" || value.hasPrefix("@")
      ? String(decoding: try LocalFile.read(value == "-" ? "-" : String(value.dropFirst())), as: UTF8.self) : value
  }
  guard !variable.items.isEmpty else { throw UsageError("give at least one key=value") }
  let client = invocation.client
  var query: [String: String] = [:]
  if let index = try invocation.parsed.integer("check-index") {
    query["cas"] = "\(index)"
  } else if !invocation.has("force") {
    let current: Variable? = try client.optional(variablePath(path), namespace: namespace)
    query["cas"] = "\(current?.modifyIndex ?? 0)"
  }
  let stored: Variable
  do {
    stored = try client.put(variablePath(path), query, body: variable, namespace: namespace)
  } catch let error as APIError where error.status == .conflict {
    throw CommandFailure(
      "Variable \"\(path)\" has changed since index \(query["cas"] ?? ""): look at it and try again, or use -force")
  }
  if invocation.has("quiet") { return 0 }
  if try invocation.printedRaw(JSON.encode(stored)) { return 0 }
  invocation.terminal.print("Created or updated variable \"\(path)\" with modify index \(stored.modifyIndex)")
  return 0
}

/// The variable that a command's first argument names, with what its specification says.
func givenVariable(_ invocation: Invocation) throws -> Variable {
  guard let first = invocation.arguments.first else { throw UsageError("a path is needed") }
  guard first == "-" || first.hasPrefix("@") else {
    var variable = Variable()
    variable.path = first
    return variable
  }
  let file = first == "-" ? "-" : String(first.dropFirst())
  let format = invocation.parsed.value("in")
  if let format, !["hcl", "json"].contains(format) { throw UsageError("-in is hcl or json, not \"\(format)\"") }
  let variable = try VariableSpecification.parse(
    try LocalFile.read(file), name: file == "-" ? "standard input" : file, format: format)
  guard !variable.path.isEmpty else { throw CommandFailure("the specification names no path") }
  return variable
}

let variablePurge = Command(
  path: ["var", "purge"], arguments: "<path>", summary: "Remove a variable for good",
  flags: [.value("check-index", "index", "Only if its modify index is this.")]
) { invocation in
  let path = try invocation.onlyArgument()
  var query: [String: String] = [:]
  if let index = try invocation.parsed.integer("check-index") { query["cas"] = "\(index)" }
  do {
    try invocation.client.remove(variablePath(path), query)
  } catch let error as APIError where error.status == .conflict {
    throw CommandFailure("Variable \"\(path)\" has another modify index: look at it and try again")
  }
  invocation.terminal.print("Successfully purged variable \"\(path)\"!")
  return 0
}

/// Slashes separate segments and stay.
func variablePath(_ path: String) -> String {
  "/v1/var/"
    + path.split(separator: "/", omittingEmptySubsequences: false).map { String($0).pathEncoded }.joined(
      separator: "/")
}

private func variableText(_ variable: Variable) -> String {
  let head = Table.keyValues([
    ("Namespace", variable.namespace), ("Path", variable.path),
    ("Create Time", TimeText.absolute(nanoseconds: variable.createTime)),
    ("Modify Time", TimeText.absolute(nanoseconds: variable.modifyTime)), ("Check Index", "\(variable.modifyIndex)"),
  ])
  let items = variable.items.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  return head + "\n\nItems\n" + Table.keyValues(items)
}

let evalDelete = Command(
  path: ["eval", "delete"], arguments: "[evaluation]", summary: "Delete evaluations while the scheduler is paused",
  flags: [
    .value("filter", "expression", "All evaluations that it selects."), .bool("yes", "Do not ask."), verboseFlag,
  ], completes: .evaluations
) { invocation in
  try invocation.expectArguments(0...1)
  let client = invocation.client
  var body = JSONObject()
  if let prefix = invocation.arguments.first {
    guard invocation.parsed.value("filter") == nil else { throw UsageError("give an evaluation or -filter, not both") }
    body["EvalIDs"] = .array([.string(try client.evaluation(prefix: prefix).id.description)])
  } else if let filter = invocation.parsed.value("filter") {
    body["Filter"] = .string(filter)
  } else {
    throw UsageError("an evaluation or -filter is needed")
  }
  if invocation.terminal.isInteractive, !invocation.has("yes") {
    guard confirm("Are you sure you want to delete these evaluations? [y/N] ", invocation.terminal) else { return 0 }
  }
  let answer: JSONValue = try client.delete("/v1/evaluations", body: body)
  invocation.terminal.print("Successfully deleted \(answer["Count"]?.intValue ?? 0) evaluation(s)")
  return 0
}

let systemReconcileSummaries = Command(
  path: ["system", "reconcile", "summaries"], summary: "Bring the jobs' summaries in order",
  details: "Accepted for compatibility: summaries are counted anew with every change."
) { invocation in
  try invocation.expectArguments(0...0)
  try invocation.client.send("/v1/system/reconcile/summaries", body: JSONObject())
  return 0
}
