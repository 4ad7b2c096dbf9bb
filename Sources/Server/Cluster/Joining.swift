internal import Codec
internal import Linux
internal import Log
internal import Model
internal import Raft
internal import Synchronization
internal import Transport

/// To whom a server that has no cluster yet has given its word that it will be in theirs.
final class Promise: Sendable {
  /// Who asked for it makes the cluster within a fraction of this time, or not at all.
  static let seconds: Int64 = 30

  private let given = Mutex<(to: Identifier, until: Int64)?>(nil)

  /// Gives the word, unless somebody else has it.
  /// - Returns: who has it now.
  func give(to proposer: Identifier) -> Identifier {
    let now = Clock.monotonicNanoseconds
    return given.withLock { given in
      if let known = given, known.to != proposer, known.until > now { return known.to }
      given = (proposer, now + Self.seconds * 1_000_000_000)
      return proposer
    }
  }
}

/// Servers of other clusters that were complained about.
final class Foreign: Sendable {
  private let known = Mutex<Set<Identifier>>([])

  /// Whether it was not among them yet.
  func insert(_ server: Identifier) -> Bool { known.withLock { $0.insert(server).inserted } }
}

/// How servers that gossip knows become members of one cluster.
extension Server {
  private static let callTimeout = Duration.seconds(2)

  /// Makes a cluster when it is time for one, or asks new servers whether they may become members.
  func lookForServers() async {
    let standing = standing
    if standing.peers.isEmpty, standing.problem.isEmpty, standing.lastIndex == 0 {
      await bootstrapIfComplete()
    } else if standing.isLeading {
      await askCandidates()
    }
  }

  /// As leader: a server with a part in another cluster has entries that this one doesn't know, and must not become a
  /// member: one of the two logs would be lost.
  private func askCandidates() async {
    let members = Set(standing.peers.map(\.serverID))
    for candidate in links.unknownCandidates {
      guard let answer = await probe(candidate) else { continue }
      let known = Set(answer.members.map { ServerID($0) })
      let mayJoin = answer.isBlank || !known.isDisjoint(with: members)
      links.setJoinable(candidate.id, mayJoin)
      if mayJoin {
        await core.poolChanged()
      } else if foreign.insert(candidate.id) {
        logger.error(
          "a server of the pool belongs to another cluster and can't become a member of this one: stop it, empty its data "
            + "directory, start it again", ("name", candidate.name), ("address", candidate.rpcAddress))
      }
    }
  }

  private func probe(_ server: ServerMember) async -> ProbeAnswer? {
    guard let bytes = try? await ask(server, ServerRPC.probe, []) else { return nil }
    return try? Binary.decode(ProbeAnswer.self, from: bytes)
  }

  private func ask(_ server: ServerMember, _ method: String, _ body: [UInt8]) async throws -> [UInt8] {
    let connection = try await links.connect(to: server.rpcAddress, timeout: .seconds(1))
    defer { connection.close() }
    return try await connection.call(method: method, body: body, timeout: Self.callTimeout)
  }

  /// When as many servers as `bootstrap_expect` says have found each other and none has a cluster, the one with the lowest
  /// identity makes it, once all others have promised to be in that one and no other.
  private func bootstrapIfComplete() async {
    let expect = configuration.bootstrapExpect
    guard expect > 1 else { return }
    let others = links.pool.filter {
      $0.status == .alive && $0.region == configuration.region && !$0.id.isNone && $0.expect == expect
    }
    guard others.count >= expect - 1, others.allSatisfy({ ServerID(id) < ServerID($0.id) }) else { return }
    // Servers beyond the expected number join a moment later.
    let chosen = Array(others.sorted { ServerID($0.id) < ServerID($1.id) }.prefix(expect - 1))
    let began = Clock.monotonicNanoseconds
    guard promise.give(to: id) == id else { return }
    // One that has a cluster already will have this server, too.
    for server in links.pool where server.status == .alive && server.region == configuration.region {
      guard let answer = await probe(server), answer.isBlank else { return }
    }
    var request = PromiseRequest()
    request.proposer = id
    for server in chosen {
      guard let bytes = try? await ask(server, ServerRPC.promise, Binary.encode(request)),
        let answer = try? Binary.decode(PromiseAnswer.self, from: bytes), answer.isPromised
      else { return }
    }
    guard Clock.monotonicNanoseconds - began < Promise.seconds * 1_000_000_000 / 3 else { return }
    let servers = [(id, configuration.advertisedRPCAddress)] + chosen.map { ($0.id, $0.rpcAddress) }
    if let problem = await core.bootstrap(servers) {
      logger.error("the cluster could not be made", ("error", problem))
    } else {
      logger.info("made a cluster", ("servers", "\(servers.count)"))
    }
  }

  // MARK: answering

  func answerProbe() async -> ProbeAnswer {
    var answer = ProbeAnswer()
    answer.id = id
    answer.isBlank = await core.isBlank
    answer.members = standing.peers.map(\.id)
    return answer
  }

  func answerPromise(_ request: PromiseRequest) async -> PromiseAnswer {
    var answer = PromiseAnswer()
    if await !core.isBlank {
      answer.reason = "this server has a cluster already"
    } else {
      let holder = promise.give(to: request.proposer)
      answer.isPromised = holder == request.proposer
      if !answer.isPromised { answer.reason = "server \(holder) has its word" }
    }
    return answer
  }
}
