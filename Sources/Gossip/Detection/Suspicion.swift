internal import Glibc

/// How long a suspect has to object: long at first, shorter with each further member that suspects it on its own
/// (Lifeguard §IV-B, "LHA-Suspicion").
struct Suspicion: Sendable {
  private let began: UInt64
  private let minimum: UInt64
  private let maximum: UInt64
  /// Further accusers after which the time is shortest.
  private let needed: Int
  /// Who accused, the first one included.
  private var accusers: Set<String>

  /// - Parameters:
  ///   - members: the pool's size, ourselves and the suspect included.
  init(from accuser: String, members: Int, configuration: GossipConfiguration, now: UInt64) {
    began = now
    let scale = max(1, log10(Double(max(1, members))))
    minimum = UInt64(Double(configuration.suspicionFactor) * scale * Double(configuration.probeInterval))
    maximum = minimum * UInt64(max(1, configuration.suspicionMaxFactor))
    // As many as will accuse it anyway; in a pool too small for that nobody waits for them.
    let wanted = configuration.suspicionFactor - 2
    needed = members - 2 < wanted ? 0 : max(0, wanted)
    accusers = [accuser]
  }

  /// True if this accuser is news, which is then to be passed on.
  mutating func confirm(from accuser: String) -> Bool {
    guard accusers.count - 1 < needed else { return false }
    return accusers.insert(accuser).inserted
  }

  /// When the suspect has failed; monotonic nanoseconds.
  var deadline: UInt64 {
    guard needed > 0 else { return began + minimum }
    let share = log(Double(accusers.count)) / log(Double(needed + 1))
    return began + max(minimum, maximum - UInt64(Double(maximum - minimum) * share))
  }
}
