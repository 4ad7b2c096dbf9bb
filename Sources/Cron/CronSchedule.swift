/// When something is to happen: one or more cron expressions, read on the clocks of a time zone.
///
/// Where clocks are set forward, times that no clock shows are passed over; where they are set back, times that clocks
/// show twice count twice. What comes next is always later, whatever clocks do.
public struct CronSchedule: Sendable {
  /// A time that any of them names counts.
  public let expressions: [CronExpression]
  /// Whose clocks show the times.
  public let zone: TimeZone

  /// Expressions read in a zone.
  public init(_ expressions: [CronExpression], in zone: TimeZone) {
    self.expressions = expressions
    self.zone = zone
  }

  /// The next time after `moment`, both in seconds since 1970-01-01T00:00:00Z; nil when there is none before 2100.
  public func next(after moment: Int64) -> Int64? {
    expressions.compactMap { next($0, from: moment < .max ? moment + 1 : moment) }.min()
  }

  /// Between two changes of the zone local time runs evenly: each such stretch is searched in turn.
  private func next(_ expression: CronExpression, from start: Int64) -> Int64? {
    var moment = max(start, 0)
    let last = Calendar.days(year: 2100, month: 1, day: 2) * Calendar.secondsPerDay
    while moment < last {
      let stretch = zone.stretch(at: moment)
      let offset = Int64(stretch.offset)
      let end = min(stretch.end, last)
      if let local = expression.next(from: moment + offset, before: end + offset) { return local - offset }
      moment = end
    }
    return nil
  }
}
