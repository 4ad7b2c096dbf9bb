/// Why a template could not be parsed or rendered.
public enum TemplateError: Error, Sendable, Equatable {
  /// The template's text is wrong: `template: NAME:LINE: …`.
  case syntax(ByteString)
  /// Rendering failed: `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`.
  case execution(ByteString)
  /// Rendering was stopped because it would exceed one of `TemplateLimits`.
  case limit(TemplateLimit, ByteString)

  /// The message in the shape that users of the language know.
  public var message: ByteString {
    switch self {
    case .syntax(let message), .execution(let message), .limit(_, let message): message
    }
  }
}

extension TemplateError: CustomStringConvertible {
  /// The message.
  public var description: String { message.description }
}

/// Which limit a rendering ran into.
public enum TemplateLimit: String, Sendable {
  /// `TemplateLimits.steps`.
  case steps
  /// `TemplateLimits.outputBytes`.
  case output
  /// `TemplateLimits.depth`.
  case depth
}

/// How much one rendering may use. A template comes from a job's author and may be wrong or hostile.
public struct TemplateLimits: Sendable {
  /// Evaluated nodes, loop rounds and units of work inside functions (roughly one for 64 bytes handled). Each costs
  /// well under a microsecond in an optimised build.
  public var steps: Int
  /// Bytes of output, and of any one string that a function makes.
  public var outputBytes: Int
  /// Nesting of actions and template calls while rendering, and of values that are printed, compared or encoded. The
  /// default needs a stack of 2 MB in a debug build; set less where a thread has less.
  public var depth: Int

  /// Limits; the defaults suit configuration files.
  public init(steps: Int = 10_000_000, outputBytes: Int = 32 << 20, depth: Int = 500) {
    self.steps = steps
    self.outputBytes = outputBytes
    self.depth = depth
  }
}

/// Thrown inside the engine where a limit is met; becomes `TemplateError.limit` with the place.
struct LimitExceeded: Error {
  let limit: TemplateLimit
  let message: String

  static func steps(_ limit: Int) -> LimitExceeded {
    LimitExceeded(limit: .steps, message: "exceeded the budget of \(limit) steps")
  }

  static func output(_ limit: Int) -> LimitExceeded {
    LimitExceeded(limit: .output, message: "exceeded the output limit of \(limit) bytes")
  }

  static func depth(_ limit: Int) -> LimitExceeded {
    LimitExceeded(limit: .depth, message: "exceeded maximum nesting depth (\(limit))")
  }
}
