import Codec
import Model
import State

/// Everything about a job, for whoever looks for the reason.
func account(of key: JobKey, _ state: StateReader) -> String {
  let job = state.job(key)
  var text = "\n    version \(job?.spec.value.version ?? 0)"
  for deployment in state.deployments(ofJob: key).map(\.value).sorted(by: { $0.createIndex < $1.createIndex }) {
    text += "\n    deployment of \(deployment.jobVersion) \(deployment.status): \(deployment.statusDescription)"
  }
  for evaluation in state.evaluations(ofJob: key).map(\.value).sorted(by: { $0.createIndex < $1.createIndex }) {
    text +=
      "\n    \(evaluation.createIndex) \(evaluation.triggeredBy) \(evaluation.status) \(evaluation.statusDescription)"
      + " blocked \(!evaluation.blockedEval.isNone) failed \(evaluation.failedTGAllocs.count) changed \(evaluation.modifyIndex)"
  }
  for allocation in state.allocations(ofJob: key).map(\.value).sorted(by: { $0.createIndex < $1.createIndex }) {
    text +=
      "\n    \(allocation.createIndex) \(allocation.name) v\(allocation.job.value.version ?? 0) \(allocation.desiredStatus) "
      + "\(allocation.clientStatus) on \(allocation.nodeName) \(allocation.desiredDescription), followed by "
      + "\(allocation.nextAllocation.isNone ? "nothing" : "another"), evaluation \(allocation.followupEvalID.isNone ? "none" : "later"), "
      + "changed \(allocation.modifyIndex)"
  }
  return text
}
