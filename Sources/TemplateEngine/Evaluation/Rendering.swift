/// One execution of a template: its output so far, what it may still use, what it asked its host for.
///
/// Belongs to one thread and one rendering; functions reach it through their `TemplateCall`.
public final class Rendering {
  /// A value on its way through a pipeline.
  ///
  /// The language tells a value that was declared with its own type from one that sits in an untyped slot (an element of
  /// a mixed list or map): messages name the second `interface {}`, and a nil in such a slot is not the same as no value
  /// at all. `isBoxed` is that difference.
  struct Slot {
    var value: TemplateValue
    var isBoxed: Bool

    /// No value: what a missing key yields.
    static let absent = Slot(value: .nil, isBoxed: false)

    var isAbsent: Bool { !isBoxed && value.isNil }
    /// The same value, declared with its own type.
    var unboxed: Slot { Slot(value: value, isBoxed: false) }
    var type: ValueType { isBoxed ? .any : value.type }
  }

  /// How a statement ended.
  enum Flow { case normal, `break`, `continue` }

  /// The world as functions may see it.
  public let host: any TemplateHost
  /// What this rendering may use.
  public let limits: TemplateLimits
  /// Outside values that the template asked for.
  public private(set) var used: Set<TemplateDependency> = []
  /// Those of `used` that the host does not know yet.
  public private(set) var missing: Set<TemplateDependency> = []
  /// What the template keeps between calls of `scratch`.
  public let scratch = TemplateMap()

  let template: Template
  private(set) var output: [UInt8] = []
  private var steps = 0
  private var depth = 0
  var definition: Template.Definition?
  /// Where errors are.
  var at: (any Node)?
  var variables: [(name: ByteString, value: Slot)] = []

  init(_ template: Template, host: any TemplateHost, limits: TemplateLimits) {
    self.template = template
    self.host = host
    self.limits = limits
  }

  /// Renders into `output`, which on an error holds what came before it.
  func run(_ name: ByteString, _ data: TemplateValue) throws(TemplateError) {
    do {
      guard let definition = template.definitions[name] else {
        throw TemplateError.execution(
          "template: " + name + ": " + Quoting.quoted(name) + " is an incomplete or empty template")
      }
      self.definition = definition
      let dot = Slot(value: try data.resolved(), isBoxed: false)
      variables = [("$", dot)]
      _ = try walk(dot, definition.root)
    } catch let error as TemplateError {
      throw error
    } catch let exceeded as LimitExceeded {
      throw .limit(exceeded.limit, located(ByteString(exceeded.message)))
    } catch let failure as FunctionFailure {
      throw .execution(located(failure.message))
    } catch {
      throw .execution(located(ByteString("\(error)")))
    }
  }

  // MARK: Errors

  private func located(_ message: ByteString) -> ByteString {
    guard let definition, let at else { return "template: " + template.name + ": " + message }
    return "template: " + definition.source.location(of: at.position) + ": executing "
      + Quoting.quoted(definition.name) + " at <" + at.text + ">: " + message
  }

  /// The error that ends the rendering at the current node.
  func failure(_ message: ByteString) -> TemplateError { .execution(located(message)) }

  // MARK: Budget

  /// Counts work against the budget of steps.
  public func charge(_ count: Int = 1) throws {
    steps += count
    if steps > limits.steps { throw LimitExceeded.steps(limits.steps) }
  }

  /// Counts work on a text of that many bytes, and refuses one larger than the output may be.
  public func charge(bytes: Int) throws {
    if bytes > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
    try charge(bytes / 64)
  }

  /// Runs `body` one level deeper.
  func deeper<Result>(_ body: () throws -> Result) throws -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    return try body()
  }

  func write(_ bytes: [UInt8]) throws {
    if output.count + bytes.count > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
    output += bytes
  }

  // MARK: Dependencies

  /// The outside value, nil when the host does not know it yet; remembered as asked for.
  public func resolve(_ dependency: TemplateDependency) throws -> TemplateValue? {
    used.insert(dependency)
    let value = try host.value(of: dependency)
    if value == nil { missing.insert(dependency) }
    return value
  }

  /// Renders another template of the set over `data` and returns its text instead of printing it.
  func text(of name: ByteString, over data: TemplateValue) throws -> ByteString {
    guard let other = template.definitions[name] else {
      throw FunctionFailure("template " + Quoting.quoted(name) + " not defined")
    }
    let (outerOutput, outerVariables, outerDefinition, outerNode) = (output, variables, definition, at)
    output = []
    let dot = Slot(value: data, isBoxed: false)
    variables = [("$", dot)]
    definition = other
    _ = try deeper { try walk(dot, other.root) }
    let text = ByteString(bytes: output)
    (output, variables, definition, at) = (outerOutput, outerVariables, outerDefinition, outerNode)
    return text
  }
}

/// What a rendering produced and what it depends on.
public struct TemplateResult: Sendable {
  /// The text.
  public let output: ByteString
  /// Outside values that were asked for.
  public let used: Set<TemplateDependency>
  /// Those that the host did not know yet; where there are any, `output` is provisional.
  public let missing: Set<TemplateDependency>
}

extension Template {
  /// Renders as `render` does and tells which outside values went into the text.
  public func renderTracking(
    _ data: TemplateValue = .nil, name: ByteString? = nil, host: any TemplateHost,
    limits: TemplateLimits = TemplateLimits()
  ) throws(TemplateError) -> TemplateResult {
    let rendering = Rendering(self, host: host, limits: limits)
    try rendering.run(name ?? self.name, data)
    return TemplateResult(
      output: ByteString(bytes: rendering.output), used: rendering.used, missing: rendering.missing)
  }

  /// Renders and, where that fails, returns the error beside the text that came before it.
  public func renderPartially(
    _ data: TemplateValue, name: ByteString? = nil, host: any TemplateHost = EmptyHost(),
    limits: TemplateLimits = TemplateLimits()
  ) -> (output: ByteString, error: TemplateError?) {
    let rendering = Rendering(self, host: host, limits: limits)
    do {
      try rendering.run(name ?? self.name, data)
      return (ByteString(bytes: rendering.output), nil)
    } catch {
      return (ByteString(bytes: rendering.output), error)
    }
  }
}
