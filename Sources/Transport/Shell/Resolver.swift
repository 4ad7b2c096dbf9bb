internal import CNet
internal import Glibc
internal import Linux

/// "host:port", "[ipv6]:port" and bare hosts, taken apart and looked up.
package enum Resolver {
  package static let rpcPort: UInt16 = 4647

  /// Splits an address.
  package static func split(
    _ text: String, defaultPort: UInt16 = rpcPort
  ) throws(RPCError) -> (host: String, port: UInt16) {
    let malformed = RPCError(.invalid, "\"\(text)\" is no address: write host:port, 10.0.0.1:4647 or [::1]:4647")
    var host = Substring(text)
    var port: Substring?
    if host.first == "[" {
      guard let end = host.firstIndex(of: "]") else { throw malformed }
      let rest = host[host.index(after: end)...]
      host = host[host.index(after: host.startIndex)..<end]
      guard rest.isEmpty || rest.first == ":" else { throw malformed }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    guard !host.isEmpty else { throw malformed }
    guard let port else { return (String(host), defaultPort) }
    guard let number = UInt16(port), number > 0 else { throw malformed }
    return (String(host), number)
  }

  /// The addresses of a host. Names are looked up on a thread of their own, for getaddrinfo(3) blocks.
  package static func addresses(_ host: String, _ port: UInt16) async throws(RPCError) -> [SocketAddress] {
    if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<[SocketAddress], RPCError>, Never>) in
      do throws(SystemError) {
        // The C library's default stack: name service modules are other people's code.
        try DetachedThread.start(named: "rpc-resolve", stackBytes: 0) {
          continuation.resume(returning: lookUp(host, port))
        }
      } catch {
        continuation.resume(returning: .failure(.system("pthread_create for looking up", host, error.errno.rawValue)))
      }
    }
    return try result.get()
  }

  private static func lookUp(_ host: String, _ port: UInt16) -> Result<[SocketAddress], RPCError> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      let reason = String(cString: gai_strerror(code))
      return .failure(
        RPCError(
          .unavailable, "looking up \(host) failed: \(reason); is the name right, and does DNS work on this host?"))
    }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      if let address = entry.pointee.ai_addr {
        var native = serai_net_address()
        serai_net_address_copy(&native, address, entry.pointee.ai_addrlen)
        found.append(SocketAddress(native))
      }
      next = entry.pointee.ai_next
    }
    return .success(found)
  }
}
