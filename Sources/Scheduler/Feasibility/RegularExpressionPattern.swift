struct Pattern: Sendable {
  init(_ text: String) throws(CancellationError) { throw CancellationError() }
  func matches(_ text: String) -> Bool { false }
}
