// The libFuzzer target of the HCL module: `make fuzz-hcl`. The first byte says what the rest is read as.

import HCL
import RegularExpression

private let functions = StandardFunctions.table(
  host: FunctionHost(now: { 0 }, random: { [UInt8](repeating: 7, count: $0) }))
// Small limits: what is slow in spite of them shows as a timeout.
private let context = EvaluationContext(
  variables: [
    "s": .string("text"), "n": .number(3), "l": .list([.number(1), .number(2)], of: .number),
    "o": .object(["a": .null(), "b": .true]),
    "u": .unknown(.string), "d": .dynamic,
  ], functions: functions, limits: EvaluationLimits(work: 100_000, valueWeight: 20_000))

private func evaluateAll(_ body: Body) {
  for attribute in body.attributes { _ = attribute.expression.evaluated(in: context) }
  for block in body.blocks { evaluateAll(block.body) }
}

private func call(_ name: String, _ text: String) {
  let call = "\(name)(s)"
  let expression = HCLParser.parseExpression(SourceFile(name: "call", text: call)).result
  _ = expression?.evaluated(
    in: EvaluationContext(
      variables: ["s": .string(text)], functions: functions,
      limits: EvaluationLimits(work: 100_000, valueWeight: 20_000)))
}

/// What libFuzzer calls with every input; 0 keeps the input for further mutation.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 1 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let source = SourceFile(name: "fuzz", bytes: bytes)
  switch data[0] % 8 {
  case 0, 1:
    let parsed = HCLParser.parse(source)
    _ = DiagnosticRenderer([source]).render(parsed.diagnostics)
    evaluateAll(parsed.result)
    evaluateAll(parsed.result.expandingDynamicBlocks(in: context).result)
  case 2:
    let parsed = HCLParser.parseExpression(source)
    if let expression = parsed.result {
      let result = expression.evaluated(in: context)
      _ = DiagnosticRenderer([source]).render(result.diagnostics)
      _ = JSONText.encode(result.value)
      _ = expression.variables
      _ = TypeConstraint.parse(expression)
    }
  case 3: _ = HCLParser.parseTemplate(source).result?.evaluated(in: context)
  case 4: evaluateAll(HCLParser.parseJSON(source).result)
  case 5: _ = Formatter.format(source)
  case 6:
    let half = bytes.count / 2
    if let pattern = try? Pattern(String(decoding: bytes[..<half], as: UTF8.self)) {
      _ = pattern.replacingMatches(
        in: String(decoding: bytes[half...], as: UTF8.self), with: "<$1>", maximumBytes: 1 << 20)
    }
  default:
    let names = ["yamldecode", "csvdecode", "jsondecode", "base64decode", "cidrnetmask", "title"]
    guard let first = bytes.first else { return 0 }
    call(names[Int(first) % names.count], String(decoding: bytes.dropFirst(), as: UTF8.self))
  }
  return 0
}
