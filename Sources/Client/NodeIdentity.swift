internal import Codec
internal import Model
internal import Storage

/// What a node is known by; made once per data directory.
struct NodeIdentity: Sendable, Equatable {
  var id: Identifier
  /// Proves to servers that a request about `id` comes from this node.
  var secretID: Identifier

  /// The stored identity; a new one is stored before it is used.
  static func loadOrMake(_ store: ClientStore) async throws -> NodeIdentity {
    if let id = try await load("id", store), let secretID = try await load("secret-id", store) {
      return NodeIdentity(id: id, secretID: secretID)
    }
    var generator = SystemRandomNumberGenerator()
    let made = NodeIdentity(id: Identifier(using: &generator), secretID: Identifier(using: &generator))
    try await store.write([
      .put(.node, key: "id", Array(made.id.description.utf8)),
      .put(.node, key: "secret-id", Array(made.secretID.description.utf8)),
    ])
    return made
  }

  private static func load(_ key: String, _ store: ClientStore) async throws -> Identifier? {
    guard let bytes = try await store.value(.node, key: key) else { return nil }
    let identifier = Identifier(String(decoding: bytes, as: UTF8.self))
    return identifier?.isNone == false ? identifier : nil
  }
}

/// Reads the allocations that an earlier agent stored.
enum StoredAllocations {
  static func load(_ store: ClientStore) async throws -> [(Allocation, AllocationRunner.Stored)] {
    let locals = try await store.records(.allocationState)
    let tasks = try await store.records(.taskLocalState)
    let states = try await store.records(.taskState)
    var stored: [String: AllocationRunner.Stored] = [:]
    for record in locals {
      stored[record.key, default: .init()].local = try Binary.decode(AllocationLocalState.self, from: record.bytes)
    }
    for record in tasks {
      guard let (id, task) = split(record.key) else { continue }
      stored[id, default: .init()].tasks[task] = try Binary.decode(TaskLocalState.self, from: record.bytes)
    }
    for record in states {
      guard let (id, task) = split(record.key) else { continue }
      stored[id, default: .init()].states[task] = try Binary.decode(TaskState.self, from: record.bytes)
    }
    return try await store.records(.allocations).map { record in
      (try Binary.decode(Allocation.self, from: record.bytes), stored[record.key] ?? .init())
    }
  }

  private static func split(_ key: String) -> (String, String)? {
    guard let slash = key.firstIndex(of: "/") else { return nil }
    return (String(key[..<slash]), String(key[key.index(after: slash)...]))
  }
}
