internal import CLinux

/// Threads of our own, for blocking system calls (never on Swift's cooperative pool).
public enum DetachedThread {
  /// Runs `body` once on a new detached thread.
  ///
  /// - Parameters:
  ///   - name: what ps and top show; the kernel keeps 15 bytes. Empty: the program's name.
  ///   - stackBytes: address space for its stack, at least 16 KiB; 0 for the C library's default (`ulimit -s`, 8 MiB).
  /// - Throws: EAGAIN when the limit on threads is reached.
  public static func start(
    named name: String = "", stackBytes: Int = 256 << 10, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    let box = Unmanaged.passRetained(ThreadBody(name: name, run: body))
    let result = serai_thread(stackBytes, box.toOpaque()) { context in
      guard let context else { return }
      let body = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
      if !body.name.isEmpty { serai_name_thread(body.name) }
      body.run()
    }
    if result < 0 { box.release() }
    try check(
      result, "pthread_create", name,
      advice: "the limit on threads is reached: raise it (ulimit -u, pids.max of the cgroup, kernel.threads-max)")
  }
}

private final class ThreadBody: Sendable {
  let name: String
  let run: @Sendable () -> Void
  init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
}

/// A thread whose end somebody waits for.
public final class JoinableThread: Sendable {
  private let ended = Semaphore()

  /// As `DetachedThread.start`.
  public init(
    named name: String = "", stackBytes: Int = 256 << 10, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    try DetachedThread.start(named: name, stackBytes: stackBytes) { [ended] in
      body()
      ended.signal()
    }
  }

  /// Blocks until `body` has returned; not from the thread itself. May be called again, and by several threads.
  public func join() {
    ended.wait()
    ended.signal()
  }
}

/// A counting semaphore (`sem_init(3)`), 0 at first.
///
/// Sendable: the kernel object is made to be used from many threads; the pointer is set once and freed only when no
/// reference to this object, and so no call on it, is left.
public final class Semaphore: @unchecked Sendable {
  private let semaphore: OpaquePointer

  /// Starts at 0.
  public init() { semaphore = serai_semaphore_create() }

  deinit { serai_semaphore_destroy(semaphore) }

  /// Adds one and wakes a waiter, if there is one.
  public func signal() { serai_semaphore_post(semaphore) }

  /// Blocks until there is one to take, and takes it.
  public func wait() { serai_semaphore_wait(semaphore) }

  /// The same, but no longer than until a time.
  /// - Parameter deadline: in `Clock.monotonicNanoseconds`.
  /// - Returns: false when there was nothing to take by then.
  public func wait(until deadline: Int64) -> Bool { serai_semaphore_wait_until(semaphore, max(0, deadline)) == 1 }
}
