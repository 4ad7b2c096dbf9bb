internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization

/// Something with a descriptor that the reactor watches.
package protocol Pollable: AnyObject, Sendable {
  /// Handles readiness, on the reactor's thread. Must not block. True if there is more to do at once.
  func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool
  /// When `timer` is to be called at the earliest; monotonic nanoseconds.
  var nextTimer: UInt64 { get }
  func timer(now: UInt64)
  /// The reactor has stopped: lets go of the descriptor.
  func abandon()
}

/// One thread around epoll(7) that serves all sockets of an endpoint, and their timers.
package final class Reactor: Sendable {
  private struct State {
    var sources: [UInt64: any Pollable] = [:]
    var lastToken: UInt64 = 0
    var stopping = false
  }

  private let state = Mutex(State())
  private let thread = Mutex<JoinableThread?>(nil)
  private let epoll: Int32
  private let wake: Int32
  /// When the thread looks at the timers next. A timer that is due later needs no waking.
  private let nextSweep = Atomic<UInt64>(.max)
  private static let wakeToken: UInt64 = 0
  /// Timers are looked at no more often than this; a deadline may be late by as much.
  private static let sweepGap: UInt64 = 5_000_000

  /// - Parameter name: of the thread, at most 15 bytes.
  package init(named name: String = "rpc-reactor") throws(RPCError) {
    epoll = serai_net_epoll_create()
    guard epoll >= 0 else { throw .system("epoll_create for", "the RPC endpoint", -epoll) }
    wake = serai_net_eventfd()
    guard wake >= 0 else {
      close(epoll)
      throw .system("eventfd for", "the RPC endpoint", -wake)
    }
    let result = serai_net_epoll_control(epoll, 1, wake, SERAI_NET_EPOLLIN, Self.wakeToken)
    guard result == 0 else {
      close(epoll)
      close(wake)
      throw .system("epoll_ctl for", "the RPC endpoint", -result)
    }
    do throws(SystemError) {
      let started = try JoinableThread(named: name, stackBytes: 0) { [self] in run() }
      thread.withLock { $0 = started }
    } catch {
      close(epoll)
      close(wake)
      throw .system("pthread_create for", "the RPC endpoint", error.errno.rawValue)
    }
  }

  deinit {
    close(epoll)
    close(wake)
  }

  /// Watches a descriptor, edge-triggered, both directions, until `remove`.
  package func add(_ source: any Pollable, _ descriptor: Int32) throws(RPCError) -> UInt64 {
    let token = state.withLock { state in
      state.lastToken += 1
      state.sources[state.lastToken] = source
      return state.lastToken
    }
    let events = SERAI_NET_EPOLLIN | SERAI_NET_EPOLLOUT | SERAI_NET_EPOLLRDHUP | SERAI_NET_EPOLLET
    let result = serai_net_epoll_control(epoll, 1, descriptor, events, token)
    guard result == 0 else {
      state.withLock { $0.sources[token] = nil }
      throw .system("epoll_ctl for", "a connection", -result)
    }
    due(at: source.nextTimer)
    return token
  }

  package func remove(_ token: UInt64, _ descriptor: Int32) {
    _ = serai_net_epoll_control(epoll, 2, descriptor, 0, 0)
    state.withLock { $0.sources[token] = nil }
  }

  /// A timer is due at that time; wakes the thread if it would sleep longer.
  package func due(at time: UInt64) {
    guard time < nextSweep.load(ordering: .relaxed) else { return }
    let (exchanged, _) = lowerSweep(to: time)
    if exchanged { serai_net_eventfd_signal(wake) }
  }

  /// Ends the thread and waits for it; not from the thread itself.
  package func stop() {
    state.withLock { $0.stopping = true }
    serai_net_eventfd_signal(wake)
    thread.withLock { $0.take() }?.join()
  }

  /// Lets go of what it still watches; after `stop`.
  package func clear() -> [any Pollable] {
    state.withLock { state in
      defer { state.sources = [:] }
      return Array(state.sources.values)
    }
  }

  private func lowerSweep(to time: UInt64) -> (Bool, UInt64) {
    var current = nextSweep.load(ordering: .relaxed)
    while time < current {
      let (exchanged, original) = nextSweep.compareExchange(
        expected: current, desired: time, ordering: .sequentiallyConsistent)
      if exchanged { return (true, time) }
      current = original
    }
    return (false, current)
  }

  private func run() {
    var ready = [serai_net_ready](repeating: serai_net_ready(), count: 64)
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    var unfinished: [UInt64] = []
    while true {
      let count = serai_net_epoll_wait(epoll, &ready, 64, unfinished.isEmpty ? timeout() : 0)
      let again = unfinished
      unfinished = []
      for token in again { serve(token, 0, &buffer, &unfinished) }
      for index in 0..<max(0, Int(count)) {
        if ready[index].token == Self.wakeToken {
          serai_net_eventfd_clear(wake)
        } else {
          serve(ready[index].token, ready[index].events, &buffer, &unfinished)
        }
      }
      if state.withLock({ $0.stopping }) { return }
      let now = UInt64(Clock.monotonicNanoseconds)
      if now >= nextSweep.load(ordering: .relaxed) { sweep(now) }
    }
  }

  private func serve(_ token: UInt64, _ events: UInt32, _ buffer: inout [UInt8], _ unfinished: inout [UInt64]) {
    guard let source = state.withLock({ $0.sources[token] }) else { return }
    if source.ready(events, &buffer), !unfinished.contains(token) { unfinished.append(token) }
  }

  /// Milliseconds until the next look at the timers, rounded up; -1 for ever.
  private func timeout() -> Int32 {
    let next = nextSweep.load(ordering: .sequentiallyConsistent)
    guard next != .max else { return -1 }
    let now = UInt64(Clock.monotonicNanoseconds)
    return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
  }

  private func sweep(_ now: UInt64) {
    // Open first: whoever sets a timer during the sweep lowers it again.
    nextSweep.store(.max, ordering: .sequentiallyConsistent)
    let sources = state.withLock { Array($0.sources.values) }
    var earliest = UInt64.max
    for source in sources {
      if source.nextTimer <= now { source.timer(now: now) }
      earliest = min(earliest, source.nextTimer)
    }
    if earliest != .max { _ = lowerSweep(to: max(earliest, now &+ Self.sweepGap)) }
  }
}
