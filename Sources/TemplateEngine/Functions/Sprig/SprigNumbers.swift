internal import Glibc

// Arithmetic: everything is converted, nothing is refused.
extension FunctionSets {
  static func addSprigNumbers(_ table: inout FunctionTable) {
    func integers(
      _ name: ByteString, _ fixed: Int, variadic: Bool, _ body: @escaping @Sendable ([Int64]) throws -> Int64
    ) {
      table.add(
        name, Array(repeating: .any, count: fixed), variadic: variadic ? .any : nil, result: .sized(.int64)
      ) { .int64(try body($0.arguments.map(Conversions.int64))) }
    }
    func floats(
      _ name: ByteString, _ fixed: Int, variadic: Bool, _ body: @escaping @Sendable ([Double]) -> Double
    ) {
      table.add(name, Array(repeating: .any, count: fixed), variadic: variadic ? .any : nil, result: .float) {
        .float(body($0.arguments.map(Conversions.float)))
      }
    }
    let byZero = FunctionFailure("runtime error: integer divide by zero")
    integers("add1", 1, variadic: false) { $0[0] &+ 1 }
    integers("add", 0, variadic: true) { $0.reduce(0, &+) }
    integers("sub", 2, variadic: false) { $0[0] &- $0[1] }
    integers("mul", 1, variadic: true) { $0.reduce(1, &*) }
    integers("div", 2, variadic: false) {
      if $0[1] == 0 { throw byZero }
      return $0[0].dividedReportingOverflow(by: $0[1]).partialValue
    }
    integers("mod", 2, variadic: false) {
      if $0[1] == 0 { throw byZero }
      return $0[0].remainderReportingOverflow(dividingBy: $0[1]).partialValue
    }
    integers("max", 1, variadic: true) { $0.max() ?? 0 }
    integers("min", 1, variadic: true) { $0.min() ?? 0 }
    table.alias("biggest", of: "max")
    floats("maxf", 1, variadic: true) { $0.dropFirst().reduce($0[0]) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) } }
    floats("minf", 1, variadic: true) { $0.dropFirst().reduce($0[0]) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) } }
    floats("floor", 1, variadic: false) { $0[0].rounded(.down) }
    floats("ceil", 1, variadic: false) { $0[0].rounded(.up) }
    floats("add1f", 1, variadic: false) { DecimalArithmetic.fold([$0[0], 1], .add) }
    floats("addf", 0, variadic: true) { DecimalArithmetic.fold([0] + $0, .add) }
    floats("subf", 1, variadic: true) { DecimalArithmetic.fold($0, .subtract) }
    floats("mulf", 1, variadic: true) { DecimalArithmetic.fold($0, .multiply) }
    table.add("divf", [.any], variadic: .any, result: .float) { call in
      let values = call.arguments.map(Conversions.float)
      if values.dropFirst().contains(0) { throw FunctionFailure("decimal division by 0") }
      return .float(DecimalArithmetic.fold(values, .divide))
    }
    table.add("round", [.any, .int], variadic: .float, result: .float) { call in
      let threshold = call.arguments.count > 2 ? Conversions.float(call.value(2)) : 0.5
      let power = pow(10, Double(call.int(1)))
      let digit = power * Conversions.float(call.value(0))
      let fraction = digit - digit.rounded(.towardZero)
      return .float((fraction >= threshold ? digit.rounded(.up) : digit.rounded(.down)) / power)
    }
    table.add("int", [.any], result: .int) { .int(Int(Conversions.int64($0.value(0)))) }
    table.add("int64", [.any], result: .sized(.int64)) { .int64(Conversions.int64($0.value(0))) }
    table.add("float64", [.any], result: .float) { .float(Conversions.float($0.value(0))) }
    table.add("atoi", [.string], result: .int) { .int(Int(NumberSyntax.integer($0.text(0), base: 10) ?? 0)) }
    table.add("toDecimal", [.any], result: .sized(.int64)) { call in
      .int64(NumberSyntax.integer(try call.textValue(call.value(0)), base: 8) ?? 0)
    }
    table.add("until", [.int], result: .list(.int)) { call in
      try list(call, 0, call.int(0), call.int(0) < 0 ? -1 : 1)
    }
    table.add("untilStep", [.int, .int, .int], result: .list(.int)) { call in
      try list(call, call.int(0), call.int(1), call.int(2))
    }
    table.add("seq", [], variadic: .int, result: .string) { call in
      let numbers = call.arguments.indices.map { call.int($0) }
      guard (1...3).contains(numbers.count), let end = numbers.last else { return .string("") }
      let start = numbers.count == 1 ? 1 : numbers[0]
      let direction = end < start ? -1 : 1
      let step = numbers.count == 3 ? numbers[1] : direction
      if direction < 0, step > 0 { return .string("") }
      let terms = try steps(call, start, end &+ direction, step)
      return .text(terms.map(String.init).joined(separator: " "))
    }
  }

  private static func list(_ call: TemplateCall, _ start: Int, _ stop: Int, _ step: Int) throws -> TemplateValue {
    .list(TemplateList(try steps(call, start, stop, step).map { .int($0) }, of: .int))
  }

  /// From `start` up or down to before `stop`, as many as the budget allows.
  private static func steps(_ call: TemplateCall, _ start: Int, _ stop: Int, _ step: Int) throws -> [Int] {
    guard stop < start ? step < 0 : step > 0 else { return [] }
    let (distance, overflow) = stop.subtractingReportingOverflow(start)
    try call.rendering.charge(overflow ? Int.max / 2 : Int(min(distance.magnitude / step.magnitude, 1 << 62)))
    return Array(stride(from: start, to: stop, by: step))
  }
}

