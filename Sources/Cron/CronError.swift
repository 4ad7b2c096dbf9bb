/// Why a text is no cron expression.
public struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence that names the field.
  public let description: String

  init(_ description: String) { self.description = description }
}
