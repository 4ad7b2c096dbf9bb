/// The result of an evaluation. Where there are errors, the value is unknown in the places concerned.
public struct Evaluated: Sendable {
  /// The value; unknown where evaluation failed.
  public var value: Value
  /// Everything that went wrong.
  public var diagnostics: [Diagnostic]
}

extension Expression {
  /// Evaluates, collecting all errors.
  public func evaluated(in context: EvaluationContext) -> Evaluated {
    let evaluator = Evaluator(context)
    let value = evaluator.evaluate(self, context)
    return Evaluated(value: value, diagnostics: evaluator.diagnostics)
  }

  /// Evaluates, or throws all errors.
  public func evaluate(in context: EvaluationContext) throws(Diagnostics) -> Value {
    let result = evaluated(in: context)
    if result.diagnostics.hasErrors { throw Diagnostics(result.diagnostics) }
    return result.value
  }

  /// Evaluates and converts to `type`, or throws all errors.
  public func evaluate(in context: EvaluationContext, as type: ValueType) throws(Diagnostics) -> Value {
    let value = try evaluate(in: context)
    do throws(Conversion.Failure) {
      return try Conversion.convert(value, to: type)
    } catch {
      throw Diagnostics([
        Diagnostic(.error, "Incorrect value type", "Inappropriate value: \(error.description).", subject: range)
      ])
    }
  }
}

/// One evaluation: walks the tree, keeps the diagnostics and the budget. Recursion is bounded by `HCLParser.maximumDepth`.
final class Evaluator {
  var diagnostics: [Diagnostic] = []
  let limits: EvaluationLimits
  let functions: [String: Function]
  private let unresolved: EvaluationContext.Unresolved?
  private var work = 0
  var exhausted = false
  /// The elements that enclosing splats are at, innermost last.
  private var splatElements: [Value] = []

  init(_ context: EvaluationContext) {
    let root = context.root
    limits = root.limits
    functions = root.functions
    unresolved = root.unresolved
  }

  // MARK: Diagnostics and budget

  func fail(_ summary: String, _ detail: String, _ range: SourceRange, context: SourceRange? = nil) -> Value {
    if diagnostics.count < HCLParser.maximumDiagnostics {
      diagnostics.append(Diagnostic(.error, summary, detail, subject: range, context: context))
    }
    return .dynamic
  }

  /// Takes from the budget; false once it is used up.
  func spend(_ amount: Int, _ range: SourceRange) -> Bool {
    work = work.saturatingAdd(amount)
    if work <= limits.work { return true }
    if !exhausted {
      exhausted = true
      _ = fail(
        "Expression too costly", "Evaluating this takes more than the \(limits.work) steps that one expression may.",
        range)
    }
    return false
  }

  func checked(_ value: Value, _ range: SourceRange) -> Value {
    if value.weight <= limits.valueWeight { return value }
    return fail(
      "Value too large", "The result would hold more than the \(limits.valueWeight) values that one may.", range)
  }

  /// Evaluates without keeping diagnostics; nil on errors.
  func attempt(_ expression: Expression, _ scope: EvaluationContext) -> Value? {
    let before = diagnostics.count
    let depth = splatElements.count
    let value = evaluate(expression, scope)
    let failed = diagnostics.count > before && diagnostics[before...].hasErrors
    // Running out of budget can't be caught: all that follows would fail the same way.
    if failed, !exhausted { diagnostics.removeSubrange(before...) }
    splatElements.removeLast(splatElements.count - depth)
    return failed ? nil : value
  }

  // MARK: The walk

