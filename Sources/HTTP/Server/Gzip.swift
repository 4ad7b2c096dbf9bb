internal import CZ

/// gzip (RFC 1952) of whole bodies.
enum Gzip {
  /// Level 1: on 11.6 MB of allocation stubs it made 160 MB/s and 2.50 MB, zlib's default of 6 made 71 MB/s and 2.19 MB.
  static let level: Int32 = 1

  /// The compressed form, or nil if it would not be smaller (or zlib has no memory): then the body goes out as it is.
  static func compress(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count > 18, bytes.count <= Int(UInt32.max) else { return nil }
    var stream = z_stream()
    guard serai_gzip_begin(&stream, level) == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    var complete = false
    // zlib's next_in is not const for history's sake; it does not write there.
    let output = [UInt8](unsafeUninitializedCapacity: bytes.count - 1) { target, count in
      bytes.withUnsafeBufferPointer { source in
        stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        complete = deflate(&stream, Z_FINISH) == Z_STREAM_END
        count = target.count - Int(stream.avail_out)
      }
    }
    return complete ? output : nil
  }

  /// Whether an Accept-Encoding list allows gzip (RFC 9110 §12.5.3): named, or "*", and not with q=0.
  static func isAccepted(_ encodings: [String]) -> Bool {
    var wildcard = false
    for encoding in encodings {
      let parts = encoding.split(separator: ";").map { trimmedBlanks($0) }
      guard let name = parts.first else { continue }
      let refused = parts.dropFirst().contains { parameter in
        guard parameter.hasPrefix("q=") || parameter.hasPrefix("Q=") else { return false }
        return Double(parameter.dropFirst(2)) == 0
      }
      if equalsIgnoringASCIICase(name, "gzip") || equalsIgnoringASCIICase(name, "x-gzip") { return !refused }
      if name == "*" { wildcard = !refused }
    }
    return wildcard
  }

  /// Whether a media type is worth compressing: text and JSON are, pictures and archives are not.
  static func isCompressible(contentType: String?) -> Bool {
    guard let contentType else { return true }
    let type = trimmedBlanks(contentType.split(separator: ";").first ?? "").lowercased()
    return type.hasPrefix("text/") || type.hasSuffix("json") || type.hasSuffix("xml") || type.hasSuffix("javascript")
  }
}
