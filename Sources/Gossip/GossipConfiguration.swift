/// Versions of the gossip protocol.
public enum GossipProtocol {
  /// The newest version spoken; also the first byte of every packet.
  public static let highestVersion: UInt8 = 1
  /// The oldest version understood.
  public static let lowestVersion: UInt8 = 1
}

/// Times, factors and limits of the protocol. All times are nanoseconds. The defaults are for servers in one region;
/// names and values follow the SWIM paper (§4, §5) and the Lifeguard paper (§III).
public struct GossipConfiguration: Sendable {
  /// Between two probes of a healthy member; Lifeguard stretches it (SWIM: T').
  public var probeInterval: UInt64 = 1_000_000_000
  /// From a ping to asking others for help; less than `probeInterval`.
  public var probeTimeout: UInt64 = 500_000_000
  /// Members asked to probe in our place (SWIM: k).
  public var indirectProbes = 3
  /// After how much of `probeTimeout` a helper says that it has no answer yet, in percent (Lifeguard: nack at 80 %).
  public var nackPercent: UInt64 = 80
  /// The least time that a suspect has, in probe intervals × log10(members) (Lifeguard: α).
  public var suspicionFactor = 4
  /// The most time, in least times (Lifeguard: β). 1 makes the time fixed, as in SWIM.
  public var suspicionMaxFactor = 6
  /// The worst local health; 0 turns Lifeguard's local health off (Lifeguard: S).
  public var maxAwareness = 8
  /// Between two rounds of gossip, while there is something to tell.
  public var gossipInterval: UInt64 = 200_000_000
  /// Members told in a round.
  public var gossipFanout = 3
  /// Times that a piece of news is sent, × ceil(log10(members + 1)) (SWIM: λ).
  public var retransmitFactor = 4
  /// For so long a failed member is still told the news, so that it can contradict.
  public var gossipToFailed: UInt64 = 30_000_000_000
  /// Between two exchanges of the whole state with a random member.
  public var pushPullInterval: UInt64 = 30_000_000_000
  /// Between two tries to reach a failed member again.
  public var reconnectInterval: UInt64 = 15_000_000_000
  /// How long failed members are remembered, and tried.
  public var failedRetention: UInt64 = 72 * 3600 * 1_000_000_000
  /// How long members that left are remembered, so that old news does not bring them back.
  public var leftRetention: UInt64 = 24 * 3600 * 1_000_000_000
  /// How long a leaving member goes on telling so at most.
  public var leaveTimeout: UInt64 = 3_000_000_000

  /// Bytes of a UDP packet.
  public var maxPacketBytes = 1400
  /// Bytes of a frame over TCP.
  public var maxFrameBytes = 8 << 20
  /// Pieces of news that wait to be told.
  public var maxBroadcasts = 2048
  /// Members known at once; more are refused and counted.
  public var maxMembers = 8192
  /// Probes in progress for others.
  public var maxRelays = 1024

  /// The defaults.
  public init() {}
}

/// Encrypts packets; injected so that the core does no cryptography of its own.
public struct GossipCipher: Sendable {
  /// Nonce, ciphertext and tag; nil if the key can't be used. The first argument is the plaintext, then the key, then
  /// the bytes that are authenticated only.
  public var seal: @Sendable (_ plaintext: [UInt8], _ key: [UInt8], _ authenticated: [UInt8]) -> [UInt8]?
  /// The plaintext; nil if the bytes are not what `seal` made with this key.
  public var open: @Sendable (_ sealed: [UInt8], _ key: [UInt8], _ authenticated: [UInt8]) -> [UInt8]?
  /// Bytes that `seal` adds.
  public var overheadBytes: Int

  /// A cipher out of its two halves.
  public init(
    overheadBytes: Int, seal: @escaping @Sendable ([UInt8], [UInt8], [UInt8]) -> [UInt8]?,
    open: @escaping @Sendable ([UInt8], [UInt8], [UInt8]) -> [UInt8]?
  ) {
    self.overheadBytes = overheadBytes
    self.seal = seal
    self.open = open
  }
}
