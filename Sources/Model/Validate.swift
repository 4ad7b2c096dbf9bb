import Codec
internal import Cron

// What makes a job unacceptable, as the job specification documents it. Validation looks at the canonical form and at the
// job alone: whether the cluster can run it (drivers, volumes, pools, features) is said elsewhere.
//
// The parts are in ValidateGroup.swift, ValidateTask.swift, ValidateService.swift and ValidatePlacement.swift.

/// One thing that is wrong with a job: the block it is in and what to change.
public struct ValidationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Such as `group "web" > task "nginx" > restart`; `job` for the job's own attributes.
  public var block: String
  /// What is wrong there and what would be right, as one clause without a full stop.
  public var problem: String

  /// An error about `block`, a path such as `group "web" > task "server" > resources`.
  public init(block: String, problem: String) {
    self.block = block
    self.problem = problem
  }

  /// Path and problem on one line, as the command line and the API print it.
  public var description: String { "\(block): \(problem)" }
}

extension Job {
  /// Everything that is wrong with the job, in the order of its blocks; empty when it may be registered. Call it on the
  /// canonical form.
  public func validate() -> [ValidationError] {
    var validator = JobValidator(job: self)
    validator.validateJob()
    return validator.errors
  }

  /// What is allowed and yet probably not meant, or has no effect any more.
  public func warnings() -> [ValidationError] {
    var validator = JobValidator(job: self)
    validator.warnJob()
    return validator.errors
  }
}

/// Walks through a job and gathers what is wrong.
struct JobValidator {
  let job: Job
  var errors: [ValidationError] = []
  private var path: [String] = []

  init(job: Job) { self.job = job }

  var type: JobType { job.type ?? .service }

  mutating func fail(_ problem: String) {
    errors.append(ValidationError(block: path.isEmpty ? "job" : path.joined(separator: " > "), problem: problem))
  }

  mutating func require(_ condition: Bool, _ problem: String) {
    if !condition { fail(problem) }
  }

  mutating func within(_ block: String, _ name: String? = nil, _ body: (inout JobValidator) -> Void) {
    path.append(name.map { "\(block) \"\($0)\"" } ?? block)
    body(&self)
    path.removeLast()
  }

  /// One of a few words; an empty one is passed over unless `required`.
  mutating func oneOf(_ attribute: String, _ value: String?, _ allowed: [String], required: Bool = false) {
    let value = value ?? ""
    if value.isEmpty && !required { return }
    let list = allowed.map { "\"\($0)\"" }.joined(separator: ", ")
    if value.isEmpty {
      fail("\(attribute) is missing; set it to one of \(list)")
    } else if !allowed.contains(value) {
      fail("\(attribute) is \"\(value)\"; it must be one of \(list)")
    }
  }

  mutating func notNegative(_ attribute: String, _ value: Nanoseconds?) {
    if let value, value < .zero { fail("\(attribute) is \(value); it must not be negative") }
  }

  mutating func atLeast(_ attribute: String, _ value: Int?, _ minimum: Int) {
    if let value, value < minimum { fail("\(attribute) is \(value); it must be at least \(minimum)") }
  }

  /// Names that occur more than once.
  func repeated(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return Set(names.filter { !seen.insert($0).inserted }).sorted()
  }

