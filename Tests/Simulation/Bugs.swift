/// Mistakes that a shell around the core can make, made on purpose: a simulator that can't find them proves nothing.
/// Mistakes inside the core are in its own list, `DeliberateBug`, and in no normal build.
public enum ShellBug: String, CaseIterable, Sendable {
  /// Writes are reported as done when they are handed to the disk: votes and acknowledgements go out before the sync.
  case answersBeforeSync
  /// The vote is not written, only the term.
  case forgetsVote
  /// Neither term nor vote is written.
  case forgetsTerm
  /// The rest of an entry that was torn by a crash is taken for an entry.
  case takesTornEntries
  /// A client is answered when its entry is on the leader's disk, without waiting for the majority.
  case answersBeforeCommit
  /// After a restart the state comes from the snapshot before the newest.
  case restoresOldSnapshot
  /// After a restart every entry of the log is applied, also those that the snapshot contains.
  case appliesTwiceAfterRestart
  /// A read is answered before the state has reached the read's index.
  case readsWithoutWaiting
  /// A leader answers reads without making sure that it still leads.
  case readsLocally
  /// A client sends a write without an answer again, although it may have happened.
  case repeatsWrites
  /// The log is compacted although the snapshot is not on disk yet.
  case compactsBeforeSnapshot
  /// Entries that a new leader overruled stay in the log on disk.
  case skipsTruncation
  /// A snapshot is stored without its configuration.
  case losesMembership
  /// One server is configured with a fifth of the others' election timeout, and breaks their leases.
  case unequalTimeouts
  /// A write that failed for want of room is reported as done.
  case ignoresFullDisk
  /// A disk that is older than what it has acknowledged is taken as it is.
  case trustsOlderDisk
  /// A server that found out that its disk is older than what it acknowledged has forgotten so after the next restart.
  case forgetsQuarantine
  /// The pieces of an incoming snapshot are put together without looking at their offsets.
  case mixesPieces

  // What only clusters with worker nodes show.

  /// An agent begins what is new before what it takes the place of has ended: ports, cores and memory are there twice.
  case beginsBeforeEnd
  /// An agent believes a server that lags: what it was told to run since ends.
  case takesOlderLists
  /// An agent says once what has become of an allocation, whether it was heard or not.
  case reportsOnce
  /// An operator is told that a change is done when it is in the leader's log.
  case answersChangesBeforeCommit
  /// Variables are read from any server, as it is.
  case readsAnywhere
  /// A server forgets to tell its duties of nodes that come back: those that went silent stay down.
  case ignoresReturningNodes

  /// Whether it needs worker nodes to show.
  public var isOfClusters: Bool {
    switch self {
    case .beginsBeforeEnd, .takesOlderLists, .reportsOnce, .answersChangesBeforeCommit, .readsAnywhere,
      .ignoresReturningNodes:
      true
    default: false
    }
  }
}
