import Codec
import Testing

@testable import Agent

/// What can't work, or what this version does not do, is refused by name: never accepted and ignored.
@Suite struct ConfigurationCheckTests {
  private static let base = "data_dir = \"/d\"\nserver {\n  enabled = true\n}\n"

  static let refused: [(text: String, name: String)] = [
    (base + "acl { enabled = true }", "acl"),
    (base + "tls { http = true }", "tls.ca_file"),
    (base + "tls { rpc = true }", "tls.key_file"),
    (base + "tls { verify_server_hostname = true }", "tls.rpc"),
    (base + "tls { verify_https_client = true }", "tls.http"),
    (base + "vault { enabled = true }", "vault"),
    (base + "consul { address = \"127.0.0.1:8500\" }", "consul"),
    (base + "audit { enabled = true }", "audit"),
    (base + "keyring \"awskms\" { active = true }", "keyring"),
    (base + "log_level = \"LOUD\"", "log_level"),
    (base + "ports { http = 70000 }", "port http"),
    ("data_dir = \"/d\"\nserver {\n  enabled = true\n  encrypt = \"x\"\n}", "server.encrypt"),
    ("data_dir = \"/d\"\nserver {\n  enabled = true\n  node_gc_threshold = \"soon\"\n}", "server.node_gc_threshold"),
    ("data_dir = \"d\"\nserver {\n  enabled = true\n}", "absolute"),
    ("server {\n  enabled = true\n}", "data_dir"),
    ("data_dir = \"/d\"", "neither server nor client"),
  ]

  @Test(arguments: refused.indices) func isRefusedByName(_ place: Int) {
    let (text, name) = Self.refused[place]
    #expect(refusal(text).contains(name), "\(text) → \(refusal(text))")
  }

  @Test func aPlainConfigurationIsTaken() {
    #expect(refusal(Self.base) == "")
    #expect(refusal("data_dir = \"/d\"\nclient {\n  enabled = true\n  servers = [\"127.0.0.1:4647\"]\n}") == "")
    #expect(refusal(Self.base + "telemetry {\n  prometheus_metrics = true\n}\nui { enabled = false }") == "")
  }

  @Test func allProblemsAreToldAtOnce() {
    let text = refusal("log_level = \"LOUD\"\nacl { enabled = true }")
    for part in ["log_level", "acl", "data_dir", "neither"] { #expect(text.contains(part), "\(part)") }
  }
}
