internal import CNet
internal import Glibc

/// Opens listening sockets with errors that say what to do.
enum ListenSocket {
  /// A bound and listening socket, and the address with the port that the kernel chose.
  static func open(_ address: HTTPListenAddress) throws(HTTPServerError) -> (
    descriptor: Int32, bound: HTTPListenAddress
  ) {
    var native = serai_net_address()
    switch address {
    case .tcp(let host, let port):
      guard serai_net_address_parse(&native, host, port) == 0 else {
        throw HTTPServerError(
          operation: "listen on", object: address.description, errno: EINVAL,
          advice: "give a numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::")
      }
    case .unix(let path, _):
      let result = serai_net_address_local(&native, path)
      guard result == 0 else {
        throw HTTPServerError(
          operation: "listen on", object: address.description, errno: -result,
          advice: "the path of a Unix socket has 1 to 107 bytes: choose a shorter one")
      }
      try removeStaleSocket(path, native, address)
    }
    let descriptor = serai_net_socket(serai_net_address_family(&native))
    guard descriptor >= 0 else { throw failure("socket for", address, -descriptor) }
    do throws(HTTPServerError) {
      return (descriptor, try bindAndListen(descriptor, &native, address))
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Undoes `open`.
  static func discard(_ socket: (descriptor: Int32, bound: HTTPListenAddress)) {
    close(socket.descriptor)
    if case .unix(let path, _) = socket.bound { unlink(path) }
  }

  private static func bindAndListen(
    _ descriptor: Int32, _ native: inout serai_net_address, _ address: HTTPListenAddress
  ) throws(HTTPServerError) -> HTTPListenAddress {
    // Failing to set either only makes a restart slower or the wildcard narrower, which bind reports where it matters.
    _ = serai_net_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if serai_net_address_family(&native) == AF_INET6 { _ = serai_net_accept_ipv4_too(descriptor) }
    var result: Int32
    if case .unix(_, let mode) = address {
      // bind(2) gives the file the mode of the socket's inode, less the umask: so it never exists with a wider one.
      guard fchmod(descriptor, mode) == 0 else { throw failure("fchmod of", address, errno) }
      result = serai_net_bind(descriptor, &native)
    } else {
      result = serai_net_bind(descriptor, &native)
    }
    guard result == 0 else { throw failure("bind", address, -result) }
    result = serai_net_listen(descriptor, 1024)
    guard result == 0 else { throw failure("listen on", address, -result) }
    guard case .tcp(let host, _) = address else { return address }
    var bound = serai_net_address()
    result = serai_net_socket_name(descriptor, &bound)
    guard result == 0 else { throw failure("getsockname of", address, -result) }
    return .tcp(host: host, port: serai_net_address_port(&bound))
  }

  /// A socket file whose server is gone refuses connections; bind would fail on it for ever.
  private static func removeStaleSocket(
    _ path: String, _ native: serai_net_address, _ address: HTTPListenAddress
  ) throws(HTTPServerError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw HTTPServerError(
        operation: "listen on", object: address.description, errno: EEXIST,
        advice: "a file that is no socket is in the way: remove it or choose another path")
    }
    var native = native
    let probe = serai_net_socket(AF_UNIX)
    guard probe >= 0 else { throw failure("socket for", address, -probe) }
    defer { close(probe) }
    guard serai_net_connect(probe, &native) == -ECONNREFUSED else { throw failure("bind", address, EADDRINUSE) }
    unlink(path)
  }

  private static func failure(_ operation: String, _ address: HTTPListenAddress, _ number: Int32) -> HTTPServerError {
    let advice =
      switch number {
      case EADDRINUSE: "something else listens there: stop it, or configure another address or port"
      case EADDRNOTAVAIL: "no interface of this host has that address: configure one that `ip address` shows"
      case EACCES: "not permitted: ports below 1024 need CAP_NET_BIND_SERVICE, a socket file a writable directory"
      case EMFILE, ENFILE: "no descriptors left: raise the limit on open files (ulimit -n)"
      case ENOENT: "the directory of the socket file does not exist: create it"
      case EAFNOSUPPORT: "this kernel has no IPv6: configure an IPv4 address"
      default: "see bind(2) and listen(2)"
      }
    return HTTPServerError(operation: operation, object: address.description, errno: number, advice: advice)
  }
}

/// The symbolic name of an errno value: "EADDRINUSE".
func errnoName(_ number: Int32) -> String {
  guard let name = serai_net_errno_name(number) else { return "errno \(number)" }
  return String(cString: name)
}
