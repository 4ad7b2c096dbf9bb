internal import Codec
internal import Model

/// Finding the one thing that a prefix of its id means.
extension APIClient {
  /// The allocation whose id begins with `prefix`.
  func allocation(prefix: String) throws -> Allocation {
    let found: [AllocationListStub] = try get(
      "/v1/allocations", ["prefix": try idPrefix(prefix, "allocation")], namespace: "*")
    let id = try only(found.map(\.id), prefix, "allocation") { id in
      found.first { $0.id == id }.map { "\($0.name)  \($0.clientStatus.rawValue)" } ?? ""
    }
    return try get("/v1/allocation/\(id)")
  }

  /// The node whose id begins with `prefix`, or whose name it is.
  func node(prefixOrName: String) throws -> Node {
    if let prefix = try? idPrefix(prefixOrName, "node") {
      let found: [NodeListStub] = try get("/v1/nodes", ["prefix": prefix])
      if !found.isEmpty {
        let id = try only(found.map(\.id), prefixOrName, "node") { id in found.first { $0.id == id }?.name ?? "" }
        return try get("/v1/node/\(id)")
      }
    }
    let all: [NodeListStub] = try get("/v1/nodes")
    let named = all.filter { $0.name == prefixOrName }
    let id = try only(named.map(\.id), prefixOrName, "node") { _ in prefixOrName }
    return try get("/v1/node/\(id)")
  }

  /// The evaluation whose id begins with `prefix`.
  func evaluation(prefix: String) throws -> Evaluation {
    let found: [Evaluation] = try get("/v1/evaluations", ["prefix": try idPrefix(prefix, "evaluation")], namespace: "*")
    let id = try only(found.map(\.id), prefix, "evaluation") { id in found.first { $0.id == id }?.jobID ?? "" }
    return try get("/v1/evaluation/\(id)")
  }

  /// The deployment whose id begins with `prefix`.
  func deployment(prefix: String) throws -> Deployment {
    let found: [Deployment] = try get("/v1/deployments", ["prefix": try idPrefix(prefix, "deployment")], namespace: "*")
    let id = try only(found.map(\.id), prefix, "deployment") { id in found.first { $0.id == id }?.jobID ?? "" }
    return try get("/v1/deployment/\(id)")
  }

  /// Name and namespace of the job that `prefix` means: the job of exactly that id, or the only one that begins with it.
  func jobIdentity(prefix: String) throws -> (id: String, namespace: String) {
    let found: [JobListStub] = try get("/v1/jobs", ["prefix": prefix])
    let exact = found.filter { $0.id == prefix }
    if exact.count == 1 { return (exact[0].id, exact[0].namespace) }
    let candidates = exact.isEmpty ? found : exact
    guard let first = candidates.first else { throw CommandFailure("No job(s) with prefix or ID \"\(prefix)\" found") }
    guard candidates.count == 1 else {
      let rows = candidates.map { [$0.id, $0.namespace, $0.type, $0.status] }
      throw CommandFailure(
        "Prefix matched multiple jobs\n\n" + Table.columns(["ID", "Namespace", "Type", "Status"], rows))
    }
    return (first.id, first.namespace)
  }

  private func only(
    _ ids: [Identifier], _ prefix: String, _ kind: String, describe: (Identifier) -> String
  ) throws(CommandFailure) -> Identifier {
    guard let first = ids.first else { throw CommandFailure("No \(kind)(s) with prefix or id \"\(prefix)\" found") }
    if ids.count == 1 { return first }
    if let exact = ids.first(where: { $0.description == prefix.lowercased() }) { return exact }
    let list = ids.prefix(20).map { "  \($0)  \(describe($0))" }.joined(separator: "\n")
    throw CommandFailure("Prefix matched multiple \(kind)s:\n\(list)")
  }

  /// Checks that `text` can be the beginning of an id: hexadecimal digits and hyphens, at least two.
  private func idPrefix(_ text: String, _ kind: String) throws(CommandFailure) -> String {
    let allowed = text.utf8.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x46) || ($0 >= 0x61 && $0 <= 0x66) || $0 == 0x2d
    }
    guard allowed, !text.isEmpty else {
      throw CommandFailure("\"\(text)\" is no \(kind) id: ids are hexadecimal digits and hyphens")
    }
    guard text.utf8.count >= 2 else { throw CommandFailure("An identifier must have at least two characters") }
    return text.lowercased()
  }
}
