package import CNet
internal import Glibc

/// A stream socket that closes itself when its last user lets go: a thread that is just sending keeps it open, so that
/// the number can't be reused under it.
package final class Socket: Sendable {
  package let descriptor: Int32

  package init(owning descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Sends the end of the stream; the peer may still send.
  package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Small frames go out at once, and a peer that is gone is noticed while data is on its way.
  func tune(_ limits: RPCLimits) {
    // Neither is needed for correctness; a kernel that refuses them is slower, no more.
    _ = serai_net_no_delay(descriptor)
    let timeout = limits.pingInterval + limits.pingTimeout
    _ = serai_net_user_timeout(descriptor, Int32(clamping: timeout.nanoseconds / 1_000_000))
  }
}

/// A numeric socket address.
package struct SocketAddress: Sendable {
  package var native: serai_net_address

  /// Nil if `host` is not a numeric IPv4 or IPv6 address.
  package init?(host: String, port: UInt16) {
    native = serai_net_address()
    guard serai_net_address_parse(&native, host, port) == 0 else { return nil }
  }

  package init(_ native: serai_net_address) { self.native = native }

  package var host: String {
    var native = native
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      guard let base = text.baseAddress else { return "" }
      serai_net_address_host(&native, base, 64)
      return String(cString: base)
    }
  }

  package var port: UInt16 {
    var native = native
    return serai_net_address_port(&native)
  }

  package var description: String {
    let host = host
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// The address of this host that others reach it at.
package enum OwnAddress {
  /// The address that packets to other networks leave from: a UDP socket that is connected, over which nothing is sent,
  /// has it. Nil on a host without a route.
  package static var outgoing: String? {
    // Addresses for documentation (RFC 5737, RFC 3849): any will do that is not on this host's own networks.
    for target in ["192.0.2.1", "2001:db8::1"] {
      guard var native = SocketAddress(host: target, port: 9)?.native else { continue }
      let descriptor = serai_net_datagram_socket(serai_net_address_family(&native))
      guard descriptor >= 0 else { continue }
      let socket = Socket(owning: descriptor)
      var own = serai_net_address()
      guard serai_net_connect(socket.descriptor, &native) == 0, serai_net_socket_name(socket.descriptor, &own) == 0
      else { continue }
      return SocketAddress(own).host
    }
    return nil
  }
}

/// The symbolic name of an errno value: "ECONNREFUSED".
package func errnoName(_ number: Int32) -> String {
  guard let name = serai_net_errno_name(number) else { return "errno \(number)" }
  return String(cString: name)
}

extension RPCError {
  /// A failed system call on an address, with what to do about it.
  static func system(_ operation: String, _ object: String, _ number: Int32) -> RPCError {
    let advice =
      switch number {
      case ECONNREFUSED: "nothing listens there: is the agent running, and is this its RPC port (4647)?"
      case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: "the host or the network between is down, or a firewall drops packets"
      case ECONNRESET, EPIPE: "the peer closed the connection, or died"
      case EADDRINUSE: "something else listens there: stop it, or configure another port"
      case EADDRNOTAVAIL: "no interface of this host has that address: configure one that `ip address` shows"
      case EACCES, EPERM: "not permitted: a port below 1024 needs CAP_NET_BIND_SERVICE, or a firewall rejects it"
      case EMFILE, ENFILE: "no descriptors left: raise the limit on open files (ulimit -n)"
      default: "see the manual page of the call"
      }
    return RPCError(.unavailable, "\(operation) \(object) failed: \(errnoName(number)); \(advice)")
  }
}
