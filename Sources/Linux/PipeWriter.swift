internal import CLinux

/// The one thread that moves bytes from pipes into files (serai_writer.c), seen from the event loop that owns it.
/// One per process; not to be used from two threads.
public struct PipeWriter: ~Copyable {
  /// Readable when finished jobs wait.
  public let descriptor: FileDescriptor

  /// A finished job.
  public struct Outcome: Sendable {
    /// The token given to `submit`.
    public var token: UInt64
    /// Bytes moved; 0: no writer is left on the pipe.
    public var moved: Int
    /// Why nothing was moved.
    public var errno: Errno?
  }

  /// Starts the thread.
  public init() throws(SystemError) {
    descriptor = FileDescriptor(adopting: try check(serai_writer_start(), "start writer thread"))
  }

  /// Asks to move up to `count` bytes that are in the pipe into `file` at `offset` (nil: to throw them away). Both
  /// descriptors must stay open until the outcome is taken.
  public borrowing func submit(token: UInt64, pipe: Int32, file: Int32?, offset: Int64, count: Int) throws(SystemError)
  {
    var job = serai_writer_job()
    job.token = token
    job.pipe = pipe
    job.file = file ?? -1
    job.offset = offset
    job.count = UInt32(count)
    try check(serai_writer_submit(&job), "submit to the writer thread", advice: "too many unfinished jobs")
  }

  /// The next finished job; nil when there is none. Drain the descriptor first.
  public borrowing func next() -> Outcome? {
    var job = serai_writer_job()
    guard serai_writer_take(&job) == 1 else { return nil }
    return Outcome(
      token: job.token, moved: Int(max(job.result, 0)), errno: job.result < 0 ? Errno(rawValue: -job.result) : nil)
  }

  /// Silences `descriptor`.
  public borrowing func drain() {
    var count: UInt64 = 0
    _ = serai_read(descriptor.number, &count, 8)
  }
}
