internal import Codec
internal import Model
internal import Scheduler
internal import State

/// What registering `job` would do to `state`, as `job plan` shows it.
func dryRun(_ job: Job, _ request: JobPlanRequest, on state: State, now: Timestamp) throws(ServerError)
  -> JobPlanResponse
{
  let key = JobKey(job.namespace ?? "default", job.id)
  let current = state.reader.job(key)
  // The state keeps a job that is not stopped without this field, and the comparison below must not see a change there.
  var job = job
  if job.stop == false { job.stop = nil }
  var random = RandomBits(seed: UInt64(bitPattern: now.nanoseconds))
  var response = JobPlanResponse()
  response.jobModifyIndex = current?.spec.value.jobModifyIndex ?? 0
  response.index = state.reader.index
  if request.diff { response.diff = JobDiff(from: current.map { $0.isStopped ? nil : $0.spec.value } ?? nil, to: job) }
  if job.launchesChildren { return response }
  do throws(StateError) {
    let result = try Scheduler.plan(job, on: state, now: now, random: &random)
    response.annotations = result.annotations
    response.failedTGAllocs = result.evaluation.failedTGAllocs
    response.createdEvals = Array(result.plan.evaluations.dropFirst())
  } catch {
    throw ServerError(error)
  }
  if let annotations = response.annotations { response.diff?.annotate(with: annotations) }
  return response
}
