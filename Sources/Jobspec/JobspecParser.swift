public import Codec
public import HCL
internal import HCLSchema
public import Model

/// Reads jobspecs: HCL with variables and locals, and jobs in JSON.
public struct JobspecParser: Sendable {
  /// Values for the jobspec's variables, from the weakest source to the strongest.
  public var variables = VariableSources()
  /// What functions reach outside of the file; `FunctionHost()` disables `file` and its kin, as servers must.
  public var host: FunctionHost

  /// A parser without any values for variables.
  public init(host: FunctionHost) { self.host = host }

  /// The job in a jobspec.
  /// - Throws: `JobspecError` with everything that is wrong, each at its place.
  public func parse(_ source: SourceFile) throws(JobspecError) -> Job {
    let parsed = HCLParser.parse(source)
    if parsed.diagnostics.hasErrors { throw JobspecError(parsed.diagnostics, [source]) }
    var reading = Reading(parser: self, source: source)
    let object = reading.job(parsed.result)
    let errors = reading.diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty, let object else { throw JobspecError(reading.diagnostics, [source] + variables.sourceFiles) }
    do throws(CodecError) {
      return try JSON.decode(Job.self, from: JSON.encode(object))
    } catch {
      throw JobspecError(
        [Diagnostic(.error, "Unsuitable job", "\(error)", subject: parsed.result.range)], [source])
    }
  }

  /// The job in a JSON text: the API's `{"Job": {…}}`, or the job alone. Keys match without regard to case.
  public static func parseJSON(_ bytes: [UInt8]) throws(CodecError) -> Job {
    let value = try JSON.decode(JSONValue.self, from: bytes)
    if let object = value.objectValue, let key = object.keys.first(where: { $0.lowercased() == "job" }),
      let job = object[key], job.objectValue != nil
    {
      return try JSON.decode(Job.self, from: JSON.encode(job))
    }
    return try JSON.decode(Job.self, from: bytes)
  }
}

/// Everything wrong with a jobspec.
public struct JobspecError: Error, CustomStringConvertible {
  /// What is wrong, in source order; warnings come along.
  public let diagnostics: [Diagnostic]
  private let sources: [SourceFile]

  init(_ diagnostics: [Diagnostic], _ sources: [SourceFile]) {
    self.diagnostics = diagnostics
    self.sources = sources
  }

  /// One line an error: `file:line,column: summary; detail`.
  public var description: String {
    diagnostics.filter { $0.severity == .error }.map(\.description).joined(separator: "\n")
  }

  /// With the source line and a caret under each place, for a terminal.
  public var rendered: String { DiagnosticRenderer(sources).render(diagnostics) }
}

/// One jobspec being read.
private struct Reading {
  let parser: JobspecParser
  let source: SourceFile
  var diagnostics: [Diagnostic] = []

  mutating func job(_ body: Body) -> JSONObject? {
    let functions = StandardFunctions.table(host: parser.host)
    var declarations = VariableDeclarations()
    declarations.read(body, functions: functions)
    diagnostics += declarations.diagnostics
    var values = declarations.values(from: parser.variables, functions: functions, usedIn: body)
    diagnostics += values.diagnostics
    let locals = Locals(body, functions: functions, variables: values.object)
    diagnostics += locals.diagnostics
    let context = EvaluationContext(
      variables: ["var": values.object, "local": locals.object], functions: functions, unresolved: runtimeReference)
    values.checkRules(in: context)
    diagnostics += values.ruleDiagnostics

    for item in body.items { refuseUnexpected(item) }
    let jobs = body.blocks("job")
    guard let block = jobs.first else {
      diagnostics.append(
        Diagnostic(
          .error, "Missing job block", "A jobspec holds one job block: job \"name\" { … }", subject: body.endRange))
      return nil
    }
    for extra in jobs.dropFirst() {
      diagnostics.append(
        Diagnostic(
          .error, "Duplicate job block",
          "A jobspec holds only one job; another is on line \(block.headerRange.start.line).",
          subject: extra.headerRange))
    }
    // What an unset variable or a broken local makes of every place that uses it would only bury the cause.
    if diagnostics.hasErrors, values.hasUnset { return nil }
    let expanded = block.body.expandingDynamicBlocks(in: context)
    diagnostics += expanded.diagnostics
    var decoder = BodyDecoder(context: context)
    let object = decoder.object(expanded.result, schema: jobSchema, labels: .init(of: block))
    diagnostics += decoder.diagnostics
    diagnostics += DriverConfigCheck.diagnostics(expanded.result)
    return object
  }

  private mutating func refuseUnexpected(_ item: Body.Item) {
    let known = ["job", "variable", "variables", "locals"]
    switch item {
    case .attribute(let attribute):
      diagnostics.append(
        Diagnostic(
          .error, "Unsupported argument",
          "An argument named \"\(attribute.name)\" is not expected here: values of variables belong into a -var-file.",
          subject: attribute.nameRange))
    case .block(let block) where !known.contains(block.type):
      diagnostics.append(
        Diagnostic(
          .error, "Unsupported block type",
          "Blocks of type \"\(block.type)\" are not expected here."
            + Suggestion.sentence(for: block.type, among: known),
          subject: block.typeRange))
    case .block: break
    }
  }
}

/// References that only the node or the running task can resolve stay as the text they are: `${attr.kernel.name}`,
/// `${NOMAD_PORT_http}`. So does every root that the language does not define, unless it is a near miss of one that it does.
private func runtimeReference(_ traversal: Traversal) -> Value? {
  if ["vars", "locals", "variable"].contains(traversal.root) { return nil }
  return .string("${" + traversal.text + "}")
}
