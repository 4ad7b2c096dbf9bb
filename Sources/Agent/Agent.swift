internal import API
internal import Client
internal import Codec
internal import Glibc
internal import HTTP
internal import Linux
internal import Log
internal import Membership
internal import Model
internal import Server
internal import Storage
internal import Synchronization
internal import Transport

/// One agent: the parts that its configuration asks for, started in order and stopped in the reverse one.
final class Agent: Sendable {
  private let settings: Settings
  private let object: JSONObject
  private let logger: Logger
  private let parts = Mutex<Parts>(Parts())
  private let directory: Mutex<OwnedDirectory?>

  /// What runs. The RPC endpoint and the HTTP server exist before what they serve, so they look here for it.
  private struct Parts {
    var endpoint: RPCEndpoint?
    var server: Server?
    var membership: Membership?
    var joining: Task<Void, Never>?
    var client: Client?
    var api: API?
    var http: HTTPServer?
  }

  init(settings: Settings, object: JSONObject, logger: Logger) {
    self.settings = settings
    self.object = object
    self.logger = logger
    directory = Mutex(nil)
  }

  // MARK: starting

  /// Starts every part; when one fails, those that run are stopped.
  func start() async throws {
    do {
      try await startParts()
    } catch {
      await stop()
      throw error
    }
  }

  private func startParts() async throws {
    let configuration = settings.configuration
    let paths = try OwnedDirectory(configuration.dataDir)
    directory.withLock { $0 = paths }
    let endpoint = try makeEndpoint()
    parts.withLock { $0.endpoint = endpoint }
    var rpcPort = UInt16(clamping: configuration.ports.rpc)
    if configuration.server.enabled {
      rpcPort = try endpoint.listen(address: settings.rpcHost, port: rpcPort)
      var serverConfiguration = try settings.server(
        logPath: paths.directory.logPath, snapshotsPath: paths.directory.snapshotsPath, rpcPort: rpcPort)
      let identity = try ServerIdentity.loadOrMake(in: paths.directory.serverPath)
      serverConfiguration.id = identity
      serverConfiguration.variableCipher = try VariableKey.cipher(
        named: configuration.server.variablesKeyFile, folder: paths.directory.serverPath,
        isOnlyServer: configuration.server.bootstrapExpect == 1)
      let server = try await Server.open(
        serverConfiguration,
        logger: logger.named("server"), clock: { Timestamp(nanoseconds: Clock.realtimeNanoseconds) })
      parts.withLock { $0.server = server }
      server.attach(endpoint)
      let membership = try startMembership(server, identity, paths.directory.serverPath, rpcPort)
      parts.withLock { $0.membership = membership }
    }
    let http = try makeHTTPServer()
    let addresses = try http.start()
    parts.withLock { $0.http = http }
    let httpPort: UInt16 = addresses.lazy.compactMap { if case .tcp(_, let port) = $0 { port } else { nil } }.first ?? 0
    if configuration.client.enabled {
      try await startClient(
        paths.directory.clientStatePath, paths.directory.allocationsPath, endpoint, httpPort: httpPort, rpcPort: rpcPort
      )
    }
    let (server, client, membership) = parts.withLock { ($0.server, $0.client, $0.membership) }
    let information = Information(settings: settings, object: object, server: server, membership: membership)
    let api = API(
      context: APIContext(
        server: server, client: client, membership: membership, agent: information, logger: logger.named("http")))
    parts.withLock { $0.api = api }
    if let membership { try await join(membership) }
    let scheme = settings.configuration.tls.enableHTTP ? "https" : "http"
    for address in addresses { logger.info("agent is ready", (scheme, "\(address)")) }
    giveBackMemoryLater()
  }

  /// What only a start needs (reading the configuration, looking at the host, making tables) is half of the memory that an
  /// idle agent has mapped by then.
  private func giveBackMemoryLater() {
    Task.detached {
      do { try await Task.sleep(for: .seconds(10)) } catch { return }
      // On a thread of its own: trimming the heap may take a millisecond for each 10 MB.
      do { try DetachedThread.start { ProcessMemory.giveBack() } } catch {}
    }
  }

