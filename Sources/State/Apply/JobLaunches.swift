import Codec
import Model

extension State {
  mutating func apply(_ payload: ChildJobLaunch, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(payload.namespace, payload.parentID)
    guard var parent = reader.jobs[key] else { throw .noSuchJob(key) }
    guard !parent.isStopped else { throw .notLaunchable(key, "it is stopped") }
    guard parent.spec.value.launchesChildren else {
      throw .notLaunchable(key, "it is neither periodic nor parameterized")
    }
    guard !payload.childID.isEmpty else { throw .malformed("a launch of job \"\(key.id)\" names no child") }
    let childKey = JobKey(payload.namespace, payload.childID)
    guard reader.jobs[childKey] == nil else { throw .jobExists(childKey) }
    if !payload.launchTime.isZero {
      parent.lastLaunch = max(parent.lastLaunch, payload.launchTime)
      parent.modifyIndex = reader.index
      put(parent, key, &changes)
    }
    register(Self.child(of: parent.spec.value, payload), &changes)
    put(payload.evaluations, &changes)
  }

  /// The job that a launch makes: its parent, with what is special to this launch.
  private static func child(of parent: Job, _ payload: ChildJobLaunch) -> Job {
    var child = parent
    child.id = payload.childID
    child.name = payload.childID
    child.parentID = payload.parentID
    child.submitTime = nil
    if payload.launchTime.isZero {
      child.dispatched = true
      child.payload = payload.payload
      child.meta.merge(payload.meta) { _, given in given }
      if !payload.idempotencyToken.isEmpty { child.dispatchIdempotencyToken = payload.idempotencyToken }
      if let priority = payload.priority { child.priority = priority }
    } else {
      child.periodic = nil
    }
    return child
  }

  mutating func apply(_ payload: JobScaling, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(payload.namespace, payload.jobID)
    guard var stored = reader.jobs[key] else { throw .noSuchJob(key) }
    var job = stored.spec.value
    guard let group = job.taskGroups.firstIndex(where: { $0.name == payload.group }) else {
      throw .noSuchGroup(key, payload.group)
    }
    if let expected = payload.expectedIndex, expected != job.jobModifyIndex ?? 0 {
      throw .indexMismatch(expected: expected, found: job.jobModifyIndex ?? 0)
    }
    var event = payload.event
    event.previousCount = Int64(job.taskGroups[group].count ?? 1)
    event.time = UInt64(max(0, reader.time.nanoseconds))
    event.createIndex = reader.index
    event.evalID = payload.evaluations.first?.id
    if let count = event.count {
      guard !stored.isStopped else { throw .notLaunchable(key, "it is stopped") }
      guard let count = Int(exactly: count), count >= 0 else {
        throw .malformed("a group can't have \(count) instances")
      }
      job.taskGroups[group].count = count
      register(job, submission: stored.versions[0].submission?.value, &changes)
      stored = reader.jobs[key] ?? stored
    }
    let events = [event] + (stored.scalingEvents[payload.group] ?? [])
    stored.scalingEvents[payload.group] = Array(events.prefix(Self.keptScalingEvents))
    stored.modifyIndex = reader.index
    put(stored, key, &changes)
    put(payload.evaluations, &changes)
  }
}
