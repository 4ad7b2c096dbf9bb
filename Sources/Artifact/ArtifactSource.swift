/// What an `artifact` block's `source` and `options` mean: a URL, a place inside of an archive, and how to treat what
/// comes. The notation is that of go-getter's documentation. Pure.
struct ArtifactSource: Equatable, Sendable {
  /// How a thing is packed.
  enum Packing: Equatable, Sendable {
    /// Not at all.
    case none
    /// A tree: tar, compressed or not, or zip.
    case archive
    /// One compressed file, of that name when unpacked.
    case compressed(name: String)
  }

  /// `http`, `https` or `file`.
  var scheme: String
  /// For http and https the URL to ask for; for `file` an absolute path of the host.
  var location: String
  /// The last component of the location's path, or what `filename` says.
  var fileName: String
  /// The part of an archive that is wanted, without slashes at the ends; "" for all.
  var subdirectory: String
  var packing: Packing
  /// nil when none is asked for.
  var checksum: Checksum?

  /// - Throws: `.invalid` naming what is wrong or not supported.
  init(_ given: String, options: [String: String]) throws(ArtifactError) {
    let source = try Self.plainURL(given)
    guard let end = source.firstRange(of: "://") else {
      throw ArtifactError(
        .invalid, "artifact source \"\(given)\": write a URL that begins with https://, http:// or file:///")
    }
    scheme = source[..<end.lowerBound].lowercased()
    guard ["http", "https", "file"].contains(scheme) else { throw Self.unsupported(scheme, source) }
    var rest = source[end.upperBound...]
    if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
    let mark = rest.firstIndex(of: "?")
    var path = String(mark.map { rest[..<$0] } ?? rest)
    subdirectory = ""
    // The first double slash behind the host divides the archive from a place in it.
    if let double = path.dropFirst().firstRange(of: "//") {
      subdirectory = path[double.upperBound...].split(separator: "/").joined(separator: "/")
      path = String(path[..<double.lowerBound])
    }
    if subdirectory.split(separator: "/").contains("..") {
      throw ArtifactError(.invalid, "artifact source \"\(source)\": the part behind // must not contain \"..\"")
    }
    var settings = options
    var kept: [Substring] = []
    for item in mark.map({ rest[rest.index(after: $0)...].split(separator: "&") }) ?? [] {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if ["checksum", "archive", "filename"].contains(name) {
        if settings[name] == nil { settings[name] = parts.count > 1 ? Self.decoded(parts[1]) : "" }
      } else {
        kept.append(item)
      }
    }
    // Other options belong to the request, as in go-getter.
    for (name, value) in options.sorted(by: { $0.key < $1.key })
    where !["checksum", "archive", "filename"].contains(name) {
      kept.append(Substring("\(name)=\(value)"))
    }
    location = scheme == "file" ? path : "\(scheme)://\(path)" + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    let last = path.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    let isBareHost = scheme != "file" && !path.contains("/")
    let name = settings["filename"] ?? (isBareHost ? "" : Self.decoded(last[...]))
    fileName = name.isEmpty ? "index.html" : name
    guard !fileName.contains("/"), fileName != ".", fileName != ".." else {
      throw ArtifactError(.invalid, "artifact source \"\(source)\": \"\(fileName)\" is no name for a file")
    }
    packing = Self.packing(fileName: fileName, asked: settings["archive"])
    checksum = nil
    if let text = settings["checksum"], !text.isEmpty { checksum = try Checksum(text) }
  }

  /// The source without a getter's name in front of it, a host's path as a URL.
  private static func plainURL(_ source: String) throws(ArtifactError) -> String {
    if source.hasPrefix("/") { return "file://" + source }
    // `git::…`, `s3::…`: another getter than the URL's own.
    guard let forced = source.firstRange(of: "::"),
      source[..<forced.lowerBound].allSatisfy({ $0.isLetter || $0.isNumber })
    else { return source }
    let getter = String(source[..<forced.lowerBound])
    guard ["http", "https", "file"].contains(getter) else { throw Self.unsupported(getter, source) }
    return String(source[forced.upperBound...])
  }

  private static func unsupported(_ getter: String, _ source: String) -> ArtifactError {
    ArtifactError(
      .invalid, "artifact source \"\(source)\": this version fetches over http, https and file, not over \(getter)")
  }

  private static let archiveEndings = [
    ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar", ".zip",
  ]
  private static let compressedEndings = [".gz", ".bz2", ".xz", ".zst"]

  private static func packing(fileName: String, asked: String?) -> Packing {
    if let asked, !asked.isEmpty {
      if ["false", "0"].contains(asked) { return .none }
      return packing(fileName: "\(fileName).\(asked)", asked: nil)
    }
    if archiveEndings.contains(where: { fileName.hasSuffix($0) }) { return .archive }
    guard let ending = compressedEndings.first(where: { fileName.hasSuffix($0) && fileName.count > $0.count }) else {
      return .none
    }
    return .compressed(name: String(fileName.dropLast(ending.count)))
  }

  /// Percent-encoding taken away; what is no encoding stays.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension StringProtocol {
  /// The first place of `other`. (The standard library's own needs an import that costs much.)
  func firstRange(of other: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }
}
