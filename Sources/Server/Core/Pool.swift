public import Model
internal import Synchronization

/// The servers that gossip knows: what Raft's peers are made from.
final class Pool: Sendable {
  private let servers = Mutex<[String: ServerMember]>([:])

  func apply(_ change: ServerMemberChange) {
    servers.withLock { known in
      if case .removed(let member) = change {
        known[member.name] = nil
      } else {
        known[change.member.name] = change.member
      }
    }
  }

  var all: [ServerMember] { servers.withLock { $0.values.sorted { $0.name < $1.name } } }
}

extension Server {
  /// Takes in what gossip learned of another server. Never blocks; changes of one server come in order.
  public func poolChanged(_ change: ServerMemberChange) { pool.apply(change) }

  /// The other servers that gossip knows, also failed ones and those that left, by name.
  public var poolMembers: [ServerMember] { pool.all }
}
