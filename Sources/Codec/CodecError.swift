/// Why bytes are not the value they should be: where in the value, where in the bytes, and what is wrong there.
public struct CodecError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The way to the value, in the words of the format: `TaskGroups[0].Count`. Empty for the value as a whole.
  public var path: String
  /// Offset in bytes from the beginning of the input.
  public var offset: Int
  /// What was expected and what was found.
  public var problem: String

  /// An error at byte `offset` of the input; enclosing fields put themselves before `path` on the way out.
  public init(path: String = "", offset: Int, problem: String) {
    self.path = path
    self.offset = offset
    self.problem = problem
  }

  /// Path, offset and problem on one line.
  public var description: String {
    path.isEmpty ? "\(problem) (at byte \(offset))" : "\(path): \(problem) (at byte \(offset))"
  }

  mutating func prepend(_ component: String) {
    path = path.isEmpty ? component : path.first == "[" ? component + path : component + "." + path
  }
}
