/// Which agent to ask and as whom: flags first, then the environment, then defaults.
struct ConnectionSettings: Sendable {
  var address = "http://127.0.0.1:4646"
  var region: String?
  var namespace: String?
  var token: String?
  var caCertificate: String?
  var caPath: String?
  var clientCertificate: String?
  var clientKey: String?
  var tlsServerName: String?
  var tlsSkipVerify = false
  /// `user:password` for basic authentication.
  var httpAuth: String?

  init(parsed: ParsedArguments, environment: (String) -> String?) {
    func setting(_ flag: String, _ variable: String) -> String? {
      if let value = parsed.value(flag) { return value }
      guard let value = environment(variable), !value.isEmpty else { return nil }
      return value
    }
    if let given = setting("address", "NOMAD_ADDR") { address = given }
    while address.hasSuffix("/"), !address.hasPrefix("unix://") { address.removeLast() }
    region = setting("region", "NOMAD_REGION")
    namespace = setting("namespace", "NOMAD_NAMESPACE")
    token = setting("token", "NOMAD_TOKEN")
    caCertificate = setting("ca-cert", "NOMAD_CACERT")
    caPath = setting("ca-path", "NOMAD_CAPATH")
    clientCertificate = setting("client-cert", "NOMAD_CLIENT_CERT")
    clientKey = setting("client-key", "NOMAD_CLIENT_KEY")
    tlsServerName = setting("tls-server-name", "NOMAD_TLS_SERVER_NAME")
    let skip = environment("NOMAD_SKIP_VERIFY")?.lowercased()
    tlsSkipVerify = parsed.has("tls-skip-verify") || skip == "true" || skip == "1"
    httpAuth = environment("NOMAD_HTTP_AUTH").flatMap { $0.isEmpty ? nil : $0 }
  }
}
