import HCL
import Testing

/// Expectations from the HCL native syntax specification, sections "Templates" and "Template Literals".
struct TemplateTests {
  @Test(arguments: [
    (#""a ${1 + 1} b""#, "a 2 b"), (#""$${x} %%{y} $ %""#, "${x} %{y} $ %"),
    (#""\n\t\"\\\u00e9\U0001F600""#, "\n\t\"\\é😀"),
    (#""%{ if true }a%{ else }b%{ endif }""#, "a"), (#""%{ if false }a%{ endif }""#, ""),
    (#""%{ for i, x in ["p", "q"] }${i}=${x};%{ endfor }""#, "0=p;1=q;"), (#""a ${~ 1 ~} b""#, "a1b"),
    (#""x %{~ if true ~} y %{~ endif ~} z""#, "xyz"),
    ("<<EOT\n  a\n b ${1}\nEOT\n", "  a\n b 1\n"), ("<<-EOT\n    a\n      b\n\n    c\n  EOT\n", "a\n  b\n\nc\n"),
    ("<<EOT\n\\n $${x}\nEOT\n", "\\n ${x}\n"),
    ("<<EOT\nEOT\n", ""), ("<<-EOT\n  ${1}\n   x\n  EOT\n", "1\n x\n"),
    // Strings are in normalization form C.
    ("\"e\u{301}\"", "\u{e9}"),
  ])
  func evaluates(text: String, expected: String) throws {
    let value = try #require(try evaluate(text).asString)
    #expect(Array(value.utf8) == Array(expected.utf8))
  }

  @Test func oneInterpolationKeepsItsType() throws {
    #expect(try evaluate("\"${[1]}\"") == .tuple([.number(1)]))
    #expect(try evaluate("\"${true}\"") == .true)
  }
}
