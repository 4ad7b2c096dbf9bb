/// How far the clocks of a place are ahead of UTC, and when.
///
/// Made from a file of the tz database (RFC 8536), which is given as bytes: nothing here reads files.
public struct TimeZone: Sendable, Equatable {
  /// From `start` on.
  struct Transition: Sendable, Equatable {
    let start: Int64
    let offset: Int
  }

  /// Ascending; the first one's start is the beginning of time.
  let transitions: [Transition]
  /// What holds after the last of them.
  let rule: TimeZoneRule?

  /// UTC itself.
  public static let utc = TimeZone(transitions: [Transition(start: .min, offset: 0)], rule: nil)

  init(transitions: [Transition], rule: TimeZoneRule?) {
    self.transitions = transitions
    self.rule = rule
  }

  /// A time that clocks run evenly through: UTC offset in seconds and the moment from which on it no longer holds.
  struct Stretch: Equatable {
    let offset: Int
    let end: Int64
  }

  /// The stretch that a moment lies in.
  func stretch(at moment: Int64) -> Stretch {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].start <= moment { low = middle + 1 } else { high = middle }
    }
    if low < transitions.count {
      return Stretch(offset: transitions[max(0, low - 1)].offset, end: transitions[low].start)
    }
    guard let rule else { return Stretch(offset: transitions[transitions.count - 1].offset, end: .max) }
    return rule.stretch(at: moment)
  }

  /// Seconds that local clocks are ahead of UTC at a moment.
  public func offset(at moment: Int64) -> Int { stretch(at: moment).offset }
}
