// Function calls: arguments, their conversion, and the functions that take expressions rather than values.

extension Evaluator {
  func call(_ call: Expression.Call, _ whole: Expression, _ scope: EvaluationContext) -> Value {
    guard let function = functions[call.name] else {
      return fail(
        "Call to unknown function",
        "There is no function \"\(call.name)\"." + Suggestion.sentence(for: call.name, among: functions.keys),
        call.nameRange,
        context: whole.range)
    }
    switch function.implementation {
    case .attempt: return attemptFirst(call, whole, scope)
    case .can:
      guard call.arguments.count == 1, !call.expandsLast else { return wrongCount(call, "exactly one argument", whole) }
      guard let value = attempt(call.arguments[0], scope) else { return .false }
      return value.isWhollyKnown ? .true : .unknown(.bool)
    case .convert: return convertCall(call, whole, scope)
    case .ordinary(let signature): return ordinary(call, signature, whole, scope)
    }
  }

  private func wrongCount(_ call: Expression.Call, _ wanted: String, _ whole: Expression) -> Value {
    fail(
      "Wrong number of arguments", "The function \"\(call.name)\" takes \(wanted).", call.argumentsRange,
      context: whole.range)
  }

  private func attemptFirst(_ call: Expression.Call, _ whole: Expression, _ scope: EvaluationContext) -> Value {
    guard !call.arguments.isEmpty, !call.expandsLast else { return wrongCount(call, "one argument or more", whole) }
    for argument in call.arguments {
      if let value = attempt(argument, scope) { return value.isWhollyKnown ? value : .dynamic }
    }
    return fail(
      "Error in function call", "\"\(call.name)\": none of its arguments evaluates without an error.", whole.range)
  }

  private func convertCall(_ call: Expression.Call, _ whole: Expression, _ scope: EvaluationContext) -> Value {
    guard call.arguments.count == 2, !call.expandsLast else {
      return wrongCount(call, "two arguments: a value and a type", whole)
    }
    let before = diagnostics.count
    let value = evaluate(call.arguments[0], scope)
    if diagnostics.count > before { return .dynamic }
    let type = TypeConstraint.parse(call.arguments[1])
    diagnostics += type.diagnostics
    guard let wanted = type.result, spend(value.weight, whole.range) else { return .dynamic }
    do throws(Conversion.Failure) {
      return try Conversion.convert(value, to: wanted)
    } catch {
      return fail(
        "Invalid function argument", "The value does not convert: \(error.description).", call.arguments[0].range)
    }
  }

  private func ordinary(
    _ call: Expression.Call, _ signature: Function.Signature, _ whole: Expression, _ scope: EvaluationContext
  ) -> Value {
    var arguments: [Value] = []
    var ranges: [SourceRange] = []
    let errorsBefore = diagnostics.count
    for (i, argument) in call.arguments.enumerated() {
      let value = evaluate(argument, scope)
      guard call.expandsLast, i == call.arguments.count - 1 else {
        arguments.append(value)
        ranges.append(argument.range)
        continue
      }
      if value.isNull {
        return fail(
          "Invalid expanding argument value", "The value before \"...\" must not be null.", argument.range,
          context: whole.range)
      }
      switch value.type {
      case .list, .set, .tuple: break
      case .dynamic: return .dynamic
      default:
        return fail(
          "Invalid expanding argument value",
          "The value before \"...\" must be a list, a set or a tuple, not \(value.type.friendlyName).",
          argument.range, context: whole.range)
      }
      guard let elements = value.asSequence else { return .dynamic }
      arguments += elements
      ranges += Array(repeating: argument.range, count: elements.count)
    }
    let required = signature.parameters.count
    if arguments.count < required || (signature.variadic == nil && arguments.count > required) {
      let wanted = signature.variadic == nil ? "\(required)" : "\(required) or more"
      let missing = arguments.count < required ? "; \"\(signature.parameters[arguments.count].name)\" is missing" : ""
      return fail(
        arguments.count < required ? "Not enough function arguments" : "Too many function arguments",
        "The function \"\(call.name)\" takes \(wanted) arguments, not \(arguments.count)\(missing).",
        arguments.count > required ? ranges[required] : call.argumentsRange, context: whole.range)
    }
    var unknown = false
    for i in arguments.indices {
      guard let parameter = i < required ? signature.parameters[i] : signature.variadic else { continue }
      if case .dynamic = arguments[i].type, !arguments[i].isKnown, !parameter.allowsUnknown {
        unknown = true
        continue
      }
      if arguments[i].isNull, !parameter.allowsNull {
        return fail(
          "Invalid function argument", "\"\(parameter.name)\" of \"\(call.name)\" must not be null.", ranges[i],
          context: whole.range)
      }
      do throws(Conversion.Failure) {
        arguments[i] = try Conversion.convert(arguments[i], to: parameter.type)
      } catch {
        return fail(
          "Invalid function argument", "\"\(parameter.name)\" of \"\(call.name)\": \(error.description).", ranges[i],
          context: whole.range)
      }
      guard spend(arguments[i].weight, whole.range) else { return .dynamic }
      if !parameter.allowsUnknown, !arguments[i].isWhollyKnown { unknown = true }
    }
    if diagnostics.count > errorsBefore { return .dynamic }
    if unknown { return .unknown(signature.result) }
    do throws(FunctionFailure) {
      let room = FunctionRoom(limits.valueWeight)
      let value = try signature.body(arguments, room)
      guard spend(value.weight, whole.range) else { return .dynamic }
      return checked(value, whole.range)
    } catch {
      let place = error.argument.flatMap { $0 < ranges.count ? ranges[$0] : nil }
      return fail(
        place == nil ? "Error in function call" : "Invalid function argument", "\"\(call.name)\": \(error.message).",
        place ?? whole.range,
        context: whole.range)
    }
  }
}
