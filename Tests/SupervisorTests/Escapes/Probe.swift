import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// The program of Tests/IsolationProbes, built with the system's C compiler, static so that it runs in any root.
enum Probe {
  private static let built = Result { try build() }

  /// The program's bytes.
  static func program() throws -> [UInt8] { try built.get() }

  private static func build() throws -> [UInt8] {
    let folder = Files.parent(of: Files.parent(of: Files.parent(of: #filePath))) + "/IsolationProbes/attempts"
    let sources = try FileDescriptor.open(folder, [.readOnly, .directory]).entries().map(\.name)
      .filter { $0.hasSuffix(".c") }.sorted().map { "\(folder)/\($0)" }
    let output = "/tmp/serai-probe-\(getpid())"
    defer { unlink(output) }
    try run("/usr/bin/cc", ["-std=gnu17", "-O1", "-static", "-o", output] + sources)
    return try Files.read(output)
  }

  /// Runs a program of this machine to its end, which must be a success.
  static func run(_ path: String, _ arguments: [String]) throws {
    let pid = try SpawnRequest(
      path: path, arguments: [path] + arguments, environment: ["PATH=/usr/local/bin:/usr/bin:/bin"]
    ).start()
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    guard status == 0 else {
      throw SystemError(
        "run", "\(path) \(arguments.joined(separator: " "))", .invalidArgument,
        advice: "it ended with \(status); are gcc and libc6-dev installed?")
    }
  }
}

/// What the attempts aim at: files, sockets and a process of the host, which exist for one test.
final class Targets: Sendable {
  let base: String
  private let process: Int32
  private let abstract: FileDescriptor
  private let port: FileDescriptor
  private let file: FileDescriptor
  private let number: UInt16

  /// Makes them. `laid` is the host directory of which tasks see a copy.
  init(_ fixture: Fixture) throws {
    base = fixture.base + "/targets"
    for part in ["laid", "volume", "outside"] { try Files.makeDirectories("\(base)/\(part)") }
    try Files.replace(base + "/outside/secret", with: Array("outside".utf8), permissions: 0o644)
    try Files.replace(base + "/volume/private", with: Array("private".utf8), permissions: 0o640)
    try Files.replace(base + "/volume/group", with: Array("group".utf8), permissions: 0o640)
    // The user of the host's tasks, so that only the walls stand between: same user, same rights.
    var request = SpawnRequest(
      path: "/usr/bin/setpriv",
      arguments: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sleep", "1000"],
      environment: ["PATH=/usr/bin:/bin", "MARKER=environment"])
    request.newSession = true
    process = try request.start()
    abstract = try Self.listenAbstract(fixture.name)
    port = try Self.listenLoopback()
    number = try Self.portNumber(of: port)
    file = try Self.listenFile(base + "/socket")
    try resetLaid()
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  /// Puts the sacrificial file back to what it was.
  func resetLaid() throws {
    try Files.replace(base + "/laid/file", with: Array("laid".utf8), permissions: 0o644)
  }

  /// Whether the sacrificial file is untouched, which a task's user cannot fake: content, mode, owner and change time.
  func laidState() throws -> String {
    let status = try FileStatus.of(base + "/laid/file")
    let text = try Files.readText(base + "/laid/file")
    return "\(text) \(status.permissions) \(status.uid) \(status.gid) \(status.links) \(status.changedNanoseconds)"
  }

  /// The probe's environment: where the targets are, seen from inside or outside of a root.
  func environment(name: String, insideRoot: Bool) -> [String] {
    [
      "PROBE_PID=\(process)", "PROBE_ABSTRACT=\(name)", "PROBE_PORT=\(number)",
      "PROBE_SOCKET=\(base)/socket",
      "PROBE_OUTSIDE=\(base)/outside/secret",
      "PROBE_LAID=\(insideRoot ? "/laid" : base + "/laid")/file",
      "PROBE_PRIVATE=\(insideRoot ? "/volume" : base + "/volume")/private",
      "PROBE_ROOT_GROUP=\(insideRoot ? "/volume" : base + "/volume")/group",
    ]
  }

  private static func listenAbstract(_ name: String) throws -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let length = MemoryLayout<sa_family_t>.size + 1 + name.utf8.count
    withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (index, byte) in name.utf8.enumerated() { room[index + 1] = byte }
    }
    return try bound(AF_UNIX, &address, socklen_t(length))
  }

  private static func listenFile(_ path: String) throws -> FileDescriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (index, byte) in path.utf8.enumerated() { room[index] = byte }
    }
    let descriptor = try bound(AF_UNIX, &address, socklen_t(MemoryLayout<sockaddr_un>.size))
    _ = chmod(path, 0o777)
    return descriptor
  }

  private static func listenLoopback() throws -> FileDescriptor {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return try bound(AF_INET, &address, socklen_t(MemoryLayout<sockaddr_in>.size))
  }

