import Codec
import Model

extension State {
  mutating func apply(_ payload: JobRegistration, _ changes: inout Changes) throws(StateError) {
    try check(payload)
    register(payload.job, submission: payload.submission, &changes)
    put(payload.evaluations, &changes)
  }

  func check(_ payload: JobRegistration) throws(StateError) {
    let namespace = payload.job.namespace ?? "default"
    guard reader.namespace(namespace) != nil else { throw .noSuchNamespace(namespace) }
    let pool = payload.job.nodePool ?? "default"
    guard pool.isEmpty || reader.nodePool(pool) != nil else { throw .noSuchNodePool(pool) }
    guard !payload.job.id.isEmpty else { throw .malformed("a job has no id") }
    guard payload.job.taskGroups.count <= Int(UInt16.max) else {
      throw .malformed("a job has \(payload.job.taskGroups.count) groups, at most 65535 are possible")
    }
    if let expected = payload.expectedIndex {
      let found = reader.job(JobKey(namespace, payload.job.id))?.spec.value.jobModifyIndex ?? 0
      guard found == expected else { throw .indexMismatch(expected: expected, found: found) }
    }
  }

  /// Adds a job or, if its specification differs from the current one, a version.
  mutating func register(_ job: Job, submission: JobSubmission? = nil, _ changes: inout Changes) {
    let key = JobKey(job.namespace ?? "default", job.id)
    var spec = Self.withoutServersFields(job)
    spec.namespace = key.namespace
    if var stored = reader.jobs[key] {
      if Self.withoutServersFields(stored.spec.value) == spec { return touchedJobs.append(key) }
      setParent(of: key, from: stored.spec.value.parentID, to: spec.parentID)
      addVersion(spec, submitTime: job.submitTime, to: &stored)
      stored.versions[0].submission = submission.map { Shared($0) }
      put(stored, key, &changes)
    } else {
      complete(&spec, version: 0, createIndex: reader.index, submitTime: job.submitTime)
      let version = StoredJob.Version(spec: Shared(spec), submission: submission.map { Shared($0) })
      let stored = StoredJob(versions: [version], status: .pending, modifyIndex: reader.index)
      setParent(of: key, from: nil, to: spec.parentID)
      put(stored, key, &changes)
    }
    touchedJobs.append(key)
    changes.tables.formUnion([.jobVersions, .jobSummaries])
  }

  private func addVersion(_ spec: Job, submitTime: Int64?, to stored: inout StoredJob) {
    var spec = spec
    let current = stored.spec.value
    complete(
      &spec, version: (current.version ?? 0) + 1, createIndex: current.createIndex ?? reader.index,
      submitTime: submitTime)
    stored.versions.insert(StoredJob.Version(spec: Shared(spec)), at: 0)
    var untagged = 0
    stored.versions.removeAll { version in
      guard version.tag == nil else { return false }
      untagged += 1
      return untagged > Self.keptJobVersions
    }
    // A dead job that is registered anew is pending until something of it runs.
    if stored.status == .dead { stored.status = .pending }
    stored.modifyIndex = reader.index
  }

  private func complete(_ spec: inout Job, version: UInt64, createIndex: UInt64, submitTime: Int64?) {
    spec.version = version
    spec.createIndex = createIndex
    spec.jobModifyIndex = reader.index
    spec.submitTime = submitTime ?? reader.time.nanoseconds
  }

  /// What the user wrote, without what servers fill in.
  static func withoutServersFields(_ job: Job) -> Job {
    var job = job
    job.status = nil
    job.statusDescription = nil
    job.stable = nil
    job.version = nil
    job.submitTime = nil
    job.createIndex = nil
    job.modifyIndex = nil
    job.jobModifyIndex = nil
    job.versionTag = nil
    job.nomadTokenID = nil
    if job.stop == false { job.stop = nil }
    return job
  }

  mutating func apply(_ payload: JobDeregistration, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(payload.namespace, payload.jobID)
    guard var stored = reader.jobs[key] else { throw .noSuchJob(key) }
    if payload.purge {
      removeJob(key, &changes)
    } else if !stored.isStopped {
      var spec = Self.withoutServersFields(stored.spec.value)
      spec.stop = true
      let status = stored.status
      addVersion(spec, submitTime: nil, to: &stored)
      stored.status = status
      put(stored, key, &changes)
      changes.tables.insert(.jobVersions)
    }
    touchedJobs.append(key)
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: JobStability, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(payload.namespace, payload.jobID)
    guard let stored = reader.jobs[key] else { throw .noSuchJob(key) }
    guard stored.version(payload.version) != nil else { throw .noSuchJobVersion(key, payload.version) }
    setStable(key, payload.version, payload.stable, &changes)
  }

  /// Nothing happens when the job or the version is gone.
  mutating func setStable(_ key: JobKey, _ version: UInt64, _ stable: Bool, _ changes: inout Changes) {
    guard var stored = reader.jobs[key],
      let at = stored.versions.firstIndex(where: { $0.spec.value.version == version }),
      stored.versions[at].stable != stable
    else { return }
    stored.versions[at].stable = stable
    stored.modifyIndex = reader.index
    put(stored, key, &changes)
    changes.tables.insert(.jobVersions)
  }

  mutating func apply(_ payload: JobVersionTagging, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(payload.namespace, payload.jobID)
    guard var stored = reader.jobs[key] else { throw .noSuchJob(key) }
    let tagged = stored.versions.firstIndex { $0.tag?.name == payload.tag.name }
    if let number = payload.version {
      guard let at = stored.versions.firstIndex(where: { $0.spec.value.version == number }) else {
        throw .noSuchJobVersion(key, number)
      }
      if let tagged, tagged != at {
        throw .tagInUse(payload.tag.name, version: stored.versions[tagged].spec.value.version ?? 0)
      }
      var tag = payload.tag
      tag.taggedTime = reader.time.nanoseconds
      stored.versions[at].tag = tag
    } else {
      guard let tagged else { throw .noSuchTag(payload.tag.name) }
      stored.versions[tagged].tag = nil
    }
    stored.modifyIndex = reader.index
    put(stored, key, &changes)
    changes.tables.insert(.jobVersions)
  }

  mutating func reap(_ payload: Reaping, _ changes: inout Changes) {
    for id in payload.allocations { removeAllocation(id, &changes) }
    for id in payload.evaluations { removeEvaluation(id, &changes) }
    for id in payload.deployments { removeDeployment(id, &changes) }
    for id in payload.nodes { removeNode(id, &changes) }
    for name in payload.jobs { removeJob(JobKey(name.namespace, name.id), &changes) }
  }
}