  private func makeEndpoint() throws -> RPCEndpoint {
    let role: RPCRole = settings.configuration.server.enabled ? .server : .client
    let peer = RPCPeer(role: role, region: settings.configuration.region, name: settings.nodeName)
    var configuration = RPCConfiguration(ourselves: peer)
    configuration.security = try TLSFiles(settings.configuration)?.rpc()
    return try RPCEndpoint(
      configuration: configuration,
      handler: { [weak self] request in
        if let server = self?.parts.withLock({ $0.server }), let answer = try await server.handle(request) {
          return answer
        }
        throw RPCError(.unimplemented, "this agent does not answer \(request.method)")
      },
      streamHandler: { [weak self] request, stream in
        let (server, api, client) = self?.parts.withLock { ($0.server, $0.api, $0.client) } ?? (nil, nil, nil)
        if let api, try await HTTPOverRPC.serve(request, stream, api) { return }
        if let client, try await client.handle(request, stream) { return }
        if let server, try await server.handle(request, stream) { return }
        throw RPCError(.unimplemented, "this agent does not answer \(request.method)")
      })
  }

  private func makeHTTPServer() throws -> HTTPServer {
    let port = UInt16(clamping: settings.configuration.ports.http)
    var configuration = HTTPServerConfiguration(addresses: [.tcp(host: settings.httpHost, port: port)])
    configuration.maxConnectionsPerClient = settings.configuration.limits.httpMaxConnsPerClient
    configuration.security = try TLSFiles(settings.configuration)?.http()
    let headers = settings.configuration.httpHeaders
    return try HTTPServer(configuration: configuration) { [weak self] request in
      guard let api = self?.parts.withLock({ $0.api }) else {
        return .text("the agent is starting: ask again", status: .serviceUnavailable)
      }
      var response = await api.respond(to: request)
      for (name, value) in headers { response.headers[name] = value }
      return response
    }
  }

  private func startClient(
    _ statePath: String, _ allocations: String, _ endpoint: RPCEndpoint, httpPort: UInt16, rpcPort: UInt16
  ) async throws {
    let section = settings.configuration.client
    var servers = section.servers + section.serverJoin.retryJoin + section.serverJoin.startJoin
    if settings.configuration.server.enabled {
      let host = settings.advertisedHost
      servers.insert(host.contains(":") ? "[\(host)]:\(rpcPort)" : "\(host):\(rpcPort)", at: 0)
    }
    // Clients that were given the same list do not all go to the same server.
    if !settings.configuration.server.enabled { servers.shuffle() }
    let folder = statePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let configuration = settings.client(
      stateDirectory: folder, allocationDirectory: allocations, servers: servers, httpPort: httpPort,
      supervisorPath: try SupervisorLocation.find())
    let store = try ClientStore(owning: ClientDatabase(opening: statePath))
    let client = Client(configuration: configuration, endpoint: endpoint, store: store, log: logger)
    parts.withLock { $0.client = client }
    try await client.start()
  }

  // MARK: the pool of servers

  private func startMembership(
    _ server: Server, _ id: Identifier, _ folder: String, _ rpcPort: UInt16
  ) throws -> Membership {
    var configuration = try settings.membership(folder: folder, id: id, rpcPort: rpcPort)
    let logger = logger.named("gossip")
    do throws(MembershipError) {
      return try Membership(configuration, logger: logger) { server.poolChanged($0) }
    } catch {
      // A development agent has nobody to gossip with: it takes another port when a second one runs on this host.
      guard settings.isDevelopment, configuration.port == MembershipConfiguration.defaultPort else { throw error }
      configuration.port = 0
      return try Membership(configuration, logger: logger) { server.poolChanged($0) }
    }
  }

