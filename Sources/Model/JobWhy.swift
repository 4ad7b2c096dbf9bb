public import Codec

/// Answer of `GET /v1/job/:id/why`: what keeps a job's groups from being placed.
public struct JobWhyResponse: Record {
  /// The job that was asked about.
  public var jobID = ""
  /// The job's namespace.
  public var namespace = ""
  /// One entry per group.
  public var groups: [JobWhyGroup] = []
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "Namespace", &namespace)
    v.field(3, "Groups", &groups, .emptyCollection)
    v.field(4, "Index", &index)
  }
}

/// One group that is not fully placed.
public struct JobWhyGroup: Record {
  /// Name of the group.
  public var name = ""
  /// How many allocations there should be; for system jobs the nodes that suit.
  public var desired = 0
  /// Allocations that found a place.
  public var placed = 0
  /// Nodes that were looked at: all there are.
  public var nodes = 0
  /// The smallest sets of requirements that would have to be relaxed, smallest first. One without requirements stands for
  /// nodes that are open now.
  public var relaxations: [JobWhyRelaxation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Desired", &desired)
    v.field(3, "Placed", &placed)
    v.field(4, "Nodes", &nodes)
    v.field(5, "Relaxations", &relaxations, .emptyCollection)
  }
}

/// Requirements that have to be relaxed together, and what that would open.
public struct JobWhyRelaxation: Record {
  /// What to give up together so that a further allocation fits.
  public var requirements: [JobWhyRequirement] = []
  /// How many nodes would take one more allocation.
  public var opensNodes = 0
  /// Some of them.
  public var examples: [Identifier] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Requirements", &requirements, .emptyCollection)
    v.field(2, "OpensNodes", &opensNodes)
    v.field(3, "Examples", &examples)
  }
}

/// Something that a group asks of a node.
public struct JobWhyRequirement: Record, Hashable {
  /// `node`, `pool`, `datacenter`, `constraint`, `driver`, `network`, `volume`, `device`, `resource`, `port` or `distinct`.
  public var kind = ""
  /// What is asked.
  public var text = ""
  /// For quantities: how much of it the best of the nodes has that the set opens; -1 for others.
  public var available: Int64 = -1

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Kind", &kind)
    v.field(2, "Text", &text)
    v.field(3, "Available", &available)
  }
}
