#if DELIBERATE_BUGS
  /// Mistakes in the core that the simulator must find. In no build but that of `make sim-bugs`; mistakes that a shell can
  /// make are doubles of the simulator's shell instead.
  public enum DeliberateBug: String, CaseIterable, Sendable {
    /// A candidate counts answers instead of servers.
    case everyAnswerIsAVoteMore
    /// A vote goes to whoever asks first, however short its log.
    case votesForShorterLogs
    /// A leader counts an entry of an older term as committed (dissertation figure 3.7).
    case commitsOlderTermsByCounting
    /// Joint consensus is forgotten when counting acknowledgements.
    case committedByNewerHalfAlone
    /// Joint consensus is forgotten when counting votes.
    case electedByNewerHalfAlone

    /// The mistake to make. Set once, before the first core is made.
    nonisolated(unsafe) public static var active: DeliberateBug?
  }
#endif
