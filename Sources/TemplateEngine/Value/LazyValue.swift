internal import Synchronization

/// A value computed when first looked at, and then kept.
///
/// A failed computation is not kept: the next look tries again. Two threads looking at the same moment may both compute.
public final class LazyValue: Sendable {
  private let compute: @Sendable () throws -> TemplateValue
  private let known = Mutex<TemplateValue?>(nil)

  /// A value that `compute` returns; its error becomes the rendering's.
  public init(_ compute: @escaping @Sendable () throws -> TemplateValue) {
    self.compute = compute
  }

  /// The value, computed if need be.
  public func value() throws -> TemplateValue {
    if let value = known.withLock({ $0 }) { return value }
    let value = try compute()
    known.withLock { $0 = value }
    return value
  }
}
