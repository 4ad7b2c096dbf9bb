internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization

/// One thread for the whole process that tells upgraded sockets when they can be read or written. It starts with the
/// first upgraded connection.
final class SocketLoop: Sendable {
  /// nil if the kernel gave no descriptor or thread for it.
  static let shared: SocketLoop? = SocketLoop()

  private let epoll: Int32
  private let sockets = Mutex<[UInt64: HTTPUpgradedSocket]>([:])
  private let lastToken = Atomic<UInt64>(0)

  private init?() {
    epoll = serai_net_epoll_create()
    guard epoll >= 0 else { return nil }
    do throws(SystemError) {
      try DetachedThread.start(named: "http-sockets", stackBytes: 0) { [self] in run() }
    } catch {
      return nil
    }
  }

  func nextToken() -> UInt64 { lastToken.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Watches the descriptor until `remove`. Edge-triggered: each change is told once.
  func add(_ socket: HTTPUpgradedSocket, descriptor: Int32, token: UInt64) {
    sockets.withLock { $0[token] = socket }
    let events = SERAI_NET_EPOLLIN | SERAI_NET_EPOLLOUT | SERAI_NET_EPOLLRDHUP | SERAI_NET_EPOLLET
    guard serai_net_epoll_control(epoll, 1, descriptor, events, token) == 0 else {
      // Without events the socket could wait for ever; as a broken one it ends.
      shutdown(descriptor, Int32(SHUT_RDWR))
      return
    }
  }

  func remove(descriptor: Int32, token: UInt64) {
    _ = serai_net_epoll_control(epoll, 2, descriptor, 0, 0)
    sockets.withLock { $0[token] = nil }
  }

  private func run() {
    var ready = [serai_net_ready](repeating: serai_net_ready(), count: 64)
    while true {
      let count = serai_net_epoll_wait(epoll, &ready, 64, -1)
      for index in 0..<max(0, Int(count)) {
        let events = ready[index].events
        let ended = events & (SERAI_NET_EPOLLHUP | SERAI_NET_EPOLLERR | SERAI_NET_EPOLLRDHUP) != 0
        sockets.withLock { $0[ready[index].token] }?.ready(
          reading: ended || events & SERAI_NET_EPOLLIN != 0,
          writing: ended || events & SERAI_NET_EPOLLOUT != 0)
      }
    }
  }
}
