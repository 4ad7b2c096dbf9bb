public import Codec
public import Cron
public import Model
internal import Scheduler
public import State

/// Launches periodic jobs when it is time.
///
/// Each launch is a job of its own, `<id>/periodic-<seconds since 1970>`. Times that passed while no server led are made up
/// for once, not one by one.
public struct PeriodicLaunches: Sendable {
  /// What to do now.
  enum Step {
    case launch(ChildJobLaunch)
    /// Nothing was launched; why, for the log.
    case skipped(String)
  }

  private struct Tracked {
    let schedule: CronSchedule
    let prohibitsOverlap: Bool
    var next: Timestamp?
  }

  private let timeZone: @Sendable (String) -> TimeZone?
  private var jobs: [JobKey: Tracked] = [:]
  /// No later than the earliest launch; recomputed when it is reached.
  private(set) var nextDeadline: Timestamp?

  /// Knows no job yet.
  /// - Parameter timeZone: the zone of a name; nil where there is none.
  public init(timeZone: @escaping @Sendable (String) -> TimeZone?) { self.timeZone = timeZone }

  mutating func begin(_ state: StateReader) {
    (jobs, nextDeadline) = ([:], nil)
    for (key, job) in state.jobs { note(key, job) }
  }

  mutating func note(_ key: JobKey, _ job: StoredJob) {
    let spec = job.spec.value
    guard spec.isPeriodic, !spec.isParameterized, !job.isStopped, let periodic = spec.periodic,
      let schedule = schedule(periodic)
    else { return forget(key) }
    let since = max(job.lastLaunch, Timestamp(nanoseconds: spec.submitTime ?? 0))
    let next = Self.next(schedule, after: since)
    jobs[key] = Tracked(schedule: schedule, prohibitsOverlap: periodic.prohibitOverlap ?? false, next: next)
    if let next { nextDeadline = nextDeadline.map { min($0, next) } ?? next }
  }

  mutating func forget(_ key: JobKey) { jobs[key] = nil }

  /// Nil for a job whose expressions or zone can't be read here; such are refused when they are registered.
  public func schedule(_ periodic: PeriodicConfig) -> CronSchedule? {
    let texts = ([periodic.spec ?? ""] + (periodic.specs ?? [])).filter { !$0.isEmpty }
    let expressions = texts.compactMap { try? CronExpression($0) }
    guard expressions.count == texts.count, !texts.isEmpty, let zone = timeZone(periodic.timeZone ?? "UTC") else {
      return nil
    }
    return CronSchedule(expressions, in: zone)
  }

  /// The first time after another one.
  public static func next(_ schedule: CronSchedule, after time: Timestamp) -> Timestamp? {
    schedule.next(after: time.nanoseconds / 1_000_000_000).map { Timestamp(nanoseconds: $0 * 1_000_000_000) }
  }

  /// The launch that is due; nil when none is.
  mutating func next(_ state: StateReader, now: Timestamp, random: inout RandomBits) -> Step? {
    guard let deadline = nextDeadline, deadline <= now else { return nil }
    defer { nextDeadline = jobs.values.compactMap(\.next).min() }
    let due = jobs.filter { $0.value.next.map { $0 <= now } ?? false }
    guard let (key, tracked) = due.min(by: { ($0.value.next ?? now, $0.key) < ($1.value.next ?? now, $1.key) }),
      let time = tracked.next
    else { return nil }
    jobs[key]?.next = Self.next(tracked.schedule, after: now)
    guard let job = state.job(key) else { return nil }
    if tracked.prohibitsOverlap, let running = Self.runningChild(of: key, state) {
      return .skipped("periodic job \"\(key)\" is not launched: \"\(running)\" still runs and overlap is prohibited")
    }
    // More than one time has passed: the launch is for now, and stands for all of them.
    let following = Self.next(tracked.schedule, after: time)
    let isLate = following.map { $0 <= now } ?? false
    let moment = isLate ? Timestamp(nanoseconds: now.nanoseconds / 1_000_000_000 * 1_000_000_000) : time
    return .launch(Self.launch(job.spec.value, key, at: moment, random: &random))
  }

  /// A child that has not ended.
  private static func runningChild(of key: JobKey, _ state: StateReader) -> String? {
    for (name, _) in state.jobsByParent[key] ?? OrderedTable() {
      if let child = state.job(JobKey(key.namespace, name.text)), child.status != .dead { return name.text }
    }
    return nil
  }

  /// The entry that launches a periodic job for a time.
  public static func launch<G: RandomNumberGenerator>(
    _ job: Job, _ key: JobKey, at time: Timestamp, random: inout G
  ) -> ChildJobLaunch {
    var launch = ChildJobLaunch()
    launch.namespace = key.namespace
    launch.parentID = key.id
    launch.childID = "\(key.id)/periodic-\(time.nanoseconds / 1_000_000_000)"
    launch.launchTime = time
    var evaluation = Evaluation(of: job, because: .periodicJob, random: &random)
    evaluation.jobID = launch.childID
    launch.evaluations = [evaluation]
    return launch
  }
}
