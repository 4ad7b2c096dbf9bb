public import Codec

/// The metadata of a node and where it comes from: body and answer of `/v1/client/metadata`.
public struct NodeMetadata: Record {
  /// What holds.
  public var meta: [String: String] = [:]
  /// What was set while the node runs; nil for a key that was taken away.
  public var dynamic: [String: String?] = [:]
  /// What the agent's configuration says.
  public var fixed: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Meta", &meta, .emptyCollection)
    v.field(2, "Dynamic", &dynamic, .emptyCollection)
    v.field(3, "Static", &fixed, .emptyCollection)
  }
}

/// Body of `POST /v1/client/metadata`.
public struct NodeMetadataRequest: Record {
  /// The node; the query says it, too.
  public var nodeID: Identifier?
  /// Nil takes a key away.
  public var meta: [String: String?] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Meta", &meta)
  }
}
