public import HCL

/// Where values of a jobspec's variables come from.
public struct VariableSources: Sendable {
  /// `NOMAD_VAR_name=value` of the environment, by name.
  public var environment: [String: String] = [:]
  /// Files of `name = value` lines (`-var-file`), in the order given.
  public var files: [SourceFile] = []
  /// `-var name=value`, in the order given; the strongest.
  public var flags: [(name: String, value: String)] = []
  /// Whether values for variables that the jobspec does not declare are refused.
  public var isStrict = true

  /// No values.
  public init() {}

  var sourceFiles: [SourceFile] { files }

  /// The assignments in an environment (`NOMAD_VAR_…`).
  public static func environment(_ variables: [String: String]) -> [String: String] {
    var found: [String: String] = [:]
    for (key, value) in variables where key.hasPrefix("NOMAD_VAR_") { found[String(key.dropFirst(10))] = value }
    return found
  }
}

/// The `variable` blocks of a jobspec.
struct VariableDeclarations {
  struct Declaration {
    let name: String
    let range: SourceRange
    var type: ValueType = .dynamic
    var hasType = false
    var defaultValue: Value?
    var rules: [Rule] = []
  }

  struct Rule {
    let condition: Expression
    let message: String
  }

  private(set) var diagnostics: [Diagnostic] = []
  private(set) var declarations: [Declaration] = []

  mutating func read(_ body: Body, functions: [String: Function]) {
    let context = EvaluationContext(functions: functions)
    for block in body.blocks("variable") {
      guard block.labels.count == 1 else {
        report(
          "Invalid variable block", "A variable block has one label, its name: variable \"name\" { … }",
          block.headerRange)
        continue
      }
      if declarations.contains(where: { $0.name == block.labels[0] }) {
        report("Duplicate variable", "The variable \"\(block.labels[0])\" is declared twice.", block.headerRange)
        continue
      }
      declarations.append(declaration(block, context))
    }
    // The older form: variables { name = default }
    for block in body.blocks("variables") {
      for attribute in block.body.attributes {
        var declaration = Declaration(name: attribute.name, range: attribute.nameRange)
        let evaluated = attribute.expression.evaluated(in: context)
        diagnostics += evaluated.diagnostics
        if !evaluated.diagnostics.hasErrors { declaration.defaultValue = evaluated.value }
        declarations.append(declaration)
      }
    }
  }

  private mutating func declaration(_ block: Block, _ context: EvaluationContext) -> Declaration {
    var result = Declaration(name: block.labels[0], range: block.headerRange)
    let known = ["type", "default", "description", "sensitive", "validation"]
    var defaultAttribute: HCL.Attribute?
    for item in block.body.items {
      switch item {
      case .attribute(let attribute):
        switch attribute.name {
        case "type":
          let parsed = TypeConstraint.parse(attribute.expression)
          diagnostics += parsed.diagnostics
          if let type = parsed.result {
            result.type = type
            result.hasType = true
          }
        case "default": defaultAttribute = attribute
        case "description", "sensitive": break
        default:
          report(
            "Unsupported argument",
            "A variable has no argument \"\(attribute.name)\"."
              + Suggestion.sentence(for: attribute.name, among: known),
            attribute.nameRange)
        }
      case .block(let inner) where inner.type == "validation": readRule(inner, context, into: &result)
      case .block(let inner):
        report(
          "Unsupported block type",
          "A variable has no block \"\(inner.type)\"." + Suggestion.sentence(for: inner.type, among: known),
          inner.typeRange)
      }
    }
    if let attribute = defaultAttribute {
      let evaluated = attribute.expression.evaluated(in: context)
      diagnostics += evaluated.diagnostics
      if !evaluated.diagnostics.hasErrors {
        do throws(Conversion.Failure) {
          result.defaultValue =
            evaluated.value.isNull ? evaluated.value : try Conversion.convert(evaluated.value, to: result.type)
        } catch {
          report(
            "Invalid default value for variable",
            "The default of \"\(result.name)\" does not fit its type: \(error.description).", attribute.expression.range
          )
        }
      }
    }
    return result
  }

  private mutating func readRule(_ block: Block, _ context: EvaluationContext, into declaration: inout Declaration) {
    guard let condition = block.body.attribute("condition"), let message = block.body.attribute("error_message") else {
      report("Invalid validation block", "A validation block has a condition and an error_message.", block.headerRange)
      return
    }
    let text = message.expression.evaluated(in: context)
    diagnostics += text.diagnostics
    declaration.rules.append(
      Rule(condition: condition.expression, message: text.value.asString ?? "The value is not allowed."))
  }

  /// The value of every variable: the default, then what each source says.
  /// - Parameter body: the jobspec, to know which variables are used: one that is neither set nor used is no mistake.
  func values(from sources: VariableSources, functions: [String: Function], usedIn body: Body) -> VariableValues {
    var values = VariableValues(declarations: declarations)
    for (name, text) in sources.environment.sorted(by: { $0.key < $1.key }) where values.isDeclared(name) {
      values.set(name, text: text, origin: "NOMAD_VAR_\(name)", functions)
    }
    for file in sources.files { values.read(file, isStrict: sources.isStrict, functions) }
    for flag in sources.flags {
      guard values.isDeclared(flag.name) else {
        if sources.isStrict { values.reportUndeclared(flag.name, origin: "-var") }
        continue
      }
      values.set(flag.name, text: flag.value, origin: "-var \(flag.name)", functions)
    }
    values.requireUsed(in: body)
    return values
  }

