// Reads requests of the template oracle's protocol from standard input, one JSON object a line, and answers each.
import TemplateEngine
import TemplateOracleProtocol

while let line = readLine(strippingNewline: true) {
  if line.isEmpty { continue }
  print(TemplateOracleProtocol.answer(line.utf8).line)
}
