internal import Codec
internal import Model

/// The table of deployments that `deployment list` and `job deployments` show.
func deploymentTable(_ deployments: [Deployment], _ invocation: Invocation) -> String {
  let rows = deployments.map { deployment in
    [
      invocation.shown(deployment.id), deployment.jobID, "\(deployment.jobVersion)", deployment.status.rawValue,
      deployment.statusDescription,
    ]
  }
  return Table.columns(["ID", "Job ID", "Job Version", "Status", "Description"], rows)
}

private func listDeployments(_ invocation: Invocation) throws -> Int32 {
  let bytes = try invocation.client.raw("/v1/deployments")
  if try invocation.printedRaw(bytes) { return 0 }
  let deployments = try JSON.decode([Deployment].self, from: bytes)
  invocation.terminal.print(deployments.isEmpty ? "No deployments found" : deploymentTable(deployments, invocation))
  return 0
}

let deploymentList = Command(
  path: ["deployment", "list"], summary: "List deployments", flags: readFlags + [verboseFlag]
) { invocation in
  try invocation.expectArguments(0...0)
  return try listDeployments(invocation)
}

let deploymentStatus = Command(
  path: ["deployment", "status"], arguments: "[deployment]", summary: "List deployments, or show one",
  flags: readFlags + [.bool("monitor", "Follow the deployment until it is over."), verboseFlag], completes: .deployments
) { invocation in
  guard !invocation.arguments.isEmpty else { return try listDeployments(invocation) }
  let deployment = try invocation.client.deployment(prefix: try invocation.onlyArgument())
  if invocation.has("monitor") { return try Monitor(invocation).deployment(deployment.id) }
  if try invocation.printedRaw(JSON.encode(deployment)) { return 0 }
  invocation.terminal.print(
    Table.keyValues([
      ("ID", invocation.shown(deployment.id)), ("Job ID", deployment.jobID),
      ("Job Version", "\(deployment.jobVersion)"),
      ("Status", deployment.status.rawValue), ("Description", deployment.statusDescription),
    ]) + "\n\n" + deployedTable(deployment))
  return 0
}

private let detachFlag = Flag.bool("detach", "Return at once instead of following what happens.")

/// Follows the evaluation that a change of a deployment made.
private func finish(_ response: DeploymentUpdateResponse, _ done: String, _ invocation: Invocation) throws -> Int32 {
  invocation.terminal.print(done)
  if let version = response.revertedJobVersion { invocation.terminal.print("The job goes back to version \(version)") }
  guard let evaluation = response.evalID, !evaluation.isNone else { return 0 }
  if invocation.has("detach") {
    invocation.terminal.print("Evaluation ID: \(invocation.shown(evaluation))")
    return 0
  }
  return try Monitor(invocation).evaluation(evaluation)
}

let deploymentFail = Command(
  path: ["deployment", "fail"], arguments: "<deployment>", summary: "End a deployment as failed",
  flags: [detachFlag, verboseFlag], completes: .deployments
) { invocation in
  let deployment = try invocation.client.deployment(prefix: try invocation.onlyArgument())
  let response: DeploymentUpdateResponse = try invocation.client.put(
    "/v1/deployment/fail/\(deployment.id)", body: JSONObject(), namespace: deployment.namespace)
  return try finish(response, "Deployment \"\(invocation.shown(deployment.id))\" failed", invocation)
}

private func setPaused(_ isPaused: Bool, _ invocation: Invocation) throws -> Int32 {
  let deployment = try invocation.client.deployment(prefix: try invocation.onlyArgument())
  var request = DeploymentPauseRequest()
  request.deploymentID = deployment.id
  request.pause = isPaused
  let response: DeploymentUpdateResponse = try invocation.client.put(
    "/v1/deployment/pause/\(deployment.id)", body: request, namespace: deployment.namespace)
  return try finish(
    response, "Deployment \"\(invocation.shown(deployment.id))\" \(isPaused ? "paused" : "resumed")", invocation)
}

let deploymentPause = Command(
  path: ["deployment", "pause"], arguments: "<deployment>", summary: "Have a deployment place nothing more for now",
  flags: [verboseFlag], completes: .deployments
) { invocation in try setPaused(true, invocation) }

let deploymentResume = Command(
  path: ["deployment", "resume"], arguments: "<deployment>", summary: "Have a paused deployment go on",
  flags: [detachFlag, verboseFlag], completes: .deployments
) { invocation in try setPaused(false, invocation) }

let deploymentUnblock = Command(
  path: ["deployment", "unblock"], arguments: "<deployment>",
  summary: "Have a deployment go on that waits for other regions", flags: [detachFlag, verboseFlag],
  completes: .deployments
) { invocation in
  let deployment = try invocation.client.deployment(prefix: try invocation.onlyArgument())
  let response: DeploymentUpdateResponse = try invocation.client.put(
    "/v1/deployment/unblock/\(deployment.id)", body: JSONObject(), namespace: deployment.namespace)
  return try finish(response, "Deployment \"\(invocation.shown(deployment.id))\" unblocked", invocation)
}

private let groupFlag = Flag.repeated("group", "name", "Only the canaries of this group. May be repeated.")

private func promote(_ deployment: Deployment, _ invocation: Invocation) throws -> Int32 {
  var request = DeploymentPromoteRequest()
  request.deploymentID = deployment.id
  request.groups = invocation.parsed.all("group")
  request.all = request.groups.isEmpty
  let response: DeploymentUpdateResponse = try invocation.client.put(
    "/v1/deployment/promote/\(deployment.id)", body: request, namespace: deployment.namespace)
  return try finish(response, "Deployment \"\(invocation.shown(deployment.id))\" promoted", invocation)
}

let deploymentPromote = Command(
  path: ["deployment", "promote"], arguments: "<deployment>",
  summary: "Take a deployment's canaries as the new version",
  flags: [groupFlag, detachFlag, verboseFlag], completes: .deployments
) { invocation in
  try promote(try invocation.client.deployment(prefix: try invocation.onlyArgument()), invocation)
}

let jobPromote = Command(
  path: ["job", "promote"], arguments: "<job>",
  summary: "Take the canaries of a job's latest deployment as the new version",
  flags: [groupFlag, detachFlag, verboseFlag], completes: .jobs
) { invocation in
  let identity = try invocation.client.jobIdentity(prefix: try invocation.onlyArgument())
  let deployment: Deployment? = try invocation.client.optional(
    "/v1/job/\(identity.id.pathEncoded)/deployment", namespace: identity.namespace)
  guard let deployment, !deployment.id.isNone else {
    throw CommandFailure("Job \"\(identity.id)\" has no deployment to promote")
  }
  return try promote(deployment, invocation)
}
