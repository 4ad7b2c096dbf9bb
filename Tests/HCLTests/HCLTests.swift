import HCL
import Testing

@Test func parses() {
  #expect(HCLParser.parse(SourceFile(name: "a", text: "a = 1\n")).diagnostics.isEmpty)
}