  func evaluate(_ expression: Expression, _ scope: EvaluationContext) -> Value {
    guard spend(1, expression.range) else { return .dynamic }
    switch expression.kind {
    case .literal(let value): return value
    case .traversal(let traversal): return reference(traversal, scope)
    case .relativeTraversal(let base, let steps): return take(steps[...], evaluate(base, scope))
    case .index(let base, let key): return index(base, key, expression, scope)
    case .splat(let source, let each): return splat(source, each, scope)
    case .splatElement: return splatElements.last ?? .dynamic
    case .call(let call): return self.call(call, expression, scope)
    case .conditional(let condition, let then, let otherwise):
      return conditional(condition, then, otherwise, expression, scope)
    case .binary(let op, let left, let right, _): return binary(op, left, right, expression, scope)
    case .unary(let op, let operand): return unary(op, operand, expression, scope)
    case .tuple(let elements): return checked(.tuple(elements.map { evaluate($0, scope) }), expression.range)
    case .object(let items): return object(items, expression, scope)
    case .forTuple(let clause, let value): return forTuple(clause, value, expression, scope)
    case .forObject(let clause, let key, let value, let grouped):
      return forObject(clause, key, value, grouped, expression, scope)
    case .template(let parts): return template(parts, expression, scope)
    case .templateWrap(let inner), .parenthesized(let inner): return evaluate(inner, scope)
    case .templateFor(let clause, let body): return templateFor(clause, body, expression, scope)
    case .scoped(let inner, let variables): return evaluate(inner, scope.child(variables))
    }
  }

  // MARK: References

  private func reference(_ traversal: Traversal, _ scope: EvaluationContext) -> Value {
    if let value = scope.variable(traversal.root) { return take(traversal.steps[...], value) }
    if let value = unresolved?(traversal) { return value }
    let hint = Suggestion.sentence(for: traversal.root, among: scope.variableNames)
    return fail(
      "Unknown variable", "Nothing here is named \"\(traversal.root)\".\(hint)", traversal.rootRange,
      context: traversal.range)
  }

  private func take(_ steps: ArraySlice<Traversal.Step>, _ start: Value) -> Value {
    var value = start
    for step in steps {
      do throws(Access.Failure) {
        switch step.kind {
        case .attribute(let name): value = try Access.attribute(name, of: value)
        case .index(let key): value = try Access.element(key, of: value)
        }
      } catch {
        return fail(error.summary, error.detail, step.range)
      }
    }
    return value
  }

  private func index(_ base: Expression, _ key: Expression, _ whole: Expression, _ scope: EvaluationContext) -> Value {
    let collection = evaluate(base, scope)
    let before = diagnostics.count
    let keyValue = evaluate(key, scope)
    if diagnostics.count > before { return .dynamic }
    do throws(Access.Failure) {
      return try Access.element(keyValue, of: collection)
    } catch {
      return fail(error.summary, error.detail, key.range, context: whole.range)
    }
  }

  private func splat(_ source: Expression, _ each: Expression, _ scope: EvaluationContext) -> Value {
    let value = evaluate(source, scope)
    if value.isNull {
      if case .list = value.type {
        return fail("Splat of null value", "The list is null, so there are no elements to go over.", source.range)
      }
      if case .set = value.type {
        return fail("Splat of null value", "The set is null, so there are no elements to go over.", source.range)
      }
      return .tuple([])
    }
    if case .dynamic = value.type { return .dynamic }
    let elements: [Value]
    var isCollection = false
    switch value.type {
    case .list, .set, .tuple:
      if case .tuple = value.type {} else { isCollection = true }
      guard let known = value.asSequence else { return .dynamic }
      elements = known
    default: elements = [value]
    }
    var results: [Value] = []
    results.reserveCapacity(elements.count)
    for element in elements {
      splatElements.append(element)
      results.append(evaluate(each, scope))
      splatElements.removeLast()
      if exhausted { return .dynamic }
    }
    if isCollection {
      if let type = results.first?.type, results.allSatisfy({ $0.type == type }) {
        return .list(results, of: type)
      }
      if results.isEmpty {
        // What the elements would be like: try one that is unknown.
        splatElements.append(.unknown(value.type.element ?? .dynamic))
        let type = attempt(each, scope)?.type ?? .dynamic
        splatElements.removeLast()
        return .list([], of: type)
      }
    }
    return .tuple(results)
  }

  // MARK: Operators

  private func unary(_ op: UnaryOperator, _ operand: Expression, _ whole: Expression, _ scope: EvaluationContext)
    -> Value
  {
    let value = evaluate(operand, scope)
    guard let converted = convertOperand(value, op == .not ? .bool : .number, operand, "operand") else {
      return .unknown(op == .not ? .bool : .number)
    }
    if !converted.isKnown { return converted }
    switch op {
    case .negate: return converted.asNumber.map { .number($0.negated) } ?? .dynamic
    case .not: return converted.asBool.map { .bool(!$0) } ?? .dynamic
    }
  }

