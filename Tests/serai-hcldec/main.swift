// serai-hcldec: decodes an HCL file by a specification and prints the value as JSON, with the flags that the language's
// specification suite calls such a program with. A test helper; it is not installed.
//
//   serai-hcldec --spec=FILE --diags=json (--with-type --keep-nulls | --var-refs) INPUT

import Glibc
import HCL

func output(_ text: String, to descriptor: Int32) {
  var bytes = Array((text + "\n").utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count <= 0 { exit(3) }
    bytes = bytes.dropFirst(count)
  }
}

func source(_ path: String) -> SourceFile {
  do throws(FunctionFailure) {
    return SourceFile(name: path, bytes: try LocalFiles(workingDirectory: "/", homeDirectory: nil).contents(of: path))
  } catch {
    output(error.message, to: 2)
    exit(2)
  }
}

func quit(_ diagnostics: [Diagnostic]) -> Never {
  output("{\"diagnostics\":[" + diagnostics.map(Report.json).joined(separator: ",") + "]}", to: 2)
  exit(1)
}

var specification: String?
var input: String?
var wantsReferences = false
for argument in CommandLine.arguments.dropFirst() {
  if argument.hasPrefix("--spec=") {
    specification = String(argument.dropFirst(7))
  } else if argument == "--var-refs" {
    wantsReferences = true
  } else if !argument.hasPrefix("--") {
    input = argument
  }
}
guard let specification, let input else {
  output("usage: serai-hcldec --spec=FILE [--var-refs] INPUT", to: 2)
  exit(2)
}
let parsedSpecification = HCLParser.parse(source(specification))
if parsedSpecification.diagnostics.hasErrors { quit(parsedSpecification.diagnostics) }
let parsed = input.hasSuffix(".json") ? HCLParser.parseJSON(source(input)) : HCLParser.parse(source(input))
if parsed.diagnostics.hasErrors { quit(parsed.diagnostics) }
var variables: [String: Value] = [:]
for attribute in parsedSpecification.result.blocks("variables").flatMap(\.body.attributes) {
  variables[attribute.name] = attribute.expression.evaluated(in: EvaluationContext()).value
}
if wantsReferences {
  let all = Report.expressions(parsed.result).flatMap(\.variables)
  output("[" + all.map(Report.json).joined(separator: ",") + "]", to: 1)
  exit(0)
}
var decoder = SpecificationDecoder(context: EvaluationContext(variables: variables))
let rule = parsedSpecification.result.blocks.first { $0.type != "variables" }
let value = rule.map { decoder.decodeRoot($0, parsed.result) } ?? .null()
if decoder.diagnostics.hasErrors { quit(decoder.diagnostics) }
output("{\"value\":\(JSONText.encode(value) ?? "null"),\"type\":\(JSONText.encode(value.type))}", to: 1)
