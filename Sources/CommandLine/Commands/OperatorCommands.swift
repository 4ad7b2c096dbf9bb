internal import Codec
internal import Model

let agentInfo = Command(
  path: ["agent-info"], summary: "Show figures of the agent that is asked", flags: readFlags
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw("/v1/agent/self")
  if try invocation.printedRaw(bytes) { return 0 }
  for (part, figures) in try JSON.decode(AgentSelf.self, from: bytes).stats.sorted(by: { $0.key < $1.key }) {
    invocation.terminal.print(invocation.terminal.bold(part))
    for (name, value) in figures.sorted(by: { $0.key < $1.key }) { invocation.terminal.print("  \(name) = \(value)") }
  }
  return 0
}

let systemGC = Command(
  path: ["system", "gc"], summary: "Remove what is no longer needed from the servers' state, now"
) { invocation in
  try invocation.expectArguments(0...0)
  try invocation.client.send("/v1/system/gc", body: JSONObject())
  return 0
}

private let schedulerPath = "/v1/operator/scheduler/configuration"

let operatorSchedulerGetConfig = Command(
  path: ["operator", "scheduler", "get-config"], summary: "Show how the scheduler is configured", flags: readFlags
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw(schedulerPath)
  if try invocation.printedRaw(bytes) { return 0 }
  let response = try JSON.decode(SchedulerConfigurationResponse.self, from: bytes)
  let configuration = response.schedulerConfig ?? SchedulerConfiguration()
  let preemption = configuration.preemptionConfig
  invocation.terminal.print(
    Table.keyValues([
      ("Scheduler Algorithm", configuration.schedulerAlgorithm),
      ("Memory Oversubscription", "\(configuration.memoryOversubscriptionEnabled)"),
      ("Reject Job Registration", "\(configuration.rejectJobRegistration)"),
      ("Pause Eval Broker", "\(configuration.pauseEvalBroker)"),
      ("Preemption System Scheduler", "\(preemption.systemSchedulerEnabled)"),
      ("Preemption Service Scheduler", "\(preemption.serviceSchedulerEnabled)"),
      ("Preemption Batch Scheduler", "\(preemption.batchSchedulerEnabled)"),
      ("Preemption SysBatch Scheduler", "\(preemption.sysBatchSchedulerEnabled)"),
      ("Modify Index", "\(configuration.modifyIndex)"),
    ]))
  return 0
}

let operatorSchedulerSetConfig = Command(
  path: ["operator", "scheduler", "set-config"], summary: "Change how the scheduler is configured",
  details: "What no flag names stays as it is.",
  flags: [
    .value("check-index", "index", "Change it only if its modify index is this."),
    .value("scheduler-algorithm", "name", "binpack or spread.", completion: .oneOf(["binpack", "spread"])),
    .value(
      "memory-oversubscription", "bool", "Whether memory_max of tasks counts.", completion: .oneOf(["true", "false"])),
    .value("reject-job-registration", "bool", "Whether jobs are refused.", completion: .oneOf(["true", "false"])),
    .value("pause-eval-broker", "bool", "Whether evaluations wait.", completion: .oneOf(["true", "false"])),
    .value("preempt-system-scheduler", "bool", "Whether system jobs preempt.", completion: .oneOf(["true", "false"])),
    .value(
      "preempt-service-scheduler", "bool", "Whether service jobs preempt.", completion: .oneOf(["true", "false"])),
    .value("preempt-batch-scheduler", "bool", "Whether batch jobs preempt.", completion: .oneOf(["true", "false"])),
    .value(
      "preempt-sysbatch-scheduler", "bool", "Whether sysbatch jobs preempt.", completion: .oneOf(["true", "false"])),
  ]
) { invocation in
  try invocation.expectArguments(0...0)
  let response: SchedulerConfigurationResponse = try invocation.client.get(schedulerPath)
  var configuration = response.schedulerConfig ?? SchedulerConfiguration()
  func set(_ flag: String, _ value: inout Bool) throws(UsageError) {
    guard let text = invocation.parsed.value(flag) else { return }
    guard let given = ["true": true, "false": false][text] else {
      throw UsageError("-\(flag) is true or false, not \"\(text)\"")
    }
    value = given
  }
  if let algorithm = invocation.parsed.value("scheduler-algorithm") { configuration.schedulerAlgorithm = algorithm }
  try set("memory-oversubscription", &configuration.memoryOversubscriptionEnabled)
  try set("reject-job-registration", &configuration.rejectJobRegistration)
  try set("pause-eval-broker", &configuration.pauseEvalBroker)
  try set("preempt-system-scheduler", &configuration.preemptionConfig.systemSchedulerEnabled)
  try set("preempt-service-scheduler", &configuration.preemptionConfig.serviceSchedulerEnabled)
  try set("preempt-batch-scheduler", &configuration.preemptionConfig.batchSchedulerEnabled)
  try set("preempt-sysbatch-scheduler", &configuration.preemptionConfig.sysBatchSchedulerEnabled)
  // Without an index of the user's, the one that was just read: what somebody else changes in between is not undone.
  let index = try invocation.parsed.integer("check-index").map { UInt64(clamping: $0) } ?? configuration.modifyIndex
  let answer: SchedulerSetConfigurationResponse = try invocation.client.put(
    schedulerPath, ["cas": "\(index)"], body: configuration)
  guard answer.updated else {
    throw CommandFailure(
      "The configuration was changed by somebody else since index \(index): look at it and try again")
  }
  invocation.terminal.print("Scheduler configuration updated!")
  return 0
}
