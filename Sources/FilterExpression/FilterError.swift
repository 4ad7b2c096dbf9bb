/// Why a filter can't be read, or can't be applied to a record.
public struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence; where the text is at fault, with the place in it.
  public let description: String

  init(_ description: String) { self.description = description }
}
