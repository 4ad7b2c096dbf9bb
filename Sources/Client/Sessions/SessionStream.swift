internal import Linux
internal import Synchronization

/// This agent's end of one stream of a session: a pipe or the master side of a terminal, read and written without ever
/// blocking a thread of Swift's pool.
///
/// A thread of its own waits in poll(2) whenever there is nothing to do, so back-pressure is the pipe's own.
final class SessionStream: Sendable {
  private let descriptor: FileDescriptor
  /// Readable once `stop` was called; in the queue beside the descriptor.
  private let wakeUp: WakeUp
  private let reading: EventQueue
  private let writing: EventQueue
  private let stopped = Atomic<Bool>(false)
  /// Bytes that are still handed out after `stop`: more than a pipe and a terminal hold, but not what another process
  /// keeps on writing.
  private let rest = Atomic<Int>(1 << 20)

  private static let pieceBytes = 32 << 10

  /// Takes a number of ours.
  /// - Parameters:
  ///   - reads: whether `read` is used.
  ///   - writes: whether `write` is used.
  init(adopting number: Int32, reads: Bool, writes: Bool) throws(SystemError) {
    descriptor = FileDescriptor(adopting: number)
    wakeUp = try WakeUp()
    reading = try EventQueue()
    writing = try EventQueue()
    try descriptor.setNonBlocking(true)
    for (queue, isUsed) in [(0, reads), (1, writes)] where isUsed {
      if queue == 0 {
        try reading.add(number, .readable, token: 0)
        try reading.add(wakeUp.descriptor.number, .readable, token: 1)
      } else {
        try writing.add(number, .writable, token: 0)
        try writing.add(wakeUp.descriptor.number, .readable, token: 1)
      }
    }
  }

  /// The next bytes; empty at the end of the stream, or after `stop` when there are none at once.
  func read() async -> [UInt8] {
    while true {
      do throws(SystemError) {
        let bytes = try descriptor.read(upTo: Self.pieceBytes)
        if stopped.load(ordering: .acquiring),
          rest.wrappingSubtract(bytes.count, ordering: .relaxed).oldValue <= 0
        {
          return []
        }
        return bytes
      } catch {
        if error.errno == .interrupted { continue }
        // EIO: the last holder of a terminal's other side has closed it.
        guard error.errno == .wouldBlock, !stopped.load(ordering: .acquiring) else { return [] }
        await wait(reading: true)
      }
    }
  }

  /// Writes all bytes; false when nobody reads them any more.
  func write(_ bytes: [UInt8]) async -> Bool {
    var done = 0
    while done < bytes.count {
      if stopped.load(ordering: .acquiring) { return false }
      do throws(SystemError) {
        done += try descriptor.write(bytes, from: done)
      } catch {
        if error.errno == .interrupted { continue }
        guard error.errno == .wouldBlock else { return false }
        await wait(reading: false)
      }
    }
    return true
  }

  /// Nothing more is waited for.
  func stop() {
    stopped.store(true, ordering: .releasing)
    wakeUp.signal()
  }

  /// TIOCSWINSZ, for a terminal's master.
  func resize(rows: Int, columns: Int) {
    // A size that cannot be set leaves the old one: the program is no worse off.
    try? Terminal.resize(descriptor, rows: UInt16(clamping: rows), columns: UInt16(clamping: columns))
  }

  private func wait(reading: Bool) async {
    await withCheckedContinuation { continuation in
      do throws(SystemError) {
        try DetachedThread.start(stackBytes: 64 << 10) { [self] in
          // A queue that cannot be waited on is looked at again at once: the next read says what is wrong.
          _ =
            reading
            ? try? self.reading.wait(timeoutMilliseconds: nil) : try? writing.wait(timeoutMilliseconds: nil)
          continuation.resume()
        }
      } catch {
        // No thread to be had: the session ends rather than hang.
        stop()
        continuation.resume()
      }
    }
  }
}
