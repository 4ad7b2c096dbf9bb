extension Duration {
  /// Whole nanoseconds, 0 for negative durations, the largest number for what doesn't fit.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max / 2 : product &+ UInt64(attoseconds / 1_000_000_000)
  }
}