  private func binary(
    _ op: BinaryOperator, _ left: Expression, _ right: Expression, _ whole: Expression, _ scope: EvaluationContext
  ) -> Value {
    let a = evaluate(left, scope)
    let b = evaluate(right, scope)
    switch op {
    case .equal, .notEqual:
      guard spend(min(a.weight, b.weight), whole.range) else { return .dynamic }
      guard let equal = Operators.equal(a, b) else { return .unknown(.bool) }
      return .bool(equal == (op == .equal))
    case .and, .or:
      guard let x = convertOperand(a, .bool, left, "left operand"),
        let y = convertOperand(b, .bool, right, "right operand")
      else { return .unknown(.bool) }
      guard let p = x.asBool, let q = y.asBool else { return .unknown(.bool) }
      return .bool(op == .and ? p && q : p || q)
    default:
      let isArithmetic = [.add, .subtract, .multiply, .divide, .modulo].contains(op)
      guard let x = convertOperand(a, .number, left, "left operand"),
        let y = convertOperand(b, .number, right, "right operand"),
        let p = x.asNumber, let q = y.asNumber
      else { return .unknown(isArithmetic ? .number : .bool) }
      return arithmetic(op, p, q, right, whole)
    }
  }

  private func arithmetic(_ op: BinaryOperator, _ a: Number, _ b: Number, _ right: Expression, _ whole: Expression)
    -> Value
  {
    let result: Number?
    switch op {
    case .less: return .bool(a < b)
    case .lessOrEqual: return .bool(a <= b)
    case .greater: return .bool(a > b)
    case .greaterOrEqual: return .bool(a >= b)
    case .add: result = a + b
    case .subtract: result = a - b
    case .multiply: result = a * b
    case .divide: result = a / b
    case .modulo: result = a % b
    default: result = nil
    }
    guard let result else {
      _ =
        b.isZero
        ? fail(
          "Division by zero", "The right operand is zero, and nothing can be divided by that.", right.range,
          context: whole.range)
        : fail("Operation failed", "These numbers have no such result.", whole.range)
      return .unknown(.number)
    }
    guard result.isInRange else {
      _ = fail("Number out of range", "The result is larger or smaller than numbers can be here.", whole.range)
      return .unknown(.number)
    }
    return .number(result)
  }

  private func convertOperand(_ value: Value, _ type: ValueType, _ expression: Expression, _ what: String) -> Value? {
    do throws(Conversion.Failure) {
      let converted = try Conversion.convert(value, to: type)
      if converted.isNull {
        _ = fail(
          "Operation failed", "The \(what) is null; the operator needs a \(type.friendlyName).", expression.range)
        return nil
      }
      return converted
    } catch {
      _ = fail("Invalid operand", "The \(what) does not fit: \(error.description).", expression.range)
      return nil
    }
  }

