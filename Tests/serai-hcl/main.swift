// serai-hcl: the HCL module behind one JSON request and one JSON answer per line, so that it can be compared with another
// implementation of the language that speaks the same protocol. A test helper; it is not installed.
//
//   {"op":"expr","src":"upper(var.x)","vars":{"var":{"x":"a"}}}
//
// Operations: expr, template, body, dynamic, json, tokens, fmt, vars, type, funcs. Answers carry ok, value, type and diags.

import Glibc
import HCL

let oracle = OracleProtocol()
while let line = readLine(strippingNewline: true) {
  if line.isEmpty { continue }
  var answer = Array((oracle.answer(line) + "\n").utf8)[...]
  while !answer.isEmpty {
    let written = answer.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if written <= 0 { exit(1) }
    answer = answer.dropFirst(written)
  }
}
