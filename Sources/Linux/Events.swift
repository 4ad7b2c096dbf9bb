internal import CLinux

/// An epoll(7) instance. Each registered descriptor carries a token that comes back with its events.
public struct EventQueue: ~Copyable, Sendable {
  /// What happened, or what to wait for (EPOLL*).
  public struct Interest: OptionSet, Sendable, Hashable {
    /// EPOLL bits.
    public let rawValue: UInt32
    /// Wraps EPOLL bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// EPOLLIN.
    public static let readable = Interest(rawValue: 1)
    /// EPOLLOUT.
    public static let writable = Interest(rawValue: 4)
    /// EPOLLERR: always reported.
    public static let error = Interest(rawValue: 8)
    /// EPOLLHUP: always reported.
    public static let hangUp = Interest(rawValue: 16)
    /// EPOLLRDHUP.
    public static let peerClosed = Interest(rawValue: 0x2000)
    /// EPOLLONESHOT: reported once, then silent until `modify`.
    public static let oneShot = Interest(rawValue: SERAI_EPOLLONESHOT)
  }

  /// One event.
  public struct Event: Sendable, Equatable {
    /// The token given at registration.
    public var token: UInt64
    /// What happened.
    public var events: Interest
  }

  /// The descriptor, for nesting.
  public let descriptor: FileDescriptor

  /// epoll_create1(2).
  public init() throws(SystemError) {
    descriptor = FileDescriptor(adopting: try check(serai_epoll(), "epoll_create1"))
  }

  /// EPOLL_CTL_ADD. The number must stay open until `remove` or close.
  public borrowing func add(_ fd: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try check(serai_epoll_add(descriptor.number, fd, interest.rawValue, token), "epoll_ctl add", "fd \(fd)")
  }

  /// EPOLL_CTL_MOD.
  public borrowing func modify(_ fd: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try check(serai_epoll_modify(descriptor.number, fd, interest.rawValue, token), "epoll_ctl modify", "fd \(fd)")
  }

  /// EPOLL_CTL_DEL.
  public borrowing func remove(_ fd: Int32) throws(SystemError) {
    try check(serai_epoll_remove(descriptor.number, fd), "epoll_ctl remove", "fd \(fd)")
  }

  /// epoll_wait(2): up to 64 events; none after `timeoutMilliseconds` (nil waits for ever) or when interrupted.
  public borrowing func wait(timeoutMilliseconds: Int32?) throws(SystemError) -> [Event] {
    var raw = [serai_event](repeating: serai_event(), count: 64)
    let count = raw.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { serai_epoll_wait(descriptor.number, $0, 64, timeoutMilliseconds ?? -1) } ?? 0
    }
    try check(count, "epoll_wait")
    return raw[..<Int(count)].map { Event(token: $0.token, events: Interest(rawValue: $0.events)) }
  }
}

/// Signals taken from a descriptor instead of a handler (signalfd(2)).
public struct SignalQueue: ~Copyable, Sendable {
  /// Readable when a signal waits.
  public let descriptor: FileDescriptor

  /// Blocks the signals for this thread and takes them from the descriptor. Call before any other thread is started.
  public init(_ signals: [Int32]) throws(SystemError) {
    let mask = signals.reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1 - 1) }
    try check(serai_block_signals(mask), "sigprocmask")
    descriptor = FileDescriptor(adopting: try check(serai_signalfd(mask), "signalfd"))
  }

  /// The next signal, nil when none waits.
  public borrowing func next() throws(SystemError) -> Int32? {
    let signal = try check(serai_signalfd_read(descriptor.number), "read signalfd")
    return signal == 0 ? nil : signal
  }
}

/// A timer on CLOCK_MONOTONIC that makes a descriptor readable (timerfd_create(2)).
public struct Timer: ~Copyable, Sendable {
  /// Readable when the deadline has passed.
  public let descriptor: FileDescriptor

  /// A disarmed timer.
  public init() throws(SystemError) {
    descriptor = FileDescriptor(adopting: try check(serai_timerfd(), "timerfd_create"))
  }

  /// Sets the absolute deadline (CLOCK_MONOTONIC, nanoseconds); nil disarms.
  public borrowing func set(deadlineNanoseconds: Int64?) throws(SystemError) {
    let deadline = deadlineNanoseconds.map { max($0, 1) } ?? 0
    try check(serai_timerfd_set(descriptor.number, deadline), "timerfd_settime")
  }
}

/// A counter that wakes whoever polls it (eventfd(2)), non-blocking.
public struct WakeUp: ~Copyable, Sendable {
  /// Readable after `signal` until `drain`.
  public let descriptor: FileDescriptor

  /// A silent one.
  public init() throws(SystemError) {
    descriptor = FileDescriptor(adopting: try check(serai_eventfd(), "eventfd"))
  }

  /// The descriptor alone, for who only polls.
  public consuming func intoDescriptor() -> FileDescriptor { descriptor }

  /// Wakes the poller; any thread may call it.
  public borrowing func signal() {
    var one: UInt64 = 1
    // A full counter (EAGAIN) is readable already, which is all that is asked.
    _ = serai_write(descriptor.number, &one, 8)
  }

  /// Makes it silent again.
  public borrowing func drain() {
    var count: UInt64 = 0
    // EAGAIN: it was silent.
    _ = serai_read(descriptor.number, &count, 8)
  }
}

/// poll(2) of one descriptor.
public func poll(_ fd: borrowing FileDescriptor, _ interest: EventQueue.Interest, timeoutMilliseconds: Int32)
  throws(SystemError) -> EventQueue.Interest
{
  let events = serai_poll(fd.number, Int32(interest.rawValue & 0xffff), timeoutMilliseconds)
  return EventQueue.Interest(rawValue: UInt32(try check(events, "poll", "fd \(fd.number)")))
}