  private func conditional(
    _ condition: Expression, _ then: Expression, _ otherwise: Expression, _ whole: Expression,
    _ scope: EvaluationContext
  ) -> Value {
    let test = evaluate(condition, scope)
    // Both sides are evaluated, because the type of the result depends on both; errors count on the chosen side only.
    let before = diagnostics.count
    let yes = evaluate(then, scope)
    let yesDiagnostics = Array(diagnostics[before...])
    diagnostics.removeSubrange(before...)
    let no = evaluate(otherwise, scope)
    let noDiagnostics = Array(diagnostics[before...])
    diagnostics.removeSubrange(before...)
    if exhausted { diagnostics += yesDiagnostics + noDiagnostics }
    let type: ValueType
    let nullLiteral = Value.null()
    if yes == nullLiteral {
      type = no.type
    } else if no == nullLiteral {
      type = yes.type
    } else if yes.type == .dynamic || no.type == .dynamic {
      type = .dynamic
    } else if let unified = Unification.unify([yes.type, no.type], unsafe: true) {
      type = unified
    } else {
      return fail(
        "Inconsistent conditional result types",
        "Both results must be of types that convert to one: the first is \(yes.type.friendlyName), the second is "
          + "\(no.type.friendlyName).", .between(then.range, otherwise.range), context: whole.range)
    }
    if test.isNull {
      _ = fail(
        "Null condition", "The condition is null. A conditional needs true or false.", condition.range,
        context: whole.range)
      return .unknown(type)
    }
    guard let decided = try? Conversion.convert(test, to: .bool) else {
      _ = fail(
        "Incorrect condition type", "The condition must be true or false, not \(test.type.friendlyName).",
        condition.range,
        context: whole.range)
      return .unknown(type)
    }
    guard let choice = decided.asBool else { return .unknown(type) }
    if !exhausted { diagnostics += choice ? yesDiagnostics : noDiagnostics }
    let chosen = choice ? yes : no
    guard spend(chosen.weight, whole.range) else { return .dynamic }
    do throws(Conversion.Failure) {
      return try Conversion.convert(chosen, to: type)
    } catch {
      return fail(
        "Inconsistent conditional result types",
        "The chosen result does not convert to the type of both: \(error.description).",
        choice ? then.range : otherwise.range, context: whole.range)
    }
  }

  // MARK: Collections

  private func object(_ items: [Expression.ObjectItem], _ whole: Expression, _ scope: EvaluationContext) -> Value {
    var out: [String: Value] = [:]
    var known = true
    for item in items {
      let value = evaluate(item.value, scope)
      if let name = item.bareName {
        out[Value.string(name).asString ?? name] = value
        continue
      }
      if case .traversal(let traversal) = item.key.kind, !traversal.steps.isEmpty {
        _ = fail(
          "Ambiguous attribute key",
          "A reference as a key must be in parentheses. For a name with dots in it, write it in quotes.", item.key.range
        )
        known = false
        continue
      }
      switch key(evaluate(item.key, scope), item.key) {
      case .some(let name): out[name] = value
      case .none: known = false
      }
    }
    return known ? checked(.object(out), whole.range) : .dynamic
  }

  /// The text of a key; nil when it is unknown, or wrong and reported.
  private func key(_ value: Value, _ expression: Expression) -> String? {
    if value.isNull {
      _ = fail("Null value as key", "A key can't be null.", expression.range)
      return nil
    }
    do throws(Conversion.Failure) {
      return try Conversion.convert(value, to: .string).asString
    } catch {
      _ = fail(
        "Incorrect key type", "A key must be a string, a number or a bool, not \(value.type.friendlyName).",
        expression.range)
      return nil
    }
  }

  /// Runs `body` for every element that the clause lets through, in a scope with its variables. False when the collection, a
  /// condition or a body is unknown or wrong.
  private func forEach(
    _ clause: Expression.ForClause, _ scope: EvaluationContext, _ body: (EvaluationContext) -> Bool
  ) -> Bool {
    let collection = evaluate(clause.collection, scope)
    if collection.isNull {
      _ = fail("Iteration over null value", "A null value has no elements to go over.", clause.collection.range)
      return false
    }
    if case .dynamic = collection.type { return false }
    guard collection.canIterate else {
      _ = fail(
        "Iteration over non-iterable value",
        "A list, set, map, tuple or object is needed here, not \(collection.type.friendlyName).",
        clause.collection.range)
      return false
    }
    if let condition = clause.condition, !checkCondition(clause, condition, scope) { return false }
    guard let elements = collection.elements else { return false }
    var complete = true
    var failed = false
    for (key, value) in elements {
      var variables = [clause.valueVariable: value]
      if let keyVariable = clause.keyVariable { variables[keyVariable] = key }
      if clause.keyVariable == clause.valueVariable { variables[clause.valueVariable] = value }
      let inner = scope.child(variables)
      if let condition = clause.condition {
        let before = diagnostics.count
        let test = evaluate(condition, inner)
        if test.isNull {
          _ = fail("Condition is null", "The \"if\" of a \"for\" must be true or false.", condition.range)
          return false
        }
        guard let decided = try? Conversion.convert(test, to: .bool) else {
          _ = fail(
            "Invalid 'for' condition", "The \"if\" of a \"for\" must be true or false, not \(test.type.friendlyName).",
            condition.range)
          return false
        }
        if diagnostics.count > before { return false }
        guard let include = decided.asBool else {
          complete = false
          continue
        }
        if !include { continue }
      }
      let before = diagnostics.count
      if !body(inner) { complete = false }
      if exhausted { return false }
      // The same mistake for every element is one mistake.
      if failed { diagnostics.removeSubrange(before...) }
      if diagnostics.count > before { failed = true }
    }
    return complete
  }

