internal import Glibc

/// Looks whether a port that an allocation was given is free on this host.
enum PortCheck {
  /// A sentence for the first port that another program of this host holds; nil when all are free.
  ///
  /// A port counts as taken when TCP cannot bind it (bind(2), EADDRINUSE). Any other refusal, such as an address that
  /// is not this host's or a privileged port, is the task's own to meet.
  static func firstTaken(_ ports: [TaskEnvironmentInput.Port]) -> String? {
    for port in ports where port.to == 0 || port.allocationIP.isEmpty {
      guard (1...65535).contains(port.hostPort), !isFree(port.hostIP, UInt16(port.hostPort)) else { continue }
      return
        "port \(port.hostPort) (\"\(port.label)\") on \(port.hostIP.isEmpty ? "this host" : port.hostIP) is taken by "
        + "another program of this node: stop it, reserve the port in the client's configuration, or use another one"
    }
    return nil
  }

  private static func isFree(_ address: String, _ port: UInt16) -> Bool {
    if address.contains(":") {
      var native = sockaddr_in6()
      native.sin6_family = sa_family_t(AF_INET6)
      native.sin6_port = port.bigEndian
      guard inet_pton(AF_INET6, address, &native.sin6_addr) == 1 else { return true }
      return withUnsafePointer(to: &native) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          canBind(AF_INET6, $0, MemoryLayout<sockaddr_in6>.size)
        }
      }
    }
    var native = sockaddr_in()
    native.sin_family = sa_family_t(AF_INET)
    native.sin_port = port.bigEndian
    // No address: the wildcard, which any program on that port is in the way of.
    _ = inet_pton(AF_INET, address, &native.sin_addr)
    return withUnsafePointer(to: &native) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { canBind(AF_INET, $0, MemoryLayout<sockaddr_in>.size) }
    }
  }

  private static func canBind(_ family: Int32, _ address: UnsafePointer<sockaddr>, _ size: Int) -> Bool {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    // Connections in TIME_WAIT must not count; a listener still makes bind fail on Linux.
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    return bind(descriptor, address, socklen_t(size)) == 0 || errno != EADDRINUSE
  }
}
