/// Finds the interface that leads to the outside, from /proc/net/route and /proc/net/ipv6_route.
enum RouteTable {
  /// A default route.
  struct Default: Equatable, Sendable {
    var interface: String
    /// Dotted or colon form; "" for a route without a gateway.
    var gateway: String
    /// Lower is preferred.
    var metric: Int
  }

  /// The default route of lowest metric in /proc/net/route: columns Iface, Destination, Gateway, Flags, RefCnt, Use,
  /// Metric, Mask, …; addresses are hexadecimal in the host's byte order, which is little-endian on everything this
  /// project runs on.
  static func defaultRoute(route: String) -> Default? {
    var best: Default?
    for line in route.split(separator: "\n").dropFirst() {
      let columns = line.split { $0 == " " || $0 == "\t" }
      guard columns.count >= 8, columns[1] == "00000000", columns[7] == "00000000", let metric = Int(columns[6]),
        let gateway = UInt32(columns[2], radix: 16), let flags = Int(columns[3], radix: 16), flags & upFlag != 0
      else { continue }
      if let best, best.metric <= metric { continue }
      best = Default(
        interface: String(columns[0]), gateway: gateway == 0 ? "" : dotted(gateway.byteSwapped), metric: metric)
    }
    return best
  }

  /// `RTF_UP` of linux/route.h.
  private static let upFlag = 1

  /// An IPv4 address in the usual notation; the highest byte comes first.
  static func dotted(_ address: UInt32) -> String {
    "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
  }
}
