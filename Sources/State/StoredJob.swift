public import Codec
public import Model

/// A job as the state keeps it: its versions, each stored once, and what changes without making a version.
public struct StoredJob: Sendable {
  /// One registration of the job.
  public struct Version: Sendable {
    /// The job as registered, with `version`, `createIndex`, `jobModifyIndex` and `submitTime` filled in; status,
    /// `stable` and tag are not in it.
    public let spec: Shared<Job>
    /// A deployment of it succeeded.
    public internal(set) var stable = false
    /// Keeps the version from being dropped.
    public internal(set) var tag: JobVersionTag?
    /// The text that the version was written as, where whoever registered it sent one.
    public internal(set) var submission: Shared<JobSubmission>?

    /// The version in the API's shape.
    public var job: Job {
      var job = spec.value
      job.stable = stable
      job.versionTag = tag
      return job
    }
  }

  /// Newest first; never empty.
  public internal(set) var versions: [Version]
  /// `pending`, `running` or `dead`, derived from evaluations and allocations.
  public internal(set) var status: JobStatus
  /// Instances that the last evaluation could not place, by group.
  public internal(set) var queued: [String: Int] = [:]
  /// The time that the last launch of a periodic job was for; zero for none.
  public internal(set) var lastLaunch: Timestamp = .zeroValue
  /// What was scaled, by group, newest first.
  public internal(set) var scalingEvents: [String: [ScalingEvent]] = [:]
  /// The index of the last change of the job or its status.
  public internal(set) var modifyIndex: UInt64

  /// The current version's specification.
  public var spec: Shared<Job> { versions[0].spec }
  /// The current version in the API's shape, with status.
  public var job: Job { job(at: 0) }
  /// Namespace and id.
  public var key: JobKey { JobKey(spec.value.namespace ?? "default", spec.value.id) }
  /// It has been stopped.
  public var isStopped: Bool { spec.value.stop ?? false }

  /// A version in the API's shape; all of them show the job's status.
  func job(at position: Int) -> Job {
    var job = versions[position].job
    job.status = status
    job.modifyIndex = modifyIndex
    return job
  }

  /// Every kept version in the API's shape, newest first.
  public var allVersions: [Job] { versions.indices.map { job(at: $0) } }

  /// The version with this number.
  public func version(_ number: UInt64) -> Version? { versions.first { $0.spec.value.version == number } }
}

/// How many of a job's allocations and evaluations there are in which state, kept current by every apply.
public struct JobActivity: Hashable, Sendable {
  /// Allocations of a group by client status.
  public struct Group: Hashable, Sendable {
    /// Name of the group.
    public let name: String
    /// Placed, and not yet running.
    public internal(set) var starting: Int32 = 0
    /// Running.
    public internal(set) var running: Int32 = 0
    /// Ended with success.
    public internal(set) var complete: Int32 = 0
    /// Ended with failure.
    public internal(set) var failed: Int32 = 0
    /// On nodes that went down.
    public internal(set) var lost: Int32 = 0
    /// On nodes that are out of reach and may come back.
    public internal(set) var unknown: Int32 = 0

    mutating func add(_ status: AllocationClientStatus, _ amount: Int32) {
      switch status {
      case .pending: starting += amount
      case .running: running += amount
      case .complete: complete += amount
      case .failed: failed += amount
      case .lost: lost += amount
      case .unknown: unknown += amount
      }
    }
  }

  /// By name.
  public internal(set) var groups: [Group] = []
  /// Allocations of the job that the state has, ended ones included.
  public internal(set) var allocations = 0
  /// Allocations that neither have ended nor are to end.
  public internal(set) var liveAllocations = 0
  /// Evaluations of the job that the state has, ended ones included.
  public internal(set) var evaluations = 0
  /// Evaluations that are pending or blocked.
  public internal(set) var openEvaluations = 0

  var isEmpty: Bool { allocations == 0 && evaluations == 0 }

  mutating func count(_ allocation: StoredAllocation, _ amount: Int32) {
    allocations += Int(amount)
    if !allocation.isTerminal { liveAllocations += Int(amount) }
    let name = allocation.groupName
    let at = groups.firstIndex { !precedes($0.name, name) } ?? groups.count
    if at == groups.count || groups[at].name != name { groups.insert(Group(name: name), at: at) }
    groups[at].add(allocation.clientStatus, amount)
    if groups[at] == Group(name: name) { groups.remove(at: at) }
  }

  mutating func count(_ evaluation: Evaluation, _ amount: Int) {
    evaluations += amount
    if evaluation.isOpen { openEvaluations += amount }
  }
}

extension Evaluation {
  /// Still to be worked on: pending or blocked.
  public var isOpen: Bool { status == .pending || status == .blocked }
}
