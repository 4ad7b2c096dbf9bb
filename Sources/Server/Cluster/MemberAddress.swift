internal import Codec

/// What stands in `Member.address`: where the server was reached when it became a member, and its whole identity.
///
/// Where it is reached now, gossip says; the address here is for the time when gossip does not know it.
struct MemberAddress {
  /// `host:port` of its RPC.
  let address: String
  /// `none` where only the address is known.
  let id: Identifier

  init(_ address: String, _ id: Identifier) {
    self.address = address
    self.id = id
  }

  /// Reads `text`.
  init(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1)
    address = parts.first.map(String.init) ?? ""
    id = parts.count == 2 ? Identifier(parts[1]) ?? .none : .none
  }

  var text: String { "\(address)/\(id)" }
}
