// Arithmetic; the piped value is the left operand. Integers give int64 or uint64, anything with a float gives a float.
extension FunctionSets {
  private enum Pair {
    case signed(Int64, Int64)
    case unsigned(UInt64, UInt64)
    case float(Double, Double)
  }

  private static func pair(_ call: TemplateCall) throws -> Pair {
    let (left, right) = (call.value(1), call.value(0))
    func isUnsigned(_ value: TemplateValue) -> Bool {
      if case .sized(let sized) = value { !sized.kind.isSigned } else { false }
    }
    for value in [right, left] {
      switch value {
      case .int, .sized, .float: break
      default:
        throw FunctionFailure(
          ByteString("\(call.name): unknown type for ") + Quoting.quoted(try call.textValue(value))
            + ByteString(" (\(value.type))"))
      }
    }
    if case .float = left { return .float(Conversions.float(left), Conversions.float(right)) }
    if case .float = right { return .float(Conversions.float(left), Conversions.float(right)) }
    if isUnsigned(left) && isUnsigned(right) {
      return .unsigned(
        UInt64(bitPattern: Conversions.int64(left)), UInt64(bitPattern: Conversions.int64(right)))
    }
    return .signed(Conversions.int64(left), Conversions.int64(right))
  }

  static func addArithmetic(_ table: inout FunctionTable) {
    func add(
      _ name: ByteString, _ signed: @escaping @Sendable (Int64, Int64) throws -> Int64,
      _ unsigned: @escaping @Sendable (UInt64, UInt64) throws -> UInt64,
      _ float: @escaping @Sendable (Double, Double) throws -> Double
    ) {
      table.add(name, [.any, .any]) { call in
        switch try pair(call) {
        case .signed(let left, let right): .int64(try signed(left, right))
        case .unsigned(let left, let right): .uint64(try unsigned(left, right))
        case .float(let left, let right): .float(try float(left, right))
        }
      }
    }
    let byZero = FunctionFailure("runtime error: integer divide by zero")
    add("add", { $0 &+ $1 }, { $0 &+ $1 }, { $0 + $1 })
    add("subtract", { $0 &- $1 }, { $0 &- $1 }, { $0 - $1 })
    add("multiply", { $0 &* $1 }, { $0 &* $1 }, { $0 * $1 })
    add(
      "divide",
      {
        if $1 == 0 { throw byZero }
        return $0.dividedReportingOverflow(by: $1).partialValue
      },
      {
        if $1 == 0 { throw byZero }
        return $0 / $1
      }, { $0 / $1 })
    add(
      "modulo",
      {
        if $1 == 0 { throw byZero }
        return $0.remainderReportingOverflow(dividingBy: $1).partialValue
      },
      {
        if $1 == 0 { throw byZero }
        return $0 % $1
      }, { _, _ in throw FunctionFailure("modulo: floats have no remainder here") })
    add("minimum", { min($0, $1) }, { min($0, $1) }, { min($0, $1) })
    add("maximum", { max($0, $1) }, { max($0, $1) }, { max($0, $1) })
  }
}
