import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Server and client as two processes, everything between them over TLS, with certificates of our own commands.
@Suite(.timeLimit(.minutes(40))) struct TLSTests {
  /// A CA with certificates in the test's folder.
  private struct Certificates {
    let scratch: Scratch
    let folder: String

    init(_ scratch: Scratch, _ name: String = "ca") async throws {
      self.scratch = scratch
      folder = "\(scratch.folder)/\(name)"
      try Files.makeDirectories(folder)
      try await serai("tls", "ca", "create")
      for kind in ["server", "client", "cli"] { try await serai("tls", "cert", "create", "-\(kind)") }
    }

    private func serai(_ arguments: String...) async throws {
      let outcome = try await scratch.run(try Programs.path("serai"), arguments, in: folder)
      try #require(outcome.code == 0, "\(outcome)")
    }

    func block(_ kind: String, _ more: String = "") -> String {
      """
      tls {
        rpc       = true
        http      = true
        ca_file   = "\(folder)/nomad-agent-ca.pem"
        cert_file = "\(folder)/global-\(kind)-nomad.pem"
        key_file  = "\(folder)/global-\(kind)-nomad-key.pem"
        verify_server_hostname = true
        \(more)
      }
      """
    }

    var authority: String { "\(folder)/nomad-agent-ca.pem" }

    func environment(_ agent: Agent, certificate: Bool = true) -> [String: String] {
      var all = ["NOMAD_ADDR": "https://127.0.0.1:\(agent.httpPort)", "NOMAD_CACERT": authority]
      if certificate {
        all["NOMAD_CLIENT_CERT"] = "\(folder)/global-cli-nomad.pem"
        all["NOMAD_CLIENT_KEY"] = "\(folder)/global-cli-nomad-key.pem"
      }
      return all
    }
  }

  private func run(_ scratch: Scratch, _ environment: [String: String], _ arguments: String...) async throws -> Outcome
  {
    try await scratch.run(try Programs.path("serai"), arguments, environment: environment)
  }

  private func eventuallySucceeds(
    _ scratch: Scratch, _ environment: [String: String], _ arguments: String..., containing text: String
  ) async throws {
    try await until("serai \(arguments.joined(separator: " ")) shows \(text)") {
      let outcome = try await scratch.run(try Programs.path("serai"), arguments, environment: environment)
      return outcome.code == 0 && outcome.output.contains(text)
    }
  }

  @Test(.enabled(if: isRoot, needsRoot)) func jobRunsAndPlainOrStrangeProgramsStayOutside() async throws {
    try await Scratch.with { scratch in
      let certificates = try await Certificates(scratch)
      let server = try Agent(
        scratch, .server, label: "server", settings: certificates.block("server", "verify_https_client = true"))
      try server.launch()
      let client = try Agent(
        scratch, .client(server: server.rpcPort), label: "client", settings: certificates.block("client"))
      try client.launch()
      let known = certificates.environment(server)
      try await eventuallySucceeds(scratch, known, "node", "status", containing: "ready")
      let job = try scratch.write(
        "hello.nomad.hcl",
        shellJob("hello", type: "batch", script: "echo over TLS; sleep 60"))
      let ran = try await run(scratch, known, "job", "run", "-detach", job)
      try #require(ran.code == 0, "\(ran)")
      // The log comes from the client, through the server, over TLS all the way.
      try await eventuallySucceeds(scratch, known, "alloc", "logs", "-job", "hello", containing: "over TLS")
      try #require(try await run(scratch, known, "job", "stop", "-detach", "hello").code == 0)

      // HTTP: without TLS, without a certificate, with a CA that does not know the server.
      let plain = try await run(scratch, ["NOMAD_ADDR": server.address], "node", "status")
      try #require(plain.code == 1, "\(plain)")
      let bare = try await run(scratch, certificates.environment(server, certificate: false), "node", "status")
      try #require(bare.code == 1, "\(bare)")
      let stranger = try await Certificates(scratch, "stranger")
      let mistrusting = try await run(scratch, stranger.environment(server), "node", "status")
      try #require(mistrusting.code == 1 && mistrusting.errors.contains("ertificate"), "\(mistrusting)")
      var careless = known
      careless["NOMAD_CACERT"] = stranger.authority
      let skipping = try await run(scratch, careless, "node", "status", "-tls-skip-verify")
      try #require(skipping.code == 0, "\(skipping)")
      // The client's own HTTP wants no certificate of who asks.
      let free = try await run(scratch, certificates.environment(client, certificate: false), "node", "status")
      try #require(free.code == 0, "\(free)")

      // RPC: a client without TLS is told what it lacks.
      let outside = try Agent(
        scratch, .client(server: server.rpcPort), label: "outside", ownCgroup: true)
      try outside.launch()
      try await until("the plain client is told") { outside.logText.contains("TLS only") }
    }
  }

  @Test func certificatesAreReadAgainOnSIGHUPAndBadOnesLeaveTheOldOnesInPlace() async throws {
    try await Scratch.with { scratch in
      let certificates = try await Certificates(scratch)
      let server = try Agent(scratch, .server, label: "server", settings: certificates.block("server"))
      try server.launch()
      let known = certificates.environment(server)
      try await eventuallySucceeds(scratch, known, "server", "members", containing: "server.global")

      let other = try await Certificates(scratch, "other")
      try await until("the other CA does not know the server") {
        try await run(scratch, other.environment(server), "server", "members").code == 1
      }
      let path = "\(certificates.folder)/global-server-nomad.pem"
      let keyPath = "\(certificates.folder)/global-server-nomad-key.pem"
      let good = try Files.read(path)
      try Files.replace(path, with: Array("no certificate".utf8))
      kill(try server.pid, SIGHUP)
      try await until("the refusal is logged") { server.logText.contains("the configuration was not reloaded") }
      try #require(try await run(scratch, known, "server", "members").code == 0, "the old certificate serves on")
      try Files.replace(path, with: good)

      try Files.replace(path, with: try Files.read("\(other.folder)/global-server-nomad.pem"))
      try Files.replace(keyPath, with: try Files.read("\(other.folder)/global-server-nomad-key.pem"))
      kill(try server.pid, SIGHUP)
      try await eventuallySucceeds(scratch, other.environment(server), "server", "members", containing: "server.global")
      try #require(try await run(scratch, known, "server", "members").code == 1)
    }
  }

  @Test func commandsMakeCertificatesThatOpenSSLAccepts() async throws {
    try await Scratch.with { scratch in
      let certificates = try await Certificates(scratch)
      let again = try await scratch.run(
        try Programs.path("serai"), ["tls", "ca", "create"], in: certificates.folder)
      try #require(again.code == 1 && again.errors.contains("is there already"), "\(again)")
      let shown = try await run(scratch, [:], "tls", "cert", "info", "\(certificates.folder)/global-server-nomad.pem")
      for part in ["server.global.nomad", "localhost", "127.0.0.1", "CN=Nomad Agent CA"] {
        try #require(shown.output.contains(part), "\(shown)")
      }
      let mode = try FileStatus.of("\(certificates.folder)/nomad-agent-ca-key.pem").permissions
      try #require(mode & 0o777 == 0o600)
      guard Files.exists("/usr/bin/openssl") else { return }
      let verified = try await scratch.run(
        "/usr/bin/openssl",
        [
          "verify", "-purpose", "sslserver", "-verify_hostname", "server.global.nomad", "-CAfile",
          certificates.authority,
          "\(certificates.folder)/global-server-nomad.pem",
        ])
      try #require(verified.code == 0, "\(verified)")
    }
  }
}
