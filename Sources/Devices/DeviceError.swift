/// Why devices can't be had: which plugin, what failed and what to do.
public struct DeviceError: Error, CustomStringConvertible {
  /// A sentence for an operator.
  public let message: String

  /// An error of a plugin.
  init(_ plugin: String, _ problem: String) { message = "device plugin \"\(plugin)\": \(problem)" }

  init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
