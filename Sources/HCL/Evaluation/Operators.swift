/// The meaning of operators on values.
public enum Operators {
  /// The language's `==`. Values of different types are not equal; nil when unknown parts decide.
  public static func equal(_ a: Value, _ b: Value) -> Bool? {
    if a.isNull, b.isNull { return true }
    if !a.isKnown || !b.isKnown {
      return nil
    }
    if a.isNull || b.isNull { return false }
    guard a.type == b.type else { return false }
    switch (a.content, b.content) {
    case (.sequence(let x), .sequence(let y)):
      guard x.count == y.count else { return false }
      var undecided = false
      for (p, q) in zip(x, y) {
        switch equal(p, q) {
        case false: return false
        case nil: undecided = true
        default: break
        }
      }
      return undecided ? nil : true
    case (.mapping(let x), .mapping(let y)):
      guard x.count == y.count else { return false }
      var undecided = false
      for (key, p) in x {
        guard let q = y[key] else { return false }
        switch equal(p, q) {
        case false: return false
        case nil: undecided = true
        default: break
        }
      }
      return undecided ? nil : true
    default: return a.content == b.content
    }
  }
}
