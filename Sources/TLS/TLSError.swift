internal import CGnuTLS

/// Why something of TLS, X.509 or cryptography failed, and what to do.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was tried: "read the CA certificate", "TLS handshake".
  public let operation: String
  /// On what: a file, an address; empty when there is none.
  public let object: String
  /// What GnuTLS says.
  public let reason: String
  /// What to change; empty when the reason says it all.
  public let advice: String

  /// An error of one operation.
  public init(_ operation: String, _ object: String = "", reason: String, advice: String = "") {
    self.operation = operation
    self.object = object
    self.reason = reason
    self.advice = advice
  }

  init(_ operation: String, _ object: String = "", code: Int32, advice: String = "") {
    self.init(operation, object, reason: Self.text(code), advice: advice)
  }

  /// GnuTLS' words for an error code.
  static func text(_ code: Int32) -> String { gnutls_strerror(code).map { String(cString: $0) } ?? "error \(code)" }

  /// `verify the server's certificate failed: the certificate has expired; …`.
  public var description: String {
    "\(operation)\(object.isEmpty ? "" : " \(object)") failed: \(reason)\(advice.isEmpty ? "" : "; \(advice)")"
  }
}

/// Throws for a negative result of a GnuTLS function.
@discardableResult
func check(_ code: Int32, _ operation: String, _ object: String = "", advice: String = "") throws(TLSError) -> Int32 {
  guard code >= 0 else { throw TLSError(operation, object, code: code, advice: advice) }
  return code
}

/// Lends bytes to a function that takes a datum and copies what it needs.
func withDatum<Result>(_ bytes: [UInt8], _ body: (inout gnutls_datum_t) -> Result) -> Result {
  var copy = bytes
  return copy.withUnsafeMutableBufferPointer { buffer in
    var datum = gnutls_datum_t(data: buffer.baseAddress, size: UInt32(clamping: buffer.count))
    return body(&datum)
  }
}

/// Takes over memory that GnuTLS allocated.
func take(_ datum: inout gnutls_datum_t) -> [UInt8] {
  defer {
    serai_gnutls_free(datum.data)
    datum = gnutls_datum_t()
  }
  return Array(UnsafeBufferPointer(start: datum.data, count: Int(datum.size)))
}
