public import Codec
import Model
public import State

/// How long a node that is not heard of is waited for.
public enum Disconnection {
  /// The longest time that one of a node's allocations may be unknown before it is given up; nil when none may.
  public static func longest(on node: Identifier, _ state: StateReader) -> Nanoseconds? {
    var longest: Nanoseconds?
    for allocation in state.allocations(onNode: node) where !allocation.value.isTerminal {
      guard let group = allocation.value.group, let patience = DisconnectPolicy(group).lostAfter else { continue }
      longest = max(longest ?? .zero, patience)
    }
    return longest
  }
}

/// What becomes of an allocation whose node is not heard of: the group's `disconnect` block, or the attributes that it
/// has superseded.
///
/// Source: "disconnect Block" of Nomad's public jobspec documentation.
struct DisconnectPolicy: Sendable {
  /// For so long the allocation is unknown and may come back; nil: it is lost at once.
  let lostAfter: Nanoseconds?
  /// The client stops the allocation after so long without servers: only then another one may run.
  let stopOnClientAfter: Nanoseconds?
  /// Whether another one runs meanwhile.
  let replaces: Bool
  let reconcile: Reconcile

  /// Which one stays when both are back.
  enum Reconcile: String, Sendable {
    case bestScore = "best_score"
    case keepOriginal = "keep_original"
    case keepReplacement = "keep_replacement"
    case longestRunning = "longest_running"
  }

  init(_ group: TaskGroup) {
    lostAfter = [group.disconnect?.lostAfter, group.maxClientDisconnect].compactMap { $0 }.first { $0 > .zero }
    stopOnClientAfter =
      [group.disconnect?.stopOnClientAfter, group.stopAfterClientDisconnect].compactMap { $0 }.first { $0 > .zero }
    replaces = group.disconnect?.replace ?? !(group.preventRescheduleOnLost ?? false)
    reconcile = group.disconnect?.reconcile.flatMap { Reconcile(rawValue: $0) } ?? .bestScore
  }

  /// What is to be done about an allocation on a node that is not heard of.
  enum Verdict: Equatable {
    case lost
    /// Unknown until then; nil: until its node is heard of.
    case unknown(until: Timestamp?)
    /// Left alone until then: until its client has stopped it.
    case running(until: Timestamp)
  }

  /// - Parameters:
  ///   - silentSince: when the node was found to be silent.
  ///   - toleranceForTimers: how much too early a timer may wake the evaluation.
  func verdict(
    on allocation: StoredAllocation, silentSince: Timestamp, now: Timestamp,
    toleranceForTimers: Nanoseconds = .seconds(1)
  ) -> Verdict {
    if let lostAfter {
      let end = (allocation.unknownSince ?? now) + lostAfter
      if now + toleranceForTimers < end { return .unknown(until: end) }
      return replaces ? .lost : .unknown(until: nil)
    }
    if !replaces { return .unknown(until: nil) }
    if let stopOnClientAfter {
      let end = silentSince + stopOnClientAfter
      if now + toleranceForTimers < end { return .running(until: end) }
    }
    return .lost
  }
}

extension StoredAllocation {
  /// Since when its node has not been heard of; nil when it isn't unknown.
  var unknownSince: Timestamp? {
    guard clientStatus == .unknown else { return nil }
    return allocStates.last { $0.field == AllocState.clientStatusField && $0.value == "unknown" }?.time ?? modifyTime
  }

  /// When the first of its tasks that run was started; nil when none has.
  var runningSince: Timestamp? {
    taskStates.values.filter { $0.state == .running && !$0.startedAt.isZero }.map(\.startedAt).min()
  }
}
