import Codec
import Testing

@testable import Agent

@Suite struct MergeTests {
  @Test func laterFilesWinAndListsAreJoined() throws {
    let folder = try Folder([
      "one.hcl": "name = \"one\"\ndatacenter = \"dc1\"\nclient {\n  enabled = true\n  servers = [\"a\"]\n  meta {\n    x = \"1\"\n    y = \"1\"\n  }\n}\n",
      "two": "{\"name\": \"two\", \"client\": {\"servers\": [\"b\"], \"meta\": {\"y\": \"2\"}}}",
    ])
    let result = try configuration(try ConfigurationFiles.read([folder.file("one.hcl"), folder.file("two")]))
    #expect(result.nodeName == "two")
    #expect(result.datacenter == "dc1")
    #expect(result.client.enabled)
    #expect(result.client.servers == ["a", "b"])
    #expect(result.client.meta == ["x": "1", "y": "2"])
  }

  @Test func aFolderIsItsFilesInTheOrderOfTheirNames() throws {
    let folder = try Folder([
      "20-second.json": "{\"name\": \"second\"}", "10-first.hcl": "name = \"first\"\nregion = \"eu\"\n",
      "notes.txt": "this is no configuration", ".hidden.hcl": "name = \"hidden\"", "99.hcl~": "name = \"backup\"",
    ])
    let result = try configuration(try ConfigurationFiles.read([folder.path]))
    #expect(result.nodeName == "second")
    #expect(result.region == "eu")
  }

  @Test func pluginsOfOneNameReplaceEachOther() throws {
    let first = try parse("plugin \"raw_exec\" {\n config { enabled = false }\n}\nplugin \"java\" {\n}\n")
    let second = try parse("plugin \"raw_exec\" {\n config { enabled = true }\n}\n")
    let result = try configuration(merged(first, with: second))
    #expect(result.plugins.map(\.name).sorted() == ["java", "raw_exec"])
    #expect(result.plugins.first { $0.name == "raw_exec" }?.config["enabled"] == true)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationFiles.read(["/nonexistent/agent.hcl"]) }
    #expect(error?.description.contains("/nonexistent/agent.hcl") == true)
    #expect(error?.description.contains("No such file") == true)
  }
}
