internal import BaseEncoding
internal import Digests

/// A checksum that an artifact must have: `sha256:<hex>`, or the hexadecimal digits alone, or `file:<url>` of a list that
/// sha256sum(1) and its kin write.
struct Checksum: Equatable, Sendable {
  enum Expectation: Equatable, Sendable {
    case digest(DigestAlgorithm, [UInt8])
    /// In the list at this URL.
    case listed(String)
  }

  var expectation: Expectation

  /// - Throws: `.invalid`.
  init(_ text: String) throws(ArtifactError) {
    if text.hasPrefix("file:") {
      expectation = .listed(String(text.dropFirst(5)))
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    let digits = Base16.decode((parts.last ?? "").utf8)
    let algorithm =
      parts.count == 2
      ? DigestAlgorithm(rawValue: parts[0].lowercased())
      : DigestAlgorithm.allCases.first { $0.byteCount == digits?.count }
    guard let algorithm, let digits, digits.count == algorithm.byteCount else {
      throw ArtifactError(
        .invalid,
        "artifact checksum \"\(text)\": write md5:, sha1:, sha256: or sha512: and the digits in hexadecimal, or file:<url>"
      )
    }
    expectation = .digest(algorithm, digits)
  }

  /// The digest that a list holds for a file: lines of `<digits>  <name>`, `<digits> *<name>` or
  /// `SHA256 (<name>) = <digits>`; a list of one line without a name is of the file that was asked for.
  static func find(_ fileName: String, inList list: String) -> Checksum? {
    let lines = list.split(whereSeparator: \.isNewline).map { $0.split(separator: " ").map(String.init) }
    for line in lines where !line.isEmpty {
      if line.count == 4, line[2] == "=", line[1] == "(\(fileName))" {
        return try? Checksum("\(line[0].lowercased()):\(line[3])")
      }
      guard line.count == 2 else { continue }
      let name = line[1].drop { $0 == "*" }.split(separator: "/").last.map(String.init)
      if name == fileName { return try? Checksum(line[0]) }
    }
    if lines.count == 1, lines[0].count == 1 { return try? Checksum(lines[0][0]) }
    return nil
  }
}
