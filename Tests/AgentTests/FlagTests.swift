import Codec
import Model
import Testing

@testable import Agent

@Suite struct FlagTests {
  @Test func flagsWinOverFilesAndFilesOverTheDefaults() throws {
    let folder = try Folder(["a.hcl": "name = \"file\"\ndatacenter = \"dc2\"\nports {\n  http = 5000\n}\n"])
    let (result, _) = try AgentCommand.load(
      [
        "config": [folder.file("a.hcl")], "node": ["flag"], "http-port": ["6000"], "server": ["true"],
        "servers": ["a:1,b:2", "c:3"], "meta": ["rack=r1", "zone=a=b"], "log-level": ["TRACE"],
        "retry-join": ["x", "y"],
      ], isDevelopment: false)
    #expect(result.nodeName == "flag")
    #expect(result.datacenter == "dc2")
    #expect(result.ports.http == 6000)
    #expect(result.ports.rpc == 4647)
    #expect(result.server.enabled)
    #expect(result.client.servers == ["a:1", "b:2", "c:3"])
    #expect(result.client.meta == ["rack": "r1", "zone": "a=b"])
    #expect(result.logLevel == "TRACE")
    #expect(result.server.serverJoin.retryJoin == ["x", "y"])
  }

  @Test func aDevelopmentAgentIsServerAndClientOnTheLoopback() throws {
    let (result, object) = try AgentCommand.load(["dev": ["true"], "data-dir": ["/tmp/x"]], isDevelopment: true)
    #expect(result.server.enabled && result.client.enabled)
    #expect(result.bindAddr == "127.0.0.1")
    #expect(result.dataDir == "/tmp/x")
    try ConfigurationCheck.run(result, object)
  }

  @Test func aFlagWithAnImpossibleValueIsNamed() {
    for flags in [["http-port": ["many"]], ["meta": ["rack"]], ["bootstrap-expect": ["x"]]] {
      let error = #expect(throws: ConfigurationError.self) { try AgentFlags.overlay(flags) }
      #expect(error?.description.contains("-\(flags.keys.first ?? "")") == true)
    }
  }

  @Test func everyFlagButConfigAndDevHasItsPlaceInTheConfiguration() throws {
    for flag in AgentFlags.all where !["config", "dev"].contains(flag.name) {
      let value = flag.placeholder == nil ? "true" : flag.name == "meta" ? "a=b" : "1"
      #expect(try !AgentFlags.overlay([flag.name: [value]]).members.isEmpty, "\(flag.name)")
    }
  }
}
