/// A probe in progress; there is one at a time.
struct Probe: Sendable {
  let target: String
  /// The target's incarnation when it was asked: what it is suspected in.
  let incarnation: UInt64
  let sequence: UInt64
  /// When others are asked for help.
  let helpAt: UInt64
  /// When it has failed.
  let endsAt: UInt64
  var askedForHelp = false
  /// Helpers that will say so if they get no answer either.
  var expectedNacks = 0
  var nacks = 0
}

/// A probe that another member asked us for.
struct Relay: Sendable {
  let requester: GossipAddress
  let sequence: UInt64
  let nackAt: UInt64
  let expiresAt: UInt64
  var hasNacked = false
}
