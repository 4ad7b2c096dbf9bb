internal import CNet
internal import Glibc
internal import Transport

/// The UDP socket and the TCP listener of gossip, on the same port.
struct GossipSockets: Sendable {
  let packets: Socket
  let listener: Socket
  let port: UInt16

  /// - Parameter port: 0 lets the kernel choose one that is free for both.
  init(host: String, port: UInt16) throws(MembershipError) {
    var tries = port == 0 ? 20 : 1
    while true {
      tries -= 1
      do throws(MembershipError) {
        let listener = try Self.bound(host, port, stream: true)
        let chosen = try Self.port(of: listener)
        packets = try Self.bound(host, chosen, stream: false)
        self.listener = listener
        self.port = chosen
        return
      } catch {
        // The port that TCP got may be taken for UDP.
        if tries == 0 { throw error }
      }
    }
  }

  private static func bound(_ host: String, _ port: UInt16, stream: Bool) throws(MembershipError) -> Socket {
    guard let address = SocketAddress(host: host, port: port) else {
      throw MembershipError("\"\(host)\" is no numeric IPv4 or IPv6 address for gossip to listen on (addresses.serf)")
    }
    var native = address.native
    let family = serai_net_address_family(&native)
    let descriptor = stream ? serai_net_socket(family) : serai_net_datagram_socket(family)
    guard descriptor >= 0 else { throw failure("socket for", address, -descriptor) }
    let socket = Socket(owning: descriptor)
    if stream { _ = serai_net_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) }
    if family == AF_INET6 { _ = serai_net_accept_ipv4_too(descriptor) }
    if !stream {
      // Bursts of news wait here while the thread is at something else; a smaller buffer only loses more of them.
      _ = serai_net_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, 2 << 20)
    }
    var result = serai_net_bind(descriptor, &native)
    guard result == 0 else { throw failure("bind", address, -result) }
    if stream {
      result = serai_net_listen(descriptor, 128)
      guard result == 0 else { throw failure("listen on", address, -result) }
    }
    return socket
  }

  private static func port(of socket: Socket) throws(MembershipError) -> UInt16 {
    var native = serai_net_address()
    let result = serai_net_socket_name(socket.descriptor, &native)
    guard result == 0 else { throw MembershipError("getsockname of the gossip socket failed: \(errnoName(-result))") }
    return SocketAddress(native).port
  }

  private static func failure(_ operation: String, _ address: SocketAddress, _ number: Int32) -> MembershipError {
    let advice =
      switch number {
      case EADDRINUSE: "something else has the port: stop it, or configure another one (ports.serf)"
      case EADDRNOTAVAIL: "no interface of this host has that address: configure one that `ip address` shows"
      default: "see the manual page of the call"
      }
    return MembershipError("\(operation) \(address.description) for gossip failed: \(errnoName(number)); \(advice)")
  }
}