  private mutating func report(_ summary: String, _ detail: String, _ range: SourceRange) {
    diagnostics.append(Diagnostic(.error, summary, detail, subject: range))
  }
}

/// The variables of a jobspec with their values.
struct VariableValues {
  private(set) var diagnostics: [Diagnostic] = []
  private(set) var ruleDiagnostics: [Diagnostic] = []
  /// Whether a variable that is used has no value.
  private(set) var hasUnset = false
  private let declarations: [VariableDeclarations.Declaration]
  private var values: [String: Value] = [:]

  init(declarations: [VariableDeclarations.Declaration]) {
    self.declarations = declarations
    for declaration in declarations { values[declaration.name] = declaration.defaultValue }
  }

  /// All variables as the object that `var` is.
  var object: Value {
    var members = values
    for declaration in declarations where members[declaration.name] == nil {
      members[declaration.name] = .unknown(declaration.type)
    }
    return .object(members)
  }

  func isDeclared(_ name: String) -> Bool { declarations.contains { $0.name == name } }

  /// A value given as text: for a string variable the text itself, otherwise an HCL expression.
  mutating func set(_ name: String, text: String, origin: String, _ functions: [String: Function]) {
    guard let declaration = declarations.first(where: { $0.name == name }) else { return }
    if declaration.type == .string || !declaration.hasType, !looksLikeCollection(text) {
      assign(declaration, .string(text), origin, nil)
      return
    }
    let parsed = HCLParser.parseExpression(SourceFile(name: "<\(origin)>", text: text))
    guard let expression = parsed.result, !parsed.diagnostics.hasErrors else {
      diagnostics += parsed.diagnostics
      return
    }
    let evaluated = expression.evaluated(in: EvaluationContext(functions: functions))
    diagnostics += evaluated.diagnostics
    if !evaluated.diagnostics.hasErrors { assign(declaration, evaluated.value, origin, nil) }
  }

  private func looksLikeCollection(_ text: String) -> Bool { text.hasPrefix("[") || text.hasPrefix("{") }

  mutating func read(_ file: SourceFile, isStrict: Bool, _ functions: [String: Function]) {
    let isJSON = file.name.hasSuffix(".json") || file.bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{")
    let parsed = isJSON ? HCLParser.parseJSON(file) : HCLParser.parse(file)
    diagnostics += parsed.diagnostics
    let context = EvaluationContext(functions: functions)
    for block in parsed.result.blocks {
      diagnostics.append(
        Diagnostic(
          .error, "Unexpected block", "A file of variables holds only name = value lines.", subject: block.headerRange))
    }
    for attribute in parsed.result.attributes {
      guard let declaration = declarations.first(where: { $0.name == attribute.name }) else {
        if isStrict { reportUndeclared(attribute.name, origin: file.name, attribute.nameRange) }
        continue
      }
      let evaluated = attribute.expression.evaluated(in: context)
      diagnostics += evaluated.diagnostics
      if !evaluated.diagnostics.hasErrors {
        assign(declaration, evaluated.value, file.name, attribute.expression.range)
      }
    }
  }

  private mutating func assign(
    _ declaration: VariableDeclarations.Declaration, _ value: Value, _ origin: String, _ range: SourceRange?
  ) {
    do throws(Conversion.Failure) {
      values[declaration.name] = value.isNull ? value : try Conversion.convert(value, to: declaration.type)
    } catch {
      diagnostics.append(
        Diagnostic(
          .error, "Invalid value for variable",
          "The value that \(origin) gives for \"\(declaration.name)\" does not fit its type: \(error.description).",
          subject: range ?? declaration.range))
    }
  }

  mutating func reportUndeclared(_ name: String, origin: String, _ range: SourceRange? = nil) {
    diagnostics.append(
      Diagnostic(
        .error, "Undefined variable",
        "\(origin) sets \"\(name)\", but the jobspec declares no such variable."
          + Suggestion.sentence(for: name, among: declarations.map(\.name)), subject: range))
  }

  /// A variable that the jobspec uses must have a value.
  mutating func requireUsed(in body: Body) {
    let used = Self.variablesUsed(in: body)
    for declaration in declarations where values[declaration.name] == nil && used.contains(declaration.name) {
      hasUnset = true
      diagnostics.append(
        Diagnostic(
          .error, "Unset variable \"\(declaration.name)\"",
          "The variable has no default: set it with -var '\(declaration.name)=…', in a -var-file, or as NOMAD_VAR_\(declaration.name).",
          subject: declaration.range))
    }
  }

  private static func variablesUsed(in body: Body) -> Set<String> {
    var names: Set<String> = []
    for item in body.items {
      switch item {
      case .attribute(let attribute):
        for traversal in attribute.expression.variables where traversal.root == "var" {
          if case .attribute(let name)? = traversal.steps.first?.kind { names.insert(name) }
        }
      case .block(let block): names.formUnion(variablesUsed(in: block.body))
      }
    }
    return names
  }

  /// Checks the `validation` blocks, which see every variable.
  mutating func checkRules(in context: EvaluationContext) {
    for declaration in declarations where values[declaration.name] != nil {
      for rule in declaration.rules {
        let evaluated = rule.condition.evaluated(in: context)
        ruleDiagnostics += evaluated.diagnostics
        if !evaluated.diagnostics.hasErrors, evaluated.value != .true {
          ruleDiagnostics.append(
            Diagnostic(
              .error, "Invalid value for variable \"\(declaration.name)\"", rule.message, subject: rule.condition.range)
          )
        }
      }
    }
  }
}
