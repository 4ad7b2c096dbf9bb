/// Where a member takes packets (UDP) and streams (TCP). The core only compares and passes it on.
public struct GossipAddress: Hashable, Sendable, CustomStringConvertible {
  /// A numeric address without brackets, 1 to 255 bytes.
  public var host: String
  /// UDP and TCP.
  public var port: UInt16

  /// An address as the shell can send to it.
  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `host:port`, with brackets around IPv6.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
