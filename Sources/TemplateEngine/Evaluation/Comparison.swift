/// `eq`, `lt` and their relatives: values of one kind compare, others are an error rather than false.
enum Comparison {
  private enum Kind { case bool, complex, integer, unsigned, float, string }

  private static func kind(_ value: TemplateValue) -> Kind? {
    switch value {
    case .bool: .bool
    case .complex: .complex
    case .int: .integer
    case .sized(let sized): sized.kind.isSigned ? .integer : .unsigned
    case .float: .float
    case .string: .string
    default: nil
    }
  }

  private static func bits(_ value: TemplateValue) -> UInt64 {
    switch value {
    case .int(let int): UInt64(bitPattern: Int64(int))
    case .sized(let sized): sized.bits
    default: 0
    }
  }

  private static let badType = FunctionFailure("invalid type for comparison")
  private static let incompatible = FunctionFailure("incompatible types for comparison")

  /// Whether `left` equals one of `others`.
  static func isEqual(_ left: Rendering.Slot, _ others: [Rendering.Slot], _ limits: TemplateLimits) throws -> Bool {
    guard !others.isEmpty else { throw FunctionFailure("missing argument for comparison") }
    for other in others where try isEqual(left.value, other.value, limits) { return true }
    return false
  }

  private static func isEqual(_ left: TemplateValue, _ right: TemplateValue, _ limits: TemplateLimits) throws -> Bool {
    let (leftKind, rightKind) = (kind(left), kind(right))
    guard leftKind == rightKind else {
      switch (leftKind, rightKind) {
      case (.integer, .unsigned), (.unsigned, .integer):
        // Whatever has the top bit set is negative on one side and huge on the other.
        return bits(left) == bits(right) && Int64(bitPattern: bits(left)) >= 0
      default:
        if left.isNil || right.isNil { return false }
        throw incompatible
      }
    }
    switch (left, right) {
    case (.bool(let first), .bool(let second)): return first == second
    case (.complex(let real, let imaginary), .complex(let otherReal, let otherImaginary)):
      return real == otherReal && imaginary == otherImaginary
    case (.float(let first), .float(let second)): return first == second
    case (.string(let first), .string(let second)): return first == second
    case (.nil, _), (_, .nil): return left.isNil && right.isNil
    case (.int, _), (.sized, _): return bits(left) == bits(right)
    case (.object(let first), .object(let second)): return first === second
    case (.list, .list), (.list, .bytes), (.bytes, .list), (.bytes, .bytes), (.map, .map), (.function, .function):
      var message = try Formatter.format(Array("%s".utf8), [right], limits)
      message += ": \(right.type)".utf8
      throw FunctionFailure("non-comparable type " + ByteString(bytes: message))
    default:
      var message = try Formatter.format(Array("%s".utf8), [left], limits)
      message += ": \(left.type), \(right.type): ".utf8
      message += try Formatter.format(Array("%v".utf8), [right], limits)
      throw FunctionFailure("non-comparable types " + ByteString(bytes: message))
    }
  }

  /// Whether `left` orders before `right`.
  static func isLess(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
    guard let leftKind = kind(left), let rightKind = kind(right) else { throw badType }
    let (first, second) = (bits(left), bits(right))
    switch (leftKind, rightKind) {
    case (.integer, .integer): return Int64(bitPattern: first) < Int64(bitPattern: second)
    case (.unsigned, .unsigned): return first < second
    case (.integer, .unsigned): return Int64(bitPattern: first) < 0 || first < second
    case (.unsigned, .integer): return Int64(bitPattern: second) >= 0 && first < second
    case (.bool, .bool), (.complex, .complex): throw badType
    default: break
    }
    switch (left, right) {
    case (.float(let first), .float(let second)): return first < second
    case (.string(let first), .string(let second)): return first < second
    default: throw incompatible
    }
  }

  /// Whether `left` orders before `right` or equals it.
  static func isLessOrEqual(
    _ left: Rendering.Slot, _ right: Rendering.Slot, _ limits: TemplateLimits
  ) throws -> Bool {
    if try isLess(left.value, right.value) { return true }
    return try isEqual(left.unboxed, [right.unboxed], limits)
  }
}
