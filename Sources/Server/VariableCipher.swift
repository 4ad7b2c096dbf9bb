/// How variables are encrypted before they are proposed, and decrypted when they are read.
///
/// The second argument of both is authenticated with the first: a variable's bytes decrypt under its own path only.
public struct VariableCipher: Sendable {
  /// Encrypts.
  public let seal: @Sendable (_ plaintext: [UInt8], _ context: [UInt8]) throws -> [UInt8]
  /// Decrypts; nil for bytes that were not made with the same key and context.
  public let open: @Sendable (_ sealed: [UInt8], _ context: [UInt8]) throws -> [UInt8]?

  /// A cipher of two functions.
  public init(
    seal: @escaping @Sendable (_ plaintext: [UInt8], _ context: [UInt8]) throws -> [UInt8],
    open: @escaping @Sendable (_ sealed: [UInt8], _ context: [UInt8]) throws -> [UInt8]?
  ) {
    self.seal = seal
    self.open = open
  }
}
