/// What a core has counted since it began.
public struct GossipStatistics: Sendable, Equatable {
  /// UDP packets, also those that were dropped.
  public var packetsReceived: UInt64 = 0
  /// UDP packets.
  public var packetsSent: UInt64 = 0
  /// Requests over TCP.
  public var framesReceived: UInt64 = 0
  /// Dropped: not a packet, or not one of ours.
  public var malformed: UInt64 = 0
  /// Dropped: seen before, or of a life that its sender has ended.
  public var replayed: UInt64 = 0
  /// Dropped: encrypted with a key that is not in the key ring, or altered on the way.
  public var wronglyKeyed: UInt64 = 0
  /// Dropped: not encrypted, where encryption is on.
  public var unencrypted: UInt64 = 0
  /// Dropped: of a protocol version that is not spoken here.
  public var incompatible: UInt64 = 0
  /// Dropped: members beyond the limit.
  public var membersRefused: UInt64 = 0
  /// News given up because too many waited.
  public var broadcastsDropped: UInt64 = 0
  /// Probes begun.
  public var probes: UInt64 = 0
  /// Probes that nothing answered.
  public var probesFailed: UInt64 = 0
  /// Probes answered over TCP only: UDP is blocked on the way.
  public var probesSavedByTCP: UInt64 = 0
  /// Members that began to be suspect here.
  public var suspicions: UInt64 = 0
  /// Times that this member had to say that it is alive.
  public var refutations: UInt64 = 0

  /// Nothing counted.
  public init() {}

  /// Names and values, for statistics over the API.
  public var fields: [(name: String, value: UInt64)] {
    [
      ("packets_received", packetsReceived), ("packets_sent", packetsSent), ("frames_received", framesReceived),
      ("malformed", malformed), ("replayed", replayed), ("wrongly_keyed", wronglyKeyed), ("unencrypted", unencrypted),
      ("incompatible", incompatible), ("members_refused", membersRefused), ("broadcasts_dropped", broadcastsDropped),
      ("probes", probes), ("probes_failed", probesFailed), ("probes_saved_by_tcp", probesSavedByTCP),
      ("suspicions", suspicions), ("refutations", refutations),
    ]
  }
}
