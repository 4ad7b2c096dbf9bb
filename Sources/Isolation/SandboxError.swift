/// A sandbox that is refused before anything was done: which part, why, and what to change.
public struct SandboxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The part, e.g. `mounts[2].target`.
  public var field: String
  /// Its value.
  public var value: String
  /// What is wrong, and what to do.
  public var problem: String

  /// Describes one refusal.
  public init(_ field: String, _ value: String, _ problem: String) {
    self.field = field
    self.value = value
    self.problem = problem
  }

  /// `sandbox: mounts[2].target "x": must be an absolute path`.
  public var description: String { "sandbox: \(field) \"\(value)\": \(problem)" }
}
