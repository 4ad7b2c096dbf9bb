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

/// Options that this version does nothing with.
@Suite struct UnusedOptionTests {
  private static let base = "data_dir = \"/d\"\nserver {\n  enabled = true\n}\n"

  @Test(arguments: [
    ("telemetry { statsd_address = \"127.0.0.1:8125\" }", "telemetry.statsd_address"),
    ("enable_syslog = true", "enable_syslog"),
    ("client {\n  drain_on_shutdown {\n    force = true\n  }\n}", "client.drain_on_shutdown.force"),
    ("client {\n  template {\n    function_denylist = [\"plugin\"]\n  }\n}", "client.template.function_denylist"),
  ])
  func thoseThatWouldChangeWhatTheAgentDoesAreRefusedByName(_ text: String, _ name: String) throws {
    #expect(UnusedOptions(in: try parse(text)).refused == [name])
    #expect(refusal(Self.base + text).contains("\(name): this version does not act on it"))
  }

  @Test func thoseThatTuneWhatIsNotHereAreTakenAndListed() throws {
    let text = """
      disable_update_check = true
      telemetry { prometheus_metrics = true }
      ui {
        label { text = "x" }
      }
      server {
        enabled        = true
        num_schedulers = 4
        search { limit_query = 20 }
      }
      client { cni_path = "/opt/cni/bin" }
      """
    let found = UnusedOptions(in: try parse(text))
    #expect(found.refused == [])
    #expect(
      found.withoutEffect == [
        "client.cni_path", "disable_update_check", "server.num_schedulers", "server.search",
        "telemetry.prometheus_metrics", "ui",
      ])
  }

  @Test func optionsThatAreActedOnAreNotListed() throws {
    let text = "name = \"a\"\nclient {\n  meta {\n    a = \"b\"\n  }\n  options = {\n    x = \"y\"\n  }\n}"
    let found = UnusedOptions(in: try parse(text))
    #expect(found.refused == [] && found.withoutEffect == [])
  }
}

/// What a reload tells of.
@Suite struct ConfigurationDifferenceTests {
  @Test func namesAreThoseOfTheFiles() throws {
    let old = try parse("log_level = \"INFO\"\nname = \"a\"\nclient {\n  enabled = true\n}")
    let new = try parse("log_level = \"WARN\"\nname = \"a\"\nclient {\n  enabled = true\n  node_class = \"x\"\n}")
    #expect(ConfigurationDifference.options(from: old, to: new) == ["client.node_class", "log_level"])
    #expect(ConfigurationDifference.options(from: new, to: new) == [])
  }
}