  private static func portNumber(of descriptor: borrowing FileDescriptor) throws -> UInt16 {
    var address = sockaddr_in()
    let number = descriptor.number
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutableBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { getsockname(number, $0.baseAddress, &length) }
    }
    try #require(result == 0)
    return UInt16(bigEndian: address.sin_port)
  }

  private static func bound<Address>(_ family: Int32, _ address: inout Address, _ length: socklen_t) throws
    -> FileDescriptor
  {
    let number = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    try #require(number >= 0)
    let descriptor = FileDescriptor(adopting: number)
    let result = withUnsafeMutableBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { bind(number, $0.baseAddress, length) }
    }
    try #require(result == 0 && listen(number, 64) == 0, "bind: \(errno)")
    return descriptor
  }
}

/// Runs the probe in a task and returns what came of each attempt.
struct ProbeRun {
  let fixture: Fixture
  let client: SupervisorClient

  /// - Parameter names: the attempts to make; none: all.
  func outcomes(
    _ id: String, _ targets: Targets, only names: [String] = [], change: (inout Sandbox) -> Void
  ) async throws -> [String: String] {
    let laid = targets.base + "/laid"
    let volume = targets.base + "/volume"
    var spec = try fixture.spec(id, Command("/local/probe", arguments: names)) {
      $0.root?.entries.append(ChrootEntry(laid, "/laid"))
      $0.mounts = [.bind(volume, at: "/volume")]
      change(&$0)
    }
    let program = try installProbe(for: id)
    let hasRoot = spec.sandbox.root != nil
    spec.sandbox.command.environment += targets.environment(name: fixture.name, insideRoot: hasRoot)
    if !hasRoot { spec.sandbox.command.name = program }
    _ = try await client.start(spec)
    let exit = try await client.exit(of: spec.id, seconds: 240)
    let log = fixture.log(id)
    try #require(exit.exitCode == 0, "\(id): \(exit), \(fixture.log(id, "stderr")), \(log.suffix(200))")
    try await client.acknowledge(spec.id)
    return Self.outcomes(in: log)
  }

  /// The same by a command that is run inside a task that does nothing itself.
  func outcomesOfSession(_ id: String, _ targets: Targets, change: (inout Sandbox) -> Void) async throws
    -> [String: String]
  {
    let volume = targets.base + "/volume"
    let laid = targets.base + "/laid"
    let spec = try fixture.spec(id, Command("sleep", arguments: ["1000"])) {
      $0.root?.entries.append(ChrootEntry(laid, "/laid"))
      $0.mounts = [.bind(volume, at: "/volume")]
      $0.command.environment += targets.environment(name: fixture.name, insideRoot: true)
      change(&$0)
    }
    _ = try installProbe(for: id)
    _ = try await client.start(spec)
    let path = fixture.base + "/session.out"
    let output = try FileDescriptor.open(path, [.readWrite, .create, .truncate], permissions: 0o600)
    let null = try FileDescriptor.open("/dev/null", [.readWrite])
    let exit = try await client.execute(
      Command("/local/probe"), in: spec.id, streams: [null.number, output.number, output.number])
    let text = try Files.readText(path)
    try #require(exit.exitCode == 0, "session \(id): \(exit), \(text.suffix(200))")
    try await client.kill(spec.id)
    _ = try await client.exit(of: spec.id)
    try await client.acknowledge(spec.id)
    return Self.outcomes(in: text)
  }

  private func installProbe(for id: String) throws -> String {
    let program = "\(fixture.base)/\(id)/local/probe"
    try Files.replace(program, with: Probe.program(), permissions: 0o755)
    return program
  }

  private static func outcomes(in text: String) -> [String: String] {
    var outcomes: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "\t").map(String.init)
      if fields.count == 2 { outcomes[fields[0]] = fields[1] }
    }
    return outcomes
  }
}

extension Sandbox {
  /// Takes every wall away but a mount namespace, in which the attempts can do no harm.
  mutating func takeWallsAway(user: String? = nil) {
    var bare = Sandbox.unconfined(command)
    bare.namespaces = [.mount]
    bare.user = user
    if user != nil { bare.capabilities = [] }
    self = bare
  }

  /// Leaves one wall standing.
  mutating func leaveOnly(_ wall: Wall) {
    let root = root
    let mounts = mounts
    let namespaces = namespaces
    takeWallsAway()
    switch wall {
    case .filter:
      seccomp = .standard
      noNewPrivileges = true
    case .identity:
      user = "nobody"
      capabilities = Capability.defaultNames
    case .root:
      self.root = root
      self.mounts = mounts
      self.namespaces = namespaces
    case .devices:
      limits.devices = DeviceRule.standard
    case .userNamespace:
      self.root = root
      self.mounts = mounts
      self.namespaces = namespaces
      userNamespace = UserNamespaceChecks.range
      user = "root"
    }
  }
}