  /// Joins as configured: at once where that is a condition for starting, else in the background until it works.
  private func join(_ membership: Membership) async throws {
    let joins = settings.joins
    if !joins.start.isEmpty {
      let result = await membership.join(joins.start)
      guard result.reached > 0 else {
        throw ConfigurationError(
          "start_join reached no server: "
            + result.failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; "))
      }
      logger.info("joined the pool", ("servers", "\(result.reached)"))
    }
    let previous = membership.previousAddresses
    guard !joins.retry.isEmpty || !previous.isEmpty else { return }
    let task = Task { [logger, onFailure] in
      if joins.retry.isEmpty {
        // Nobody asked for these: they are tried for a while, for a server that was in a pool belongs there.
        _ = await Self.retry(previous, membership, max: 10, every: .seconds(5), logger)
      } else if await !Self.retry(joins.retry + previous, membership, max: joins.max, every: joins.interval, logger) {
        onFailure.call("retry_join reached no server in \(joins.max) attempts (retry_max)")
      }
    }
    parts.withLock { $0.joining = task }
  }

  /// - Parameter max: attempts; 0 for any number.
  private static func retry(
    _ addresses: [String], _ membership: Membership, max: Int, every interval: Nanoseconds, _ logger: Logger
  ) async -> Bool {
    var attempt = 0
    while !Task.isCancelled {
      attempt += 1
      let result = await membership.join(addresses)
      if result.reached > 0 {
        logger.info("joined the pool", ("servers", "\(result.reached)"))
        return true
      }
      if max > 0, attempt >= max { return false }
      logger.warn(
        "no server reached, trying again", ("after", "\(interval)"),
        ("errors", result.failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")))
      // Cancelled when the agent stops.
      try? await Task.sleep(for: .nanoseconds(interval.count))
    }
    return true
  }

  /// What ends the agent when it can't go on.
  private let onFailure = FailureAction()

  /// Sets what is done when the agent finds, while it runs, that it can't go on.
  func whenFailed(_ action: @escaping @Sendable (String) -> Void) { onFailure.set(action) }

  // MARK: stopping

  /// Stops every part: no new requests, then the client (whose tasks run on, except in a development agent), then the
  /// server, whose acknowledged writes are on disk.
  /// - Parameter leaving: says goodbye to the other servers, to whom this one else has failed.
  func stop(leaving: Bool = false) async {
    let running = parts.withLock { $0 }
    running.joining?.cancel()
    if leaving { await running.membership?.leave() }
    await running.client?.stop(endingTasks: settings.isDevelopment)
    await running.http?.stop(drain: .seconds(2))
    await running.membership?.stop()
    await running.server?.stop()
    await running.endpoint?.close()
    parts.withLock { $0 = Parts() }
    directory.withLock { $0 = nil }
  }

  /// Whether the configuration asks for a goodbye on this signal.
  func leaves(on signal: Int32) -> Bool {
    signal == SIGINT ? settings.configuration.leaveOnInt : settings.configuration.leaveOnTerm
  }

  /// Reads the configuration again as far as that is possible while running: the log level, the certificates. Connections
  /// that are open go on with what they began with.
  /// - Throws: `ConfigurationError` naming a file that can't be used; then everything is as it was.
  func reload(_ configuration: AgentConfiguration) throws(ConfigurationError) {
    let files = try TLSFiles(configuration)
    let (rpc, http) = (try files?.rpc(), try files?.http())
    let running = parts.withLock { $0 }
    if settings.configuration.tls.enableRPC != configuration.tls.enableRPC
      || settings.configuration.tls.enableHTTP != configuration.tls.enableHTTP
    {
      logger.warn("TLS is switched on or off by a restart only; nothing of it was changed")
    } else {
      running.endpoint?.security = rpc
      if let http { running.http?.replaceCertificate(http.certificate) }
    }
    if let level = LogLevel(named: configuration.logLevel) { logger.level = level }
    logger.info("configuration reloaded", ("log_level", configuration.logLevel))
  }
}

/// An action that is set later than the one who calls it exists.
private final class FailureAction: Sendable {
  private let action = Mutex<(@Sendable (String) -> Void)?>(nil)
  func set(_ action: @escaping @Sendable (String) -> Void) { self.action.withLock { $0 = action } }
  func call(_ reason: String) { action.withLock { $0 }?(reason) }
}

/// The agent's data directory, given up when the last reference goes.
private final class OwnedDirectory: Sendable {
  let directory: DataDirectory

  init(_ path: String) throws(StorageError) { directory = try DataDirectory(owning: path) }
}

/// Finds the supervisor's executable: named by SERAI_SUPERVISOR, or beside this program.
enum SupervisorLocation {
  static func find() throws(ConfigurationError) -> String {
    if let named = getenv("SERAI_SUPERVISOR") { return String(cString: named) }
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard length > 0 else { throw ConfigurationError("/proc/self/exe can't be read: is /proc mounted?") }
    let own = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path =
      own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      + "/serai-supervisor"
    guard access(path, X_OK) == 0 else {
      throw ConfigurationError(
        "\(path) is missing: install serai-supervisor beside serai, or name it in the environment variable SERAI_SUPERVISOR"
      )
    }
    return path
  }
}
