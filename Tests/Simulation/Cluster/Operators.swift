import Codec
import Model
import State

/// Somebody who changes things, one after the other.
struct Operator {
  var isWaiting = false
  /// Of an operation on a variable.
  var key = 0
  var began: UInt64 = 0
  var what: Operation?
  /// What a swap has read.
  var read: (value: UInt64, index: UInt64)?
}

extension ClusterWorkload {
  func operate(_ number: Int) {
    guard !simulator.isHealing, !operators[number].isWaiting else { return }
    operators[number].isWaiting = true
    operators[number].began = now
    operators[number].what = nil
    operators[number].read = nil
    let request = draw(number)
    simulator.note("operator \(number): \(request)")
    call(request, from: .operator_(number), to: simulator.random.below(simulator.hosts.count))
  }

  private func draw(_ number: Int) -> CallRequest {
    let job = "job\(simulator.random.below(Self.jobs))"
    let node = simulator.random.below(nodes.count)
    switch simulator.random.below(20) {
    case 0..<5: return .change(.register(drawJob(job)))
    case 5, 6: return .change(.scale(job, count: simulator.random.below(6)))
    case 7: return .change(.stop(job, purge: simulator.random.chance(400)))
    case 8:
      let deadline: Nanoseconds = [.zero, .seconds(-1), .seconds(2), .seconds(6)][simulator.random.below(4)]
      return .change(.drain(node, deadline: deadline))
    case 9: return .change(.endDrain(node))
    case 10: return .change(.setEligible(node, simulator.random.chance(600)))
    case 11: return .change(.stopAllocation(job))
    case 12: return .change(.collectGarbage)
    case 13..<16:
      operators[number].key = simulator.random.below(Self.variables)
      operators[number].what = .read
      return .readVariable(operators[number].key)
    case 16..<18:
      operators[number].key = simulator.random.below(Self.variables)
      nextValue += 1
      operators[number].what = .write(nextValue)
      return .change(.writeVariable(operators[number].key, nextValue))
    default:
      // A swap begins with a read.
      operators[number].key = simulator.random.below(Self.variables)
      nextValue += 1
      operators[number].what = .swap(expected: 0, new: nextValue)
      return .readVariable(operators[number].key)
    }
  }

  private func drawJob(_ id: String) -> Job {
    var random: Random {
      get { simulator.random }
      set { simulator.random = newValue }
    }
    var job = Job()
    job.id = id
    // A job keeps its type.
    job.type = ["job0": .batch, "job1": .system, "job2": .sysbatch][id] ?? .service
    job.datacenters = ["*"]
    job.priority = 20 + 10 * random.below(7)
    var group = TaskGroup()
    group.name = "web"
    group.count = random.below(6)
    var task = JobTask()
    task.name = "main"
    task.driver = "exec"
    task.env["V"] = "\(random.below(4))"
    var resources = Resources()
    resources.cpu = 100 * (1 + random.below(9))
    resources.memoryMB = 64 * (1 + random.below(8))
    if random.chance(150) {
      var device = RequestedDevice()
      device.name = "gpu"
      device.count = 1
      resources.devices = [device]
    }
    task.resources = resources
    group.tasks = [task]
    if random.chance(500) {
      var network = NetworkResource()
      if random.chance(500) { network.reservedPorts = [port("http", 80 + random.below(2))] }
      network.dynamicPorts = [port("a", 0)]
      group.networks = [network]
    }
    if job.type == .service {
      var update = UpdateStrategy()
      update.maxParallel = 1 + random.below(2)
      update.minHealthyTime = .milliseconds(200)
      update.healthyDeadline = .seconds(5)
      update.progressDeadline = .seconds(10)
      update.autoRevert = random.chance(300)
      if random.chance(300) {
        update.canary = 1
        update.autoPromote = true
      }
      job.update = update
      if random.chance(200) {
        var disconnect = DisconnectStrategy()
        disconnect.lostAfter = .seconds(5)
        disconnect.replace = random.chance(700)
        disconnect.reconcile = ["best_score", "keep_original", "keep_replacement", "longest_running"][random.below(4)]
        group.disconnect = disconnect
      }
    }
    if job.type == .system {
      var update = UpdateStrategy()
      update.stagger = .seconds(1)
      update.maxParallel = 1
      job.update = update
    }
    if job.type == .service || job.type == .batch {
      var reschedule = ReschedulePolicy()
      reschedule.delay = .seconds(1)
      reschedule.delayFunction = "constant"
      reschedule.unlimited = true
      group.reschedulePolicy = reschedule
    }
    job.taskGroups = [group]
    job.canonicalize()
    job.fillRegistrationDefaults()
    return job
  }

  private func port(_ label: String, _ value: Int) -> Port {
    var port = Port()
    port.label = label
    port.value = value
    return port
  }

  func answered(_ call: Call, _ answer: CallAnswer, operator number: Int) {
    switch (call.request, answer) {
    case (.readVariable(let key), .variable(let value, let index)):
      if case .swap(_, let new)? = operators[number].what {
        operators[number].what = .swap(expected: value, new: new)
        operators[number].read = (value, index)
        // The swap itself begins here; the read before it is no part of the history.
        operators[number].began = now
        self.call(
          .change(.swapVariable(key, new, index: index)), from: .operator_(number),
          to: simulator.random.below(simulator.hosts.count))
        return
      }
      record(number, .value(value))
    case (.change(.writeVariable(_, let value)), .done): record(number, .value(value))
    case (.change(.swapVariable), .done): record(number, .swapped(true))
    case (.change(.swapVariable), .refused): record(number, .swapped(false))
    case (.change(.writeVariable), .unknown), (.change(.swapVariable), .unknown): record(number, nil)
    default: break
    }
    if case .done = answer { simulator.result.acknowledged += 1 }
    operators[number].isWaiting = false
    later(.operate(number), after: simulator.random.between(20_000_000, 800_000_000))
  }

  private func record(_ number: Int, _ outcome: Outcome?) {
    let about = operators[number]
    guard let what = about.what else { return }
    histories[about.key].calls.append(
      History.Call(operation: what, began: about.began, ended: outcome == nil ? nil : now, outcome: outcome))
  }
}
