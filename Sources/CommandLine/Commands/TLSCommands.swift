internal import Glibc
internal import Linux
internal import TLS

/// Seconds of a day.
private let day = 86400

let tlsCACreate = Command(
  path: ["tls", "ca", "create"], summary: "Make a CA for the agents of a cluster",
  details: """
    Writes <domain>-agent-ca.pem and <domain>-agent-ca-key.pem into the current folder.
    Keep the key away from the agents: who has it can make servers of the cluster.
    """,
  flags: [
    .value("common-name", "name", "The CA's name. Default: Nomad Agent CA."),
    .value("organization", "name", "The organization."),
    .value("country", "code", "The country, two letters."),
    .value("province", "name", "The province."),
    .value("locality", "name", "The locality."),
    .value("days", "count", "Days that it is valid. Default: 1825."),
    .value("domain", "name", "The domain of the cluster's names. Default: nomad."),
  ], usesAgent: false
) { invocation in
  try invocation.expectArguments(0...0)
  let domain = invocation.parsed.value("domain") ?? "nomad"
  let (certificatePath, keyPath) = ("\(domain)-agent-ca.pem", "\(domain)-agent-ca-key.pem")
  try refuseExisting([certificatePath, keyPath])
  var subject = CertificateSubject(
    commonName: invocation.parsed.value("common-name") ?? "Nomad Agent CA", days: try days(invocation, 1825),
    now: seconds(invocation))
  subject.organization = invocation.parsed.value("organization") ?? ""
  subject.country = invocation.parsed.value("country") ?? ""
  subject.province = invocation.parsed.value("province") ?? ""
  subject.locality = invocation.parsed.value("locality") ?? ""
  guard subject.country.isEmpty || subject.country.utf8.count == 2 else {
    throw UsageError("flag -country is two letters, not \"\(subject.country)\"")
  }
  let made = try CertificateAndKey.authority(subject)
  try write(made, certificatePath, keyPath, invocation, "CA certificate")
  return 0
}

let tlsCertCreate = Command(
  path: ["tls", "cert", "create"], summary: "Make a certificate for an agent or for the command line",
  details: """
    Writes <region>-<kind>-<domain>.pem and its key into the current folder. A server's
    is for server.<region>.<domain>, a client's for client.<region>.<domain>, the command
    line's for cli.<region>.<domain>; each is for localhost and 127.0.0.1, too.
    """,
  flags: [
    .bool("server", "For a server."), .bool("client", "For a client."), .bool("cli", "For the command line."),
    .value("region", "name", "The cluster's region. Default: global."),
    .value("cluster-region", "name", "The same."),
    .value("domain", "name", "The domain of the cluster's names. Default: nomad."),
    .value("ca", "path", "The CA's certificate. Default: <domain>-agent-ca.pem.", completion: .files),
    .value("key", "path", "The CA's key. Default: <domain>-agent-ca-key.pem.", completion: .files),
    .repeated("additional-dnsname", "name", "Another name that the certificate is for. May be repeated."),
    .repeated("additional-ipaddress", "address", "Another address that the certificate is for. May be repeated."),
    .value("days", "count", "Days that it is valid. Default: 365."),
  ], usesAgent: false
) { invocation in
  try invocation.expectArguments(0...0)
  let kinds = ["server", "client", "cli"].filter { invocation.has($0) }
  guard let kind = kinds.first, kinds.count == 1 else {
    throw UsageError("tls cert create needs one of -server, -client and -cli")
  }
  // As the region is named for other commands, which take it for the one to ask.
  let region = invocation.parsed.value("cluster-region") ?? invocation.parsed.value("region") ?? "global"
  let domain = invocation.parsed.value("domain") ?? "nomad"
  let prefix = "\(region)-\(kind)-\(domain)"
  let (certificatePath, keyPath) = ("\(prefix).pem", "\(prefix)-key.pem")
  try refuseExisting([certificatePath, keyPath])
  let name = "\(kind).\(region).\(domain)"
  var subject = CertificateSubject(commonName: name, days: try days(invocation, 365), now: seconds(invocation))
  subject.dnsNames = [name, "localhost"] + invocation.parsed.all("additional-dnsname")
  subject.addresses = [[127, 0, 0, 1]]
  for text in invocation.parsed.all("additional-ipaddress") { subject.addresses.append(try address(text)) }
  let authority = CertificateAndKey(
    certificate: try read(invocation.parsed.value("ca") ?? "\(domain)-agent-ca.pem"),
    key: try read(invocation.parsed.value("key") ?? "\(domain)-agent-ca-key.pem"))
  let made = try authority.issue(subject, isServer: kind != "cli", isClient: true)
  try write(made, certificatePath, keyPath, invocation, "\(kind.capitalizedASCII) certificate")
  return 0
}

let tlsCAInfo = info(["tls", "ca", "info"], "Show what a CA's certificate says", "nomad-agent-ca.pem")
let tlsCertInfo = info(["tls", "cert", "info"], "Show what a certificate says", nil)

private func info(_ path: [String], _ summary: String, _ defaultPath: String?) -> Command {
  Command(
    path: path, arguments: defaultPath == nil ? "<path>" : "[<path>]", summary: summary, completes: .files,
    usesAgent: false
  ) { invocation in
    try invocation.expectArguments((defaultPath == nil ? 1 : 0)...1)
    let file = invocation.arguments.first ?? defaultPath ?? ""
    let certificate = try Certificate(pem: try read(file), object: file)
    invocation.terminal.print(
      Table.keyValues([
        ("Subject", certificate.subject), ("Issuer", certificate.issuer),
        ("Certificate Authority", "\(certificate.isAuthority)"), ("Fingerprint (SHA-256)", certificate.fingerprint),
        ("DNS Names", certificate.dnsNames.joined(separator: ", ")),
        ("IP Addresses", certificate.addresses.joined(separator: ", ")),
        ("Not Before", TimeText.absoluteUTC(nanoseconds: Int64(certificate.notBefore) * 1_000_000_000)),
        ("Not After", TimeText.absoluteUTC(nanoseconds: Int64(certificate.notAfter) * 1_000_000_000)),
      ]))
    return 0
  }
}

private func seconds(_ invocation: Invocation) -> Int { Int(invocation.clock() / 1_000_000_000) }

private func days(_ invocation: Invocation, _ usual: Int) throws(UsageError) -> Int {
  let days = try invocation.parsed.integer("days") ?? usual
  guard (1...36500).contains(days) else { throw UsageError("flag -days is 1 to 36500, not \(days)") }
  return days
}

private func refuseExisting(_ paths: [String]) throws(CommandFailure) {
  for path in paths where LocalFile.exists(path) {
    throw CommandFailure("\(path) is there already: move it away, or work in another folder")
  }
}

private func read(_ path: String) throws(CommandFailure) -> [UInt8] { try LocalFile.read(path) }

private func write(
  _ made: CertificateAndKey, _ certificatePath: String, _ keyPath: String, _ invocation: Invocation, _ what: String
) throws {
  try Files.replace(keyPath, with: made.key, permissions: 0o600)
  try Files.replace(certificatePath, with: made.certificate, permissions: 0o644)
  invocation.terminal.print("==> \(what) saved to: \(certificatePath)")
  invocation.terminal.print("==> \(what) key saved to: \(keyPath)")
}

private func address(_ text: String) throws(UsageError) -> [UInt8] {
  var four = in_addr()
  if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
  var six = in6_addr()
  if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: &six) { Array($0) } }
  throw UsageError("flag -additional-ipaddress is a numeric address, not \"\(text)\"")
}

extension String {
  fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