  mutating func validateJob() {
    require(!job.id.isEmpty, "the job has no id; write it as the label of the job block")
    require(!job.id.contains(" "), "the id \"\(job.id)\" has a space in it; use a hyphen instead")
    require(!job.id.utf8.contains(0), "the id has a NUL character in it")
    require(!(job.name ?? "").isEmpty, "the job has no name; leave it out to use the id, or give it one")
    require(!(job.name ?? "").utf8.contains(0), "the name has a NUL character in it")
    require(!(job.namespace ?? "").isEmpty, "the namespace is empty; leave it out for \"default\"")
    require(!(job.region ?? "").isEmpty, "the region is empty; leave it out for \"global\"")
    oneOf("type", job.type?.rawValue, ["service", "batch", "system", "sysbatch"], required: true)
    if let priority = job.priority, !JobLimits.priorities.contains(priority) {
      let range = JobLimits.priorities
      fail("priority is \(priority); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    require(!job.datacenters.contains(""), "a datacenter is the empty string; remove it, or use \"*\" for all")
    require(!job.taskGroups.isEmpty, "the job has no group; add a group block with a task in it")
    for name in repeated(job.taskGroups.map(\.name)) {
      fail("there are several groups called \"\(name)\"; give each a name of its own")
    }
    validateMeta(job.meta)
    validateConstraints(job.constraints)
    validateAffinities(job.affinities)
    validateSpreads(job.spreads)
    validateLaunch()
    validateMultiregion()
    for group in job.taskGroups { within("group", group.name) { $0.validateGroup(group) } }
  }

  private mutating func validateLaunch() {
    let batch = type == .batch || type == .sysbatch
    if let periodic = job.periodic {
      within("periodic") {
        $0.require(batch, "a job of type \"\($0.type)\" can't be periodic; use type \"batch\" or \"sysbatch\"")
        let spec = periodic.spec ?? ""
        let specs = periodic.specs ?? []
        $0.require(!spec.isEmpty || !specs.isEmpty, "there is no cron expression; set cron or crons")
        $0.require(spec.isEmpty || specs.isEmpty, "both cron and crons are set; keep one")
        $0.require(!specs.contains(""), "one of crons is empty; remove it")
        $0.oneOf("spec type", periodic.specType, ["cron"])
        for text in specs + [spec] where !text.isEmpty {
          do throws(CronError) { _ = try CronExpression(text) } catch { $0.fail("cron \(error)") }
        }
      }
    }
    if let parameterized = job.parameterizedJob {
      within("parameterized") {
        $0.require(batch, "a job of type \"\($0.type)\" can't be dispatched; use type \"batch\" or \"sysbatch\"")
        $0.oneOf("payload", parameterized.payload, ["optional", "required", "forbidden"])
        for key in Set(parameterized.metaRequired).intersection(parameterized.metaOptional).sorted() {
          $0.fail("\"\(key)\" is in both meta_required and meta_optional; keep one")
        }
      }
    }
  }

  private mutating func validateMultiregion() {
    guard let multiregion = job.multiregion else { return }
    within("multiregion") {
      $0.require(!multiregion.regions.isEmpty, "there is no region; add a region block for each")
      for name in $0.repeated(multiregion.regions.map(\.name)) { $0.fail("region \"\(name)\" is there twice") }
      if let strategy = multiregion.strategy {
        $0.oneOf("on_failure", strategy.onFailure, ["fail_all", "fail_local"])
        $0.atLeast("max_parallel", strategy.maxParallel, 0)
      }
    }
  }

  /// Metadata becomes environment variables (`NOMAD_META_KEY`), where NUL can't be.
  mutating func validateMeta(_ meta: [String: String]) {
    for key in meta.keys.sorted() where key.isEmpty || key.utf8.contains(0) || (meta[key] ?? "").utf8.contains(0) {
      within("meta") { $0.fail("the key \"\(key)\" is empty, or it or its value has a NUL character in it") }
    }
  }

  mutating func warnJob() {
    for group in job.taskGroups {
      within("group", group.name) {
        if let update = group.update, let count = group.count, (update.maxParallel ?? 0) > count, count > 0 {
          $0.within("update") {
            $0.fail("max_parallel is \(update.maxParallel ?? 0), more than the \(count) instances there are")
          }
        }
        for network in group.networks where (network.mBits ?? 0) > 0 {
          $0.within("network") { $0.fail("mbits has no effect; remove it") }
        }
        if group.stopAfterClientDisconnect != nil || group.maxClientDisconnect != nil {
          $0.fail("stop_after_client_disconnect and max_client_disconnect are superseded; use a disconnect block")
        }
        for task in group.tasks {
          $0.within("task", task.name) {
            if !(task.resources?.networks.isEmpty ?? true) {
              $0.fail("a network in a task's resources is superseded; move it to the group")
            }
            if (task.resources?.iops ?? 0) > 0 { $0.fail("iops has no effect; remove it") }
          }
        }
      }
    }
  }
}
