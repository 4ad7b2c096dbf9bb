internal import Codec
internal import Model

/// Prints the evaluation of a launch, or follows it.
private func follow(_ evaluation: Identifier, _ invocation: Invocation) throws -> Int32 {
  if evaluation.isNone { return 0 }
  if invocation.has("detach") {
    invocation.terminal.print("Evaluation ID: \(invocation.shown(evaluation))")
    return 0
  }
  return try Monitor(invocation).evaluation(evaluation)
}

private let detachFlag = Flag.bool("detach", "Return at once instead of following the evaluation.")

let jobDispatch = Command(
  path: ["job", "dispatch"], arguments: "<parameterized job> [input file]",
  summary: "Launch a parameterized job",
  details: """
    The payload is read from the input file, "-" for standard input. It may have up
    to 16 KiB; whether there has to be one is said by the job's parameterized block.
    """,
  flags: [
    .repeated("meta", "key=value", "Metadata for the launched job. May be repeated."),
    .value("id-prefix-template", "text", "Put between \"dispatch-\" and the time in the launched job's id."),
    .value("idempotency-token", "text", "A second dispatch with the same token launches nothing."),
    .value("priority", "number", "The launched job's priority instead of the parameterized job's."),
    detachFlag, verboseFlag,
  ], completes: .jobs
) { invocation in
  try invocation.expectArguments(1...2)
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: invocation.arguments[0])
  var request = JobDispatchRequest()
  request.jobID = identity.id
  if invocation.arguments.count == 2 { request.payload = Blob(try LocalFile.read(invocation.arguments[1])) }
  request.meta = try keyValues(invocation.parsed.all("meta"), flag: "meta")
  request.idPrefixTemplate = invocation.parsed.value("id-prefix-template") ?? ""
  request.priority = try invocation.parsed.integer("priority") ?? 0
  let query = invocation.parsed.value("idempotency-token").map { ["idempotency_token": $0] } ?? [:]
  let response: JobDispatchResponse = try client.put(
    "/v1/job/\(identity.id.pathEncoded)/dispatch", query, body: request, namespace: identity.namespace)
  var pairs = [(key: "Dispatched Job ID", value: response.dispatchedJobID)]
  if !response.evalID.isNone { pairs.append(("Evaluation ID", invocation.shown(response.evalID))) }
  invocation.terminal.print(Table.keyValues(pairs))
  if invocation.has("detach") || response.evalID.isNone { return 0 }
  invocation.terminal.print("")
  return try follow(response.evalID, invocation)
}

let jobPeriodicForce = Command(
  path: ["job", "periodic", "force"], arguments: "<job>", summary: "Launch a periodic job now",
  details: "Also when an earlier launch still runs and overlap is prohibited.",
  flags: [detachFlag, verboseFlag], completes: .jobs
) { invocation in
  let identity = try invocation.client.jobIdentity(prefix: try invocation.onlyArgument())
  let response: PeriodicForceResponse = try invocation.client.put(
    "/v1/job/\(identity.id.pathEncoded)/periodic/force", body: JSONObject(), namespace: identity.namespace)
  invocation.terminal.print("Force periodic successful")
  return try follow(response.evalID, invocation)
}

/// What `-meta key=value` and its like gave.
func keyValues(_ texts: [String], flag: String) throws(UsageError) -> [String: String] {
  var pairs: [String: String] = [:]
  for text in texts {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw UsageError("-\(flag) takes key=value, not \"\(text)\"")
    }
    pairs[String(text[..<equals])] = String(text[text.index(after: equals)...])
  }
  return pairs
}
