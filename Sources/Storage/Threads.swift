import Glibc

/// A counting semaphore (`sem_init(3)`).
///
/// Sendable: the kernel object is made to be used from many threads; the pointer is set once and freed only when no
/// reference to this object, and so no call on it, is left.
final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0, errno == EINTR {}
  }
}

/// Starts a detached thread; returns 0 or the error of `pthread_create(3)`.
///
/// A thread of its own and not a task: its work blocks on the disk, which Swift's cooperative pool must never do.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
  final class Start: Sendable {
    let body: @Sendable () -> Void
    let name: String
    init(_ body: @escaping @Sendable () -> Void, _ name: String) { (self.body, self.name) = (body, name) }
  }
  let start = Unmanaged.passRetained(Start(body, String(name.prefix(15))))
  var thread = pthread_t()
  let result = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
      // The name is for people who look at ps; a kernel without /proc runs the thread all the same.
      if let comm = try? Files.Descriptor(opening: "/proc/thread-self/comm", flags: O_WRONLY) {
        try? comm.write(Array(start.name.utf8))
      }
      start.body()
      return nil
    }, start.toOpaque())
  guard result == 0 else {
    start.release()
    return result
  }
  pthread_detach(thread)
  return 0
}
