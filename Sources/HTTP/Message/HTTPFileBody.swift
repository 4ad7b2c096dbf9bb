import Glibc
import Synchronization

/// A range of an open file as the body of a response. Owns the descriptor until the server takes it over.
public final class HTTPFileBody: Sendable {
  /// First byte of the range.
  public let offset: UInt64
  /// Bytes in the range.
  public let length: UInt64
  private let descriptor: Mutex<Int32?>

  /// - Parameters:
  ///   - descriptor: an open, seekable file; closed by this object or, once sent, by the server.
  ///   - offset: the first byte to send.
  ///   - length: how many bytes to send; the file must not shrink below it meanwhile, or the connection is cut.
  public init(owning descriptor: Int32, offset: UInt64 = 0, length: UInt64) {
    self.descriptor = Mutex(descriptor)
    self.offset = offset
    self.length = length
  }

  deinit {
    if let left = descriptor.withLock({ $0 }) { close(left) }
  }

  /// Hands the descriptor over; nil the second time.
  func take() -> Int32? {
    descriptor.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
  }
}