  /// Evaluates the condition with unknown elements, which finds mistakes that do not depend on them: once, and also when there
  /// are no elements.
  private func checkCondition(_ clause: Expression.ForClause, _ condition: Expression, _ scope: EvaluationContext)
    -> Bool
  {
    var variables = [clause.valueVariable: Value.dynamic]
    if let keyVariable = clause.keyVariable { variables[keyVariable] = .dynamic }
    let before = diagnostics.count
    let test = evaluate(condition, scope.child(variables))
    if diagnostics.count > before { return false }
    if (try? Conversion.convert(test, to: .bool)) == nil {
      _ = fail(
        "Invalid 'for' condition", "The \"if\" of a \"for\" must be true or false, not \(test.type.friendlyName).",
        condition.range)
      return false
    }
    return true
  }

  private func forTuple(
    _ clause: Expression.ForClause, _ value: Expression, _ whole: Expression, _ scope: EvaluationContext
  ) -> Value {
    var out: [Value] = []
    let complete = forEach(clause, scope) { inner in
      out.append(evaluate(value, inner))
      return true
    }
    return complete ? checked(.tuple(out), whole.range) : .dynamic
  }

  private func forObject(
    _ clause: Expression.ForClause, _ keyExpression: Expression, _ value: Expression, _ grouped: Bool,
    _ whole: Expression,
    _ scope: EvaluationContext
  ) -> Value {
    var single: [String: Value] = [:]
    var groups: [String: [Value]] = [:]
    let complete = forEach(clause, scope) { inner in
      guard let name = key(evaluate(keyExpression, inner), keyExpression) else { return false }
      let result = evaluate(value, inner)
      if grouped {
        groups[name, default: []].append(result)
      } else if single.updateValue(result, forKey: name) != nil {
        _ = fail(
          "Duplicate object key",
          "Two elements give the key \"\(name)\". If that is meant, write \"...\" after the value: values of one key are then "
            + "gathered in a list.", keyExpression.range)
      }
      return true
    }
    guard complete else { return .dynamic }
    return checked(.object(grouped ? groups.mapValues { .tuple($0) } : single), whole.range)
  }

  // MARK: Templates

  private func template(_ parts: [Expression], _ whole: Expression, _ scope: EvaluationContext) -> Value {
    var text = ""
    var known = true
    for part in parts {
      let value = evaluate(part, scope)
      if value.isNull {
        _ = fail(
          "Invalid template interpolation value", "The value is null, and a null value has no text.", part.range,
          context: whole.range)
        known = false
        continue
      }
      guard let converted = try? Conversion.convert(value, to: .string) else {
        _ = fail(
          "Invalid template interpolation value",
          "Only strings, numbers and bools have a text, not \(value.type.friendlyName). jsonencode can make one of anything.",
          part.range,
          context: whole.range)
        known = false
        continue
      }
      guard let string = converted.asString else {
        known = false
        continue
      }
      guard spend(string.utf8.count / 64, part.range) else { return .dynamic }
      text += string
    }
    return known ? checked(.string(text), whole.range) : .unknown(.string)
  }

  private func templateFor(
    _ clause: Expression.ForClause, _ body: Expression, _ whole: Expression, _ scope: EvaluationContext
  ) -> Value {
    var text = ""
    let complete = forEach(clause, scope) { inner in
      guard let string = evaluate(body, inner).asString, spend(string.utf8.count / 64, body.range) else { return false }
      text += string
      return text.utf8.count / 16 <= limits.valueWeight
    }
    return complete ? checked(.string(text), whole.range) : .unknown(.string)
  }
}
