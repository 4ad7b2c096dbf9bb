/// What an expression can refer to: variables, functions, and limits. Immutable; a child sees what its parent sees, and more.
public final class EvaluationContext: Sendable {
  /// Answers for a reference whose variable no context defines. Nil: it is an error.
  ///
  /// This is how references that only a running task can resolve stay in place. Nomad's jobspec leaves `${attr.kernel.name}`
  /// untouched, so the Jobspec module answers with that text:
  ///
  /// ```swift
  /// let runtimeRoots: Set = ["attr", "node", "meta", "env", "device"]
  /// let context = EvaluationContext(variables: …, unresolved: { traversal in
  ///   runtimeRoots.contains(traversal.root) || traversal.root.hasPrefix("NOMAD_")
  ///     ? .string("${" + traversal.text + "}") : nil
  /// })
  /// ```
  ///
  /// The answer stands for the whole reference with all its constant steps, inside and outside of templates:
  /// `"x-${attr.kernel.name}"` evaluates to the text `x-${attr.kernel.name}`.
  public typealias Unresolved = @Sendable (Traversal) -> Value?

  let variables: [String: Value]
  let functions: [String: Function]
  let unresolved: Unresolved?
  let parent: EvaluationContext?
  let limits: EvaluationLimits

  /// - Parameters:
  ///   - variables: root variables; nested names are objects, as in `["var": .object(["image": .string("redis")])]`.
  ///   - functions: by name; see `StandardFunctions`.
  public init(
    variables: [String: Value] = [:], functions: [String: Function] = [:], unresolved: Unresolved? = nil,
    limits: EvaluationLimits = EvaluationLimits()
  ) {
    self.variables = variables
    self.functions = functions
    self.unresolved = unresolved
    self.limits = limits
    parent = nil
  }

  private init(_ variables: [String: Value], _ parent: EvaluationContext) {
    self.variables = variables
    functions = [:]
    unresolved = nil
    limits = parent.limits
    self.parent = parent
  }

  /// A context that sees `variables` before those of this one.
  public func child(_ variables: [String: Value]) -> EvaluationContext {
    EvaluationContext(variables, self)
  }

  func variable(_ name: String) -> Value? {
    var context: EvaluationContext? = self
    while let current = context {
      if let value = current.variables[name] { return value }
      context = current.parent
    }
    return nil
  }

  var root: EvaluationContext {
    var context = self
    while let parent = context.parent { context = parent }
    return context
  }

  var variableNames: Set<String> {
    var names = Set<String>()
    var context: EvaluationContext? = self
    while let current = context {
      names.formUnion(current.variables.keys)
      context = current.parent
    }
    return names
  }
}

/// Bounds on what one evaluation may cost, so that a few lines from outside can't take a server's time or memory.
public struct EvaluationLimits: Sendable {
  /// Units of work: about one for each expression evaluated and each value looked at.
  public var work: Int
  /// The largest value, in values inside plus 1/16 of the bytes of text.
  public var valueWeight: Int

  /// By default far more than any job file needs and less than a second.
  public init(work: Int = 2_000_000, valueWeight: Int = 1_000_000) {
    self.work = work
    self.valueWeight = valueWeight
  }
}
