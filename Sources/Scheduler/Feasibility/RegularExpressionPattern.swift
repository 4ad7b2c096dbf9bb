struct RegularExpressionPattern: Sendable {
  init?(_ text: String) { return nil }
  func matches(_ text: String) -> Bool { false }
}
