import Codec
import Model
import Testing

@testable import CommandLine

@Suite struct VariableSpecificationTests {
  @Test(arguments: [
    ("spec.nv.hcl", VariableSpecification.exampleHCL), ("spec.nv.json", VariableSpecification.exampleJSON),
  ])
  func theExamplesAreSpecifications(_ name: String, _ text: String) throws {
    let variable = try VariableSpecification.parse(Array(text.utf8), name: name, format: nil)
    #expect(variable.path == "path/to/variable" && variable.items == ["key1": "value 1", "key2": "value 2"])
  }

  @Test func theFormatIsToldOrSeen() throws {
    let hcl = Array("path = \"a\"\nitems = { n = \"1\" }\n".utf8)
    #expect(try VariableSpecification.parse(hcl, name: "standard input", format: nil).items == ["n": "1"])
    #expect(throws: CommandFailure.self) { try VariableSpecification.parse(hcl, name: "x", format: "json") }
    #expect(try VariableSpecification.parse(Array("  {\"Path\": \"b\"}".utf8), name: "x", format: nil).path == "b")
  }

  @Test(arguments: ["items = {}", "path = \"a\"\nitem { a = \"b\" }", "path = {"]) func mistakesAreShownAtTheirPlace(
    _ text: String
  ) throws {
    let error = #expect(throws: CommandFailure.self) {
      try VariableSpecification.parse(Array(text.utf8), name: "v.hcl", format: nil)
    }
    #expect(error.map { "\($0)".contains("v.hcl") } == true)
  }
}
