internal import CLinux

/// Starts programs without copying this process's memory (posix_spawn(3)): the way for large or threaded processes.
public struct SpawnRequest: Sendable {
  /// The program.
  public var path: String
  /// argv, the program's name included.
  public var arguments: [String]
  /// "NAME=value" lines.
  public var environment: [String]
  /// Numbers that become 0, 1 and 2; nil: /dev/null.
  public var streams: [Int32?] = [nil, nil, nil]
  /// Numbers that become 3, 4, …; at most 16.
  public var extra: [Int32] = []
  /// Whether to begin a new session.
  public var newSession = false

  /// A program with its arguments.
  public init(path: String, arguments: [String], environment: [String]) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// Starts it and returns its pid; the caller must wait for it, or be its session's last parent.
  public func start() throws(SystemError) -> Int32 {
    let streams = (0..<3).map { index in index < self.streams.count ? self.streams[index] ?? -1 : -1 }
    let pid = withCStrings(arguments) { argv in
      withCStrings(environment) { envp in
        streams.withUnsafeBufferPointer { streams in
          extra.withUnsafeBufferPointer { extra in
            streams.baseAddress.map {
              serai_spawn(path, argv, envp, $0, extra.baseAddress, Int32(extra.count), newSession ? 1 : 0)
            } ?? -22
          }
        }
      }
    }
    return try check(pid, "posix_spawn", path)
  }
}
