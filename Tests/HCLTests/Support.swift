import HCL
import Testing

let functions = StandardFunctions.table(host: FunctionHost())

func evaluate(_ text: String, _ variables: [String: Value] = [:]) throws -> Value {
  let expression = try #require(try HCLParser.parseExpression(SourceFile(name: "test", text: text)).get())
  return try expression.evaluate(in: EvaluationContext(variables: variables, functions: functions))
}

/// The value as JSON, which shows types and digits.
func json(_ text: String, _ variables: [String: Value] = [:]) throws -> String? {
  JSONText.encode(try evaluate(text, variables), escapingHTML: false)
}

func diagnostics(_ text: String) -> [Diagnostic] {
  HCLParser.parse(SourceFile(name: "test", text: text)).diagnostics
}
