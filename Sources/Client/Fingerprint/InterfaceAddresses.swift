import Glibc

/// An address of one of the host's network interfaces.
struct InterfaceAddress: Equatable, Sendable {
  enum Family: String, Sendable {
    case ipv4, ipv6
  }

  var interface: String
  var family: Family
  /// Text form without prefix length or zone.
  var address: String
  /// Network bits, 24 of 192.0.2.1/24.
  var prefixLength: Int

  /// Valid on this link only (fe80::/10, 169.254/16): nobody elsewhere can connect to it.
  var isLinkLocal: Bool {
    switch family {
    case .ipv4: address.hasPrefix("169.254.")
    case .ipv6:
      UInt16(address.prefix(4), radix: 16).map { $0 & 0xffc0 == 0xfe80 } ?? false
    }
  }

  /// Only this host can reach it.
  var isLoopback: Bool { family == .ipv4 ? address.hasPrefix("127.") : address == "::1" }

  /// The addresses of all interfaces that are up (getifaddrs(3)), in the kernel's order; empty when the kernel refuses.
  static func ofThisHost() -> [InterfaceAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: [InterfaceAddress] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard entry.ifa_flags & UInt32(IFF_UP) != 0, let socketAddress = entry.ifa_addr else { continue }
      let name = String(cString: entry.ifa_name)
      switch Int32(socketAddress.pointee.sa_family) {
      case AF_INET:
        let address = ipv4(socketAddress)
        let mask = entry.ifa_netmask.map(ipv4) ?? UInt32.max
        found.append(
          InterfaceAddress(
            interface: name, family: .ipv4, address: RouteTable.dotted(address), prefixLength: mask.nonzeroBitCount))
      case AF_INET6:
        guard let text = ipv6Text(socketAddress) else { continue }
        found.append(
          InterfaceAddress(
            interface: name, family: .ipv6, address: text,
            prefixLength: entry.ifa_netmask.map(ipv6PrefixLength) ?? 128))
      default: continue
      }
    }
    return found
  }

  private static func ipv4(_ pointer: UnsafeMutablePointer<sockaddr>) -> UInt32 {
    pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt32(bigEndian: $0.pointee.sin_addr.s_addr) }
  }

  private static func ipv6Text(_ pointer: UnsafeMutablePointer<sockaddr>) -> String? {
    pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
      var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      guard inet_ntop(AF_INET6, &pointer.pointee.sin6_addr, &text, socklen_t(text.count)) != nil else { return nil }
      return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private static func ipv6PrefixLength(_ pointer: UnsafeMutablePointer<sockaddr>) -> Int {
    pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
      withUnsafeBytes(of: pointer.pointee.sin6_addr) { bytes in bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
    }
  }
}
