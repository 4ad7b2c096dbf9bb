// serai-hcl: the HCL module behind one JSON request and one JSON answer per line, so that it can be compared with another
// implementation of the language that speaks the same protocol. A test helper; it is not installed.
//
//   {"op":"expr","src":"upper(var.x)","vars":{"var":{"x":"a"}}}
//
// With `--generate SEED COUNT` it prints that many requests instead.
//
// Operations: expr, template, body, dynamic, json, tokens, fmt, vars, type, funcs. Answers carry ok, value, type and diags.

import Glibc
import HCLOracleProtocol

func output(_ text: String) {
  var bytes = Array((text + "\n").utf8)[...]
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if written <= 0 { exit(1) }
    bytes = bytes.dropFirst(written)
  }
}

let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "--generate", let seed = UInt64(arguments[2]), let count = Int(arguments[3]) {
  var generator = RequestGenerator(seed: seed)
  for _ in 0..<count { output(generator.next()) }
  exit(0)
}
let oracle = OracleProtocol()
while let line = readLine(strippingNewline: true) {
  if !line.isEmpty { output(oracle.answer(line)) }
}
