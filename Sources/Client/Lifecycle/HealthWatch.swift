internal import Codec
internal import Model

/// Decides, for a deployment, whether an allocation became healthy: all its tasks running without a break for
/// `min_healthy_time`, before `healthy_deadline`. Pure.
struct HealthWatch: Sendable, Equatable {
  enum Finding: Equatable, Sendable {
    /// Nothing to say yet; look again after the time given, or when a task changes.
    case wait(Nanoseconds?)
    case healthy
    case unhealthy(String)
  }

  var minimumHealthyTime: Nanoseconds
  /// On the steady clock, as `runningSince`.
  var deadline: Timestamp
  /// The decision and when it fell; it is final for this deployment.
  var verdict: Bool?
  var decidedAt = Timestamp(nanoseconds: 0)
  /// Since when all tasks run; zero while one does not.
  var runningSince = Timestamp(nanoseconds: 0)
  private var restarts = 0

  init(minimumHealthyTime: Nanoseconds, deadline: Timestamp) {
    self.minimumHealthyTime = minimumHealthyTime
    self.deadline = deadline
  }

  mutating func look(at tasks: [TaskMachine], now: Moment) -> Finding {
    if tasks.contains(where: { $0.hasFailed || $0.isDead }) {
      decide(false, now)
      return .unhealthy("Unhealthy because of failed task")
    }
    let restartsNow = tasks.reduce(0) { $0 + Int($1.state.restarts) }
    if !tasks.allSatisfy(\.isRunning) || tasks.isEmpty {
      runningSince = Timestamp(nanoseconds: 0)
    } else if runningSince.isZero || restartsNow != restarts {
      runningSince = now.steady
    }
    restarts = restartsNow
    if !runningSince.isZero, now.steady - runningSince >= minimumHealthyTime {
      decide(true, now)
      return .healthy
    }
    if now.steady >= deadline {
      decide(false, now)
      return .unhealthy(
        runningSince.isZero
          ? "Task not running by deadline"
          : "Task not running for min_healthy_time of \(minimumHealthyTime) by healthy_deadline")
    }
    return .wait(runningSince.isZero ? nil : minimumHealthyTime - (now.steady - runningSince))
  }

  private mutating func decide(_ healthy: Bool, _ now: Moment) {
    verdict = healthy
    decidedAt = now.wall
  }
}
