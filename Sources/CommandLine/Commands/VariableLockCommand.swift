internal import Codec
internal import Glibc
internal import HTTP
internal import Linux
internal import Model
internal import Synchronization

let variableLock = Command(
  path: ["var", "lock"], arguments: "<path or @file> <command> [args...]",
  summary: "Run a command while holding a variable's lock",
  details: """
    Waits until the lock is free, runs the command, and gives the lock back when
    it has ended; its exit status is this command's. The lock is renewed while
    the command runs. When that fails the lock is lost, and the command is ended
    with SIGTERM, after five seconds with SIGKILL.
    """,
  flags: [
    .value("ttl", "time", "The lock is lost when it is not renewed for so long: 10s to 24h. Default: 15s."),
    .value("delay", "time", "Nobody gets the lock so soon after it was lost. Default: 15s."),
    .value("max-retry", "number", "Give up after so many attempts; 0 for never. Default: 5."),
    .value("shell", "true|false", "Run the command with SHELL, or /bin/sh. Default: true."), verboseFlag,
  ], flagsEndAtArgument: 1
) { invocation in
  var command = Array(invocation.arguments.dropFirst())
  if command.first == "--" { command.removeFirst() }
  guard !command.isEmpty else { throw UsageError("a path and a command are needed") }
  let attempts = try invocation.parsed.integer("max-retry") ?? 5
  var asked = try givenVariable(invocation)
  var lock = asked.lock ?? VariableLock()
  if let ttl = invocation.parsed.value("ttl") { lock.ttl = ttl }
  if let delay = invocation.parsed.value("delay") { lock.lockDelay = delay }
  asked.lock = lock
  let holder = VariableLockHolder(invocation)
  let held = try holder.acquire(asked, attempts: Int(attempts))
  let usesShell = invocation.parsed.value("shell") != "false"
  return try holder.run(command, usesShell: usesShell, holding: held)
}

/// Whether somebody wants this command to end. A signal's handler can do no more than set it.
private let isInterrupted = Atomic<Bool>(false)

/// Holds a lock for as long as a child runs.
private struct VariableLockHolder {
  let invocation: Invocation

  init(_ invocation: Invocation) { self.invocation = invocation }

  /// Waits between two attempts to get a lock that another one holds.
  private static let retryMicroseconds: UInt32 = 1_000_000
  private static let pollMicroseconds: UInt32 = 50_000
  /// Nanoseconds between SIGTERM and SIGKILL.
  private static let killTimeout: Int64 = 5_000_000_000

  func acquire(_ variable: Variable, attempts: Int) throws -> Variable {
    var attempt = 0
    while true {
      attempt += 1
      do {
        let held = try change(variable, "lock-acquire")
        if invocation.has("verbose") { invocation.terminal.print("Lock on \"\(variable.path)\" acquired") }
        return held
      } catch let error as APIError where error.status == .conflict {
        if attempts > 0, attempt >= attempts {
          throw CommandFailure("Variable \"\(variable.path)\" is locked by another: gave up after \(attempt) attempts")
        }
        usleep(Self.retryMicroseconds)
      }
    }
  }

  private func change(_ variable: Variable, _ operation: String) throws -> Variable {
    try invocation.client.put(
      variablePath(variable.path), [operation: ""], body: variable,
      namespace: variable.namespace.isEmpty ? nil : variable.namespace)
  }

  /// - Returns: the command's exit status, as shells tell it.
  func run(_ command: [String], usesShell: Bool, holding variable: Variable) throws -> Int32 {
    var holding = variable
    // What the variable has is not sent again.
    holding.items = [:]
    let child: ProcessHandle
    do {
      child = try start(command, usesShell: usesShell)
    } catch {
      _ = try? change(holding, "lock-release")
      throw error
    }
    let ttl = Nanoseconds(parsing: variable.lock?.ttl ?? "") ?? .seconds(15)
    // Three chances before it is lost.
    let interval = ttl.count / 3
    var next = Clock.monotonicNanoseconds + interval
    var failures = 0
    var lost: (any Error)?
    var killedAt: Int64?
    while true {
      if let status = try child.reap() {
        if let lost {
          throw CommandFailure("The lock on \"\(variable.path)\" was lost, the command was ended: \(lost)")
        }
        do {
          _ = try change(holding, "lock-release")
        } catch {
          invocation.terminal.printError("The lock could not be given back, it ends by itself: \(error)")
        }
        return status.exitCode ?? 128 + (status.signal ?? 0)
      }
      let now = Clock.monotonicNanoseconds
      if lost != nil || isInterrupted.load(ordering: .relaxed) {
        if killedAt == nil { try child.signal(SIGTERM) }
        if let killedAt, now > killedAt { try child.signal(SIGKILL) }
        killedAt = killedAt ?? now + Self.killTimeout
      } else if now >= next {
        do {
          _ = try change(holding, "lock-renew")
          failures = 0
        } catch {
          failures += 1
          if (error as? APIError)?.status == .conflict || failures >= 3 { lost = error }
        }
        next = now + interval
      }
      usleep(Self.pollMicroseconds)
    }
  }

  private func start(_ command: [String], usesShell: Bool) throws -> ProcessHandle {
    let shell = invocation.environment["SHELL"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/bin/sh"
    let program = usesShell ? [shell, "-c", command.joined(separator: " ")] : command
    guard let path = program.first, path.hasPrefix("/") || usesShell else {
      throw CommandFailure("Without a shell the command must be an absolute path, not \"\(program.first ?? "")\"")
    }
    var request = SpawnRequest(
      path: path, arguments: program, environment: invocation.environment.map { "\($0.key)=\($0.value)" }.sorted())
    request.streams = [0, 1, 2]
    do throws(SystemError) {
      let child = try ProcessHandle.open(pid: try request.start())
      // The child has these signals as they were: one of the terminal ends it, and then us in order.
      signal(SIGINT, SIG_IGN)
      signal(SIGTERM) { _ in isInterrupted.store(true, ordering: .relaxed) }
      return child
    } catch {
      throw CommandFailure("The command can't be started: \(error)")
    }
  }
}