/// Sums and products of floats taken as the decimal numbers that they print as: 0.1 + 0.2 is 0.3.
///
/// In 128 bits; where those do not suffice, plain floating-point arithmetic answers.
enum DecimalArithmetic {
  enum Operation { case add, subtract, multiply, divide }

  private struct Decimal {
    var value: Int128
    var exponent: Int

    init(value: Int128, exponent: Int) {
      self.value = value
      self.exponent = exponent
    }

    init?(_ float: Double) {
      guard float.isFinite else { return nil }
      let digits = FloatDigits(shortest: float.magnitude)
      value = digits.digits.reduce(0) { $0 * 10 + Int128($1) }
      if float < 0 { value = -value }
      exponent = digits.point - digits.digits.count
    }

    /// The same number with a smaller exponent, nil where it does not fit.
    func scaled(to wanted: Int) -> Decimal? {
      var value = value
      guard exponent - wanted <= 60 else { return value == 0 ? Decimal(value: 0, exponent: wanted) : nil }
      for _ in 0..<max(exponent - wanted, 0) {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        value = product
      }
      return Decimal(value: value, exponent: wanted)
    }

    var float: Double { Double("\(value)e\(exponent)") ?? .nan }
  }

  static func fold(_ values: [Double], _ operation: Operation) -> Double {
    guard let first = values.first else { return 0 }
    func plain() -> Double {
      values.dropFirst().reduce(first) {
        switch operation {
        case .add: $0 + $1
        case .subtract: $0 - $1
        case .multiply: $0 * $1
        case .divide: $0 / $1
        }
      }
    }
    guard var result = Decimal(first) else { return plain() }
    for value in values.dropFirst() {
      guard let other = Decimal(value), let next = apply(result, other, operation) else { return plain() }
      result = next
    }
    return result.float
  }

  private static func apply(_ left: Decimal, _ right: Decimal, _ operation: Operation) -> Decimal? {
    switch operation {
    case .add, .subtract:
      let exponent = min(left.exponent, right.exponent)
      guard let first = left.scaled(to: exponent), let second = right.scaled(to: exponent) else { return nil }
      let (sum, overflow) =
        operation == .add
        ? first.value.addingReportingOverflow(second.value) : first.value.subtractingReportingOverflow(second.value)
      return overflow ? nil : Decimal(value: sum, exponent: exponent)
    case .multiply:
      let (product, overflow) = left.value.multipliedReportingOverflow(by: right.value)
      return overflow ? nil : Decimal(value: product, exponent: left.exponent + right.exponent)
    case .divide:
      // Sixteen places, half rounded away from zero.
      guard right.value != 0 else { return nil }
      let shift = left.exponent - right.exponent + 16
      var (dividend, divisor) = (left.value, right.value)
      guard abs(shift) <= 60 else { return nil }
      for _ in 0..<abs(shift) {
        let (product, overflow) = (shift > 0 ? dividend : divisor).multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        if shift > 0 { dividend = product } else { divisor = product }
      }
      var (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
      remainder = abs(remainder)
      if remainder >= abs(divisor) - remainder { quotient += (dividend < 0) == (divisor < 0) ? 1 : -1 }
      return Decimal(value: quotient, exponent: -16)
    }
  }
}
