internal import CLinux

/// Clocks of the kernel, in nanoseconds, and its random bytes.
public enum Clock {
  /// CLOCK_MONOTONIC: for durations and deadlines; does not count suspended time.
  public static var monotonicNanoseconds: Int64 { serai_monotonic_ns() }
  /// CLOCK_REALTIME: since 1970-01-01 UTC; may jump.
  public static var realtimeNanoseconds: Int64 { serai_realtime_ns() }
  /// CLOCK_BOOTTIME: since boot, suspended time included.
  public static var bootNanoseconds: Int64 { serai_boottime_ns() }
  /// nanosleep(2): for threads of our own only, never on Swift's cooperative pool. May return early.
  public static func sleep(nanoseconds: Int64) { serai_sleep_ns(nanoseconds) }
}

/// Random bytes from getrandom(2).
public enum Randomness {
  /// `count` bytes fit for keys.
  public static func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
    var result: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      result = buffer.baseAddress.map { serai_random($0, count) } ?? 0
      used = result < 0 ? 0 : count
    }
    try check(result, "getrandom")
    return bytes
  }
}
