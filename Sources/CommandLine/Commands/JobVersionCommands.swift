internal import Codec
internal import Model

let jobTagApply = Command(
  path: ["job", "tag", "apply"], arguments: "<job>", summary: "Give a version of a job a name",
  details: "A version with a name is kept whatever its age, and the name can stand for its number.",
  flags: [
    .value("name", "name", "The name."), .value("description", "text", "What the version is."),
    .value("version", "number", "The version; the current one when not given."),
  ], completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  guard let name = invocation.parsed.value("name"), !name.isEmpty else { throw UsageError("a -name is needed") }
  var request = JobTagRequest()
  request.name = name
  request.description = invocation.parsed.value("description") ?? ""
  request.version = try invocation.parsed.integer("version").map { UInt64(clamping: $0) }
  let _: JSONValue = try client.put(
    "/v1/job/\(identity.id.pathEncoded)/versions/\(name.pathEncoded)/tag", body: request,
    namespace: identity.namespace)
  let version = request.version.map { "version \($0)" } ?? "the current version"
  invocation.terminal.print("Tag \"\(name)\" applied to \(version) of job \"\(identity.id)\"")
  return 0
}

let jobTagUnset = Command(
  path: ["job", "tag", "unset"], arguments: "<job>", summary: "Take a name away from a version of a job",
  flags: [.value("name", "name", "The name.")], completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  guard let name = invocation.parsed.value("name"), !name.isEmpty else { throw UsageError("a -name is needed") }
  let _: JSONValue = try client.delete(
    "/v1/job/\(identity.id.pathEncoded)/versions/\(name.pathEncoded)/tag", namespace: identity.namespace)
  invocation.terminal.print("Tag \"\(name)\" removed from job \"\(identity.id)\"")
  return 0
}

let jobRevert = Command(
  path: ["job", "revert"], arguments: "<job> <version or tag>", summary: "Go back to an earlier version of a job",
  flags: [
    .bool("detach", "Return at once instead of following what happens."),
    .value("check-version", "number", "Only if this is the current version."), verboseFlag,
  ], completes: .jobs
) { invocation in
  try invocation.expectArguments(2...2)
  let identity = try invocation.client.jobIdentity(prefix: invocation.arguments[0])
  var request = JobRevertRequest()
  request.jobID = identity.id
  if let version = UInt64(invocation.arguments[1]) {
    request.jobVersion = version
  } else {
    request.taggedVersion = invocation.arguments[1]
  }
  request.enforcePriorVersion = try invocation.parsed.integer("check-version").map { UInt64(clamping: $0) }
  let response: JobRegisterResponse = try invocation.client.put(
    "/v1/job/\(identity.id.pathEncoded)/revert", body: request, namespace: identity.namespace)
  if response.evalID.isNone { return 0 }
  if invocation.has("detach") {
    invocation.terminal.print("Evaluation ID: \(invocation.shown(response.evalID))")
    return 0
  }
  return try Monitor(invocation).evaluation(response.evalID)
}

let jobHistory = Command(
  path: ["job", "history"], arguments: "<job>", summary: "List the versions of a job",
  flags: readFlags + [
    .bool("p", "Show what each version changed."), .value("version", "number", "Only this version."),
    .value("diff-version", "number", "Show what changed since this version."),
    .value("diff-tag", "name", "Show what changed since the version with this name."), verboseFlag,
  ],
  completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  var query = ["diffs": "true"]
  if let version = try invocation.parsed.integer("diff-version") { query["diff_version"] = "\(version)" }
  if let tag = invocation.parsed.value("diff-tag") { query["diff_tag"] = tag }
  let bytes = try client.raw("/v1/job/\(identity.id.pathEncoded)/versions", query, namespace: identity.namespace)
  let only = try invocation.parsed.integer("version").map { UInt64(clamping: $0) }
  let response = try JSON.decode(JobVersionsResponse.self, from: bytes)
  if let only, !response.versions.contains(where: { $0.version == only }) {
    throw CommandFailure("job \"\(identity.id)\" has no version \(only)")
  }
  if try invocation.printedRaw(JSON.encode(response.versions.filter { only == nil || $0.version == only })) {
    return 0
  }
  let showsDiff = invocation.has("p") || query.count > 1
  var blocks: [String] = []
  for (place, job) in response.versions.enumerated() where only == nil || job.version == only {
    var pairs = [
      (key: "Version", value: "\(job.version ?? 0)"), ("Stable", "\(job.stable ?? false)"),
      ("Submit Date", TimeText.absolute(nanoseconds: job.submitTime ?? 0)),
    ]
    if let tag = job.versionTag {
      pairs.append(("Tag Name", tag.name))
      if !tag.description.isEmpty { pairs.append(("Tag Description", tag.description)) }
    }
    var text = Table.keyValues(pairs)
    if showsDiff, place < response.diffs.count {
      text +=
        "\nDiff        =\n"
        + DiffText(terminal: invocation.terminal, verbose: invocation.has("verbose")).text(
          for: response.diffs[place], annotations: nil)
    }
    blocks.append(text)
  }
  invocation.terminal.print(blocks.joined(separator: "\n\n"))
  return 0
}
