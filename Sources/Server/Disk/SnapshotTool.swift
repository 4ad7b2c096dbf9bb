public import Codec
internal import Linux
internal import Model
internal import Raft
internal import State
internal import Storage

/// Looks into snapshot files without a server.
public enum SnapshotTool {
  /// What a snapshot's file says of itself.
  public struct Inspection: Sendable {
    /// The last entry of the log that it contains.
    public var index: UInt64
    /// The term of that entry.
    public var term: UInt64
    /// Its size in bytes.
    public var size: UInt64
    /// The XXH64 of the file.
    public var checksum: UInt64
    /// The version of the file's format.
    public var version: UInt64
    /// The index of the state in it.
    public var stateIndex: UInt64
    /// How many records it has of each kind.
    public var counts: [(kind: String, count: Int)]
    /// The members of the cluster that it was taken in.
    public var members: [String]
  }

  /// Reads a file from end to end, with all its checksums.
  /// - Throws: `ServerError` saying what is wrong with it.
  public static func inspect(_ path: String) throws(ServerError) -> Inspection {
    try read(path) { description, store in
      let contents = try SnapshotFile.read(description, of: store)
      let (size, checksum) = try store.measure(description)
      let state = contents.state.reader
      return Inspection(
        index: description.position.index, term: description.position.term, size: size, checksum: checksum,
        version: SnapshotStore.format, stateIndex: state.index,
        counts: [
          ("Allocs", state.allocations.count), ("Deployments", state.deployments.count),
          ("Evals", state.evaluations.count), ("Jobs", state.jobs.count), ("Namespaces", state.namespaces.count),
          ("NodePools", state.nodePools.count), ("Nodes", state.nodes.count), ("Variables", state.variables.count),
        ],
        members: contents.membership?.membership.members.map { MemberAddress($0.address).address } ?? [])
    }
  }

  /// The records of a snapshot as JSON. Variables are encrypted, so only their paths are shown; nodes' secrets are not.
  /// - Throws: `ServerError` saying what is wrong with the file.
  public static func state(_ path: String) throws(ServerError) -> JSONValue {
    try read(path) { description, store in
      let state = try SnapshotFile.read(description, of: store).state.reader
      func list<R: Record>(_ records: some Sequence<R>) throws -> JSONValue {
        .array(try records.map { try JSON.decode(JSONValue.self, from: JSON.encode($0)) })
      }
      var value = JSONObject()
      value["Index"] = .int(Int64(clamping: state.index))
      value["Nodes"] = try list(
        state.nodes.map { node in
          var node = node.1.value
          node.secretID = .none
          return node
        })
      value["Jobs"] = try list(state.jobs.map { $0.1.job })
      value["Evals"] = try list(state.evaluations.map { $0.1.value })
      value["Allocs"] = try list(state.allocations.map { $0.1.value.allocation(includingJob: false) })
      value["Deployments"] = try list(state.deployments.map { $0.1.value })
      value["Namespaces"] = try list(state.namespaces.map { $0.1.value })
      value["NodePools"] = try list(state.nodePools.map { $0.1.value })
      value["Variables"] = .array(state.variables.map { .string("\($0.0.namespace)/\($0.0.path)") })
      return .object(value)
    }
  }

  private static func read<Value>(
    _ path: String, _ body: (SnapshotDescription, SnapshotStore) throws -> Value
  ) throws(ServerError) -> Value {
    do {
      let head = try FileDescriptor.open(path).read(upTo: 32)
      guard let position = SnapshotStore.position(inHeader: head) else {
        throw ServerError(.invalid, "\(path) is no snapshot: `serai operator snapshot save` makes one")
      }
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
      return try body(SnapshotDescription(position: position, path: path), SnapshotStore(reading: folder))
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.invalid, "\(path) can't be read: \(error)")
    }
  }
}
