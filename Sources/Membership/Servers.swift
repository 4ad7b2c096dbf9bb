internal import Codec
internal import Gossip
internal import Model

extension ServerMember {
  /// A member of the pool as a server.
  init(_ member: Member) {
    let host = member.tags["rpc_addr"] ?? member.address.host
    let port = member.tags["port"] ?? "4647"
    self.init(
      id: Identifier(member.tags["id"] ?? "") ?? .none, name: member.name, region: member.tags["region"] ?? "",
      datacenter: member.tags["dc"] ?? "", rpcAddress: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)",
      expect: Int(member.tags["expect"] ?? "") ?? 0, version: member.tags["build"] ?? "",
      status: Status(member.status))
  }
}

extension ServerMember.Status {
  /// A suspect counts as alive until it has failed.
  init(_ status: Member.Status) {
    switch status {
    case .alive, .suspect: self = .alive
    case .failed: self = .failed
    case .left: self = .left
    }
  }
}

extension ServerMemberChange {
  /// Nil for what is no change of a member.
  init?(_ event: MembershipEvent) {
    switch event {
    case .joined(let member): self = .joined(ServerMember(member))
    case .updated(let member): self = .updated(ServerMember(member))
    case .failed(let member): self = .failed(ServerMember(member))
    case .left(let member): self = .left(ServerMember(member))
    case .removed(let member): self = .removed(ServerMember(member))
    case .conflict, .incompatible: return nil
    }
  }
}

extension AgentMember {
  /// A member as the API shows it.
  init(_ member: Member) {
    self.init()
    name = member.name
    addr = member.address.host
    port = Int(member.address.port)
    tags = member.tags
    status = ServerMember.Status(member.status).rawValue
    protocolMin = Int(member.protocolMin)
    protocolMax = Int(member.protocolMax)
    protocolCur = Int(member.protocolVersion)
    // One number stands for both parts of the protocol here.
    (delegateMin, delegateMax, delegateCur) = (protocolMin, protocolMax, protocolCur)
  }
}
