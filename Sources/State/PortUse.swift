/// The ports in use on one node, by host address.
public struct PortUse: Sendable, Hashable {
  /// One address of the host.
  public struct Host: Sendable, Hashable {
    /// The address; empty for what counts on every address.
    public let address: String
    /// Ascending; a port that two allocations share (`ignore_collision`) is in it twice.
    public internal(set) var ports: [UInt16] = []
  }

  /// By address.
  public internal(set) var hosts: [Host] = []

  /// Nothing in use.
  public init() {}

  /// Whether a port is taken on an address; on the empty address: on any.
  public func isUsed(_ port: UInt16, on address: String) -> Bool {
    for host in hosts where address.isEmpty || host.address.isEmpty || host.address == address {
      let at = Self.position(of: port, in: host.ports)
      if at < host.ports.count, host.ports[at] == port { return true }
    }
    return false
  }

  /// Takes a port.
  public mutating func take(_ port: UInt16, on address: String) {
    let host = hosts.firstIndex { !precedes($0.address, address) } ?? hosts.count
    if host == hosts.count || hosts[host].address != address { hosts.insert(Host(address: address), at: host) }
    hosts[host].ports.insert(port, at: Self.position(of: port, in: hosts[host].ports))
  }

  /// Gives a port back once; one that isn't taken is passed over.
  public mutating func give(_ port: UInt16, on address: String) {
    guard let host = hosts.firstIndex(where: { $0.address == address }) else { return }
    let at = Self.position(of: port, in: hosts[host].ports)
    guard at < hosts[host].ports.count, hosts[host].ports[at] == port else { return }
    hosts[host].ports.remove(at: at)
    if hosts[host].ports.isEmpty { hosts.remove(at: host) }
  }

  private static func position(of port: UInt16, in ports: [UInt16]) -> Int {
    var (low, high) = (0, ports.count)
    while low < high {
      let middle = (low + high) / 2
      if ports[middle] < port { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Reads a list such as `22,80,8500-8600`; parts that are no ports are passed over, the client has refused them.
  static func parse(_ text: String) -> [UInt16] {
    var result: [UInt16] = []
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").map { UInt16(trimmed($0)) }
      switch (ends.first ?? nil, ends.last ?? nil, ends.count) {
      case (let port?, _, 1): result.append(port)
      case (let low?, let high?, 2) where low <= high: result += Array(low...high)
      default: break
      }
    }
    return result
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
