public import Codec
public import Model
public import State

/// Decides where work runs: a function of the state, the time and some random bits.
///
/// It runs on the thread that owns the state, against the live state, one evaluation after the other, so its plans don't
/// conflict. What is proposed and not yet applied has to be in what it is given: `columns` with every placement under
/// way, and no second evaluation of a job while a plan of the same job is under way.
///
/// Where it leaves what Nomad's scheduler is documented to do:
/// - Every feasible node is scored, not a sample; nodes are not shuffled. Equal nodes are told apart by random bits.
/// - What a plan stops is not free for the same plan. Only the replacement of an allocation may count on that one's place,
///   on the same node, and a placement that preempts on its victims' place: `Placement.startsAfter` names whom its client
///   waits for before it starts it (DESIGN.md, law 6).
/// - Who is preempted is the smallest sacrifice on any node (`Sacrifice`), whatever the node's score and the victims'
///   `migrate` block; room that stopping allocations are about to give is waited for before anybody is preempted.
/// - Every task with `cores` has cores of its own, also tasks that never run at the same time.
/// - Filtered nodes are counted under the constraint that filtered them, not as "computed class ineligible".
/// - A service's allocation whose tasks all completed by themselves is rescheduled like a failed one, with its delays.
/// - A failed allocation is not tried again within a deployment without a progress deadline; otherwise the group's
///   `reschedule` block decides there too, without a word from the deployment's watcher.
/// - An allocation with `disconnect { replace = false }` is never given up: it stays unknown until its node comes back.
/// - Not looked at (jobs that ask for them have to be refused at registration): CSI volumes.
public enum Scheduler {
  /// Works on one evaluation.
  /// - Parameters:
  ///   - evaluation: names the job; its `id` is how what follows refers to it.
  ///   - state: the state to decide on.
  ///   - columns: the nodes and what is used of them, plans under way included.
  ///   - now: the leader's clock.
  ///   - random: names new things, chooses dynamic ports and decides between equal nodes.
  public static func schedule(
    _ evaluation: Evaluation, state: StateReader, columns: NodeColumns, now: Timestamp, random: inout RandomBits
  ) -> SchedulingResult {
    let key = JobKey(evaluation.namespace, evaluation.jobID)
    let job = state.job(key)?.spec
    let type = job?.value.type ?? JobType(rawValue: evaluation.type)
    var run = SchedulingRun(evaluation: evaluation, key: key, job: job, state: state, columns: columns, now: now)
    // Stopping is the same for all.
    if let job, job.value.stop != true, type == .system || type == .sysbatch {
      return run.scheduleOnEveryNode(job, random: &random)
    }
    return run.scheduleByCount(random: &random)
  }

  /// What registering a job would do, without doing it: the same decision on a copy of the state in which the job is
  /// registered. Copies of the state cost nothing.
  /// - Parameter job: canonical, as it would be registered.
  /// - Throws: why the job would be refused.
  public static func plan(
    _ job: Job, on state: State, now: Timestamp, random: inout RandomBits
  ) throws(StateError) -> SchedulingResult {
    var copy = state
    var registration = JobRegistration()
    registration.job = job
    switch copy.apply(.jobRegistration(registration), index: state.reader.index + 1, time: now) {
    case .failure(let error): throw error
    case .success: break
    }
    var evaluation = Evaluation()
    evaluation.id = Identifier(using: &random)
    evaluation.namespace = job.namespace ?? "default"
    evaluation.jobID = job.id
    evaluation.type = (job.type ?? .service).rawValue
    evaluation.priority = job.priority ?? 50
    evaluation.triggeredBy = .jobRegister
    evaluation.annotatePlan = true
    evaluation.jobModifyIndex = copy.reader.index
    var result = schedule(evaluation, state: copy.reader, columns: copy.columns, now: now, random: &random)
    if !result.plan.evaluations.isEmpty { result.plan.evaluations[0].planAnnotations = result.annotations }
    return result
  }
}
