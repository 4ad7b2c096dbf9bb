internal import Linux

/// Finds the node's supervisor, or starts it: in a session and a cgroup of its own, so that nothing that happens to the
/// agent reaches it.
public struct SupervisorLauncher: Sendable {
  /// Path of the `serai-supervisor` program.
  public var executable: String
  /// Root-only directory, on a tmpfs where there is one (`/run/serai`): socket, journal, log pipes. One supervisor each.
  public var runtimeDirectory: String
  /// Name of the cgroup that holds the supervisor's and the tasks'.
  public var cgroup: String
  /// Where the supervisor's own messages go; nil: nowhere.
  public var logFile: String?

  /// A launcher.
  public init(executable: String, runtimeDirectory: String, cgroup: String = "serai", logFile: String? = nil) {
    self.executable = executable
    self.runtimeDirectory = runtimeDirectory
    self.cgroup = cgroup
    self.logFile = logFile
  }

  /// The socket's path.
  public var socketPath: String { runtimeDirectory + "/supervisor.sock" }

  /// Connects to the running supervisor; starts one first when there is none. Blocks (at most about 10 s): call it from
  /// a thread of your own, or use `connect`.
  public func connectBlocking() throws(SupervisorError) -> SupervisorClient {
    if let client = try? SupervisorClient(connectingTo: socketPath) { return client }
    do {
      try Files.makeDirectories(runtimeDirectory, permissions: 0o700)
      var request = SpawnRequest(
        path: executable, arguments: ["serai-supervisor", "-runtime", runtimeDirectory, "-cgroup", cgroup],
        environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
      request.newSession = true
      if let logFile {
        let log = try FileDescriptor.open(logFile, [.writeOnly, .create, .append], permissions: 0o600)
        request.streams = [nil, nil, log.number]
        try Self.runToEnd(request)
      } else {
        try Self.runToEnd(request)
      }
    } catch {
      throw SupervisorError(.system, "start the supervisor: \(error)")
    }
    // It daemonizes: the started process has ended when the socket answers. Two launchers may race; the loser's
    // supervisor finds the lock taken and ends, and both connect to the winner's.
    let deadline = Clock.monotonicNanoseconds + 10_000_000_000
    var last = SupervisorError(.disconnected, "no answer")
    while Clock.monotonicNanoseconds < deadline {
      do {
        return try SupervisorClient(connectingTo: socketPath)
      } catch {
        last = error
      }
      Clock.sleep(nanoseconds: 2_000_000)
    }
    throw SupervisorError(
      .disconnected, "the supervisor did not come up within 10 s: \(last.message); see \(logFile ?? "its log")")
  }

  /// The started process ends at once (its child is the supervisor): it is waited for, so that no zombie stays.
  private static func runToEnd(_ request: SpawnRequest) throws(SystemError) {
    let process = try ProcessHandle.open(pid: try request.start())
    _ = try poll(process.descriptor, .readable, timeoutMilliseconds: 5000)
    _ = try process.reap()
  }

  /// `connectBlocking` on a thread of its own.
  public func connect() async throws(SupervisorError) -> SupervisorClient {
    let result: Result<SupervisorClient, SupervisorError> = await withCheckedContinuation { continuation in
      do {
        try DetachedThread.start {
          do throws(SupervisorError) {
            continuation.resume(returning: .success(try connectBlocking()))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        }
      } catch {
        continuation.resume(returning: .failure(SupervisorError(.system, "\(error)")))
      }
    }
    return try result.get()
  }
}
