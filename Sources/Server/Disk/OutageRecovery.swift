public import Codec
internal import Linux
internal import Log
internal import Raft
internal import State
internal import Storage

/// Looks at the data of a server that does not run, and makes the cluster of those that are left.
public struct OutageRecovery: Sendable {
  /// One member of the cluster.
  public struct Peer: Sendable {
    /// Its identity.
    public let id: Identifier
    /// Where it took RPC.
    public let address: String
    /// Whether it has a vote.
    public let isVoter: Bool
  }

  /// The server whose data it is.
  public let id: Identifier
  /// The term of the last entry of its log.
  public let lastTerm: UInt64
  /// The last entry of its log.
  public let lastIndex: UInt64
  /// The members, as the log and the newest snapshot have them.
  public let members: [Peer]
  private let logPath: String

  /// Reads a data directory. The agent must not run.
  /// - Throws: `ServerError` naming what can't be read.
  public init(dataDirectory: String) async throws(ServerError) {
    do {
      guard Files.exists("\(dataDirectory)/server/raft.db") else {
        throw ServerError(.notFound, "\(dataDirectory) holds no data of a server: name its data_dir")
      }
      // Held while it is read: an agent that starts now is told so.
      let directory = try DataDirectory(owning: dataDirectory)
      logPath = directory.logPath
      let peersPath = PeersFile.path(besideLog: directory.logPath)
      guard !Files.exists(peersPath) else {
        throw ServerError(
          .conflict, "\(peersPath) is there already: start the agent, which takes it into force, or remove the file")
      }
      var configuration = ServerConfiguration()
      configuration.logPath = directory.logPath
      configuration.snapshotsPath = directory.snapshotsPath
      configuration.bootstrapExpect = 0
      let (disk, opened) = try await ServerDisk.open(configuration, logger: .silent)
      await disk.close()
      id = opened.id
      let last = opened.recovered.entries.last?.position ?? opened.recovered.snapshot?.position ?? .zero
      (lastTerm, lastIndex) = (last.term, last.index)
      var membership = opened.recovered.snapshot?.membership ?? .none
      for entry in opened.recovered.entries where entry.kind == Entry.membershipKind {
        if let newer = Membership(decoding: entry.bytes) { membership = newer }
      }
      members = membership.members.filter { $0.role != .leaving }.map { member in
        let place = MemberAddress(member.address)
        return Peer(
          id: place.id.isNone ? Identifier(high: member.id.rawValue, low: 0) : place.id, address: place.address,
          isVoter: member.role == .voter)
      }
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.unavailable, "\(error)")
    }
  }

  /// Whether a majority of those who have a vote is among these: then they need no recovery.
  public func isMajority(_ survivors: [Peer]) -> Bool {
    let voters = members.filter(\.isVoter)
    return voters.count { voter in survivors.contains { $0.id == voter.id } } > voters.count / 2
  }

  /// Writes the file that makes these servers the whole cluster when the server starts the next time.
  /// - Returns: its path.
  /// - Throws: `ServerError` naming the file.
  public func write(_ survivors: [Peer]) throws(ServerError) -> String {
    let path = PeersFile.path(besideLog: logPath)
    let peers = survivors.map { survivor in
      var peer = PeersFile.Peer()
      peer.id = survivor.id
      peer.address = survivor.address
      peer.nonVoter = !survivor.isVoter
      return peer
    }
    do throws(SystemError) {
      try Files.makeDirectories(String(path.dropLast("/peers.json".count)), permissions: 0o700)
      try Files.replace(path, with: JSON.encode(peers, pretty: true), permissions: 0o600, durable: true)
    } catch {
      throw ServerError(.unavailable, "\(path) can't be written: \(error)")
    }
    return path
  }
}
