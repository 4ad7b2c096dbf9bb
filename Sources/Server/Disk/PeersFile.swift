internal import Codec
internal import Linux
internal import Raft

/// `raft/peers.json` beside the log: an operator's word about who the cluster is from now on, for when a majority of its
/// servers is lost for good. It is read at the start and removed when it is in force.
enum PeersFile {
  /// One server.
  struct Peer: Record {
    /// The identity: a UUID, `server/node-id` of that server.
    var id: Identifier = .none
    /// Where it takes RPC, `host:port`.
    var address = ""
    /// Whether it gets the log without a vote.
    var nonVoter = false

    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "id", &id)
      v.field(2, "address", &address)
      v.field(3, "non_voter", &nonVoter)
    }
  }

  /// Where the file is for a log.
  static func path(besideLog log: String) -> String {
    log.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/raft/peers.json"
  }

  /// The members that the file names; nil when there is none.
  /// - Throws: `ServerError` saying what is wrong with it.
  static func members(_ path: String) throws(ServerError) -> Membership? {
    guard Files.exists(path) else { return nil }
    do {
      return try members(in: try JSON.decode([Peer].self, from: try Files.read(path, limit: 1 << 20)), path)
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(
        .invalid,
        "\(path) can't be used: \(error). It is a list such as [{\"id\": \"…\", \"address\": \"10.0.0.1:4647\", \"non_voter\": false}]"
      )
    }
  }

  private static func members(in peers: [Peer], _ path: String) throws(ServerError) -> Membership {
    var members: [Member] = []
    for peer in peers {
      guard !peer.id.isNone, peer.address.contains(":") else {
        throw ServerError(
          .invalid, "\(path): every server has an id, which is in its server/node-id, and an address with a port")
      }
      let id = ServerID(peer.id)
      guard !members.contains(where: { $0.id == id }) else {
        throw ServerError(.invalid, "\(path): server \(peer.id) is named twice")
      }
      members.append(
        Member(
          id: id, address: MemberAddress(peer.address, peer.id).text, role: peer.nonVoter ? .learner : .voter))
    }
    let membership = Membership(members)
    guard !membership.voters.isEmpty else { throw ServerError(.invalid, "\(path) names nobody who has a vote") }
    return membership
  }
}
