internal import BaseEncoding
internal import Digests
internal import HTTP
internal import Linux
internal import Synchronization

/// Brings artifacts to where tasks find them.
public enum ArtifactFetch {
  /// Waits before the second and third attempt when the server or the network failed.
  private static let retryDelays: [Duration] = [.seconds(1), .seconds(3)]

  /// Fetches one artifact: what was at its place is replaced. Blocks no thread of Swift's pool. A cancelled task ends the
  /// transfer.
  public static func run(_ request: ArtifactRequest, limits: ArtifactLimits) async throws(ArtifactError) {
    for delay in retryDelays {
      do throws(ArtifactError) {
        return try await once(request, limits)
      } catch {
        guard error.kind == .temporary else { throw error }
        do { try await Task.sleep(for: delay) } catch {
          throw ArtifactError(.cancelled, "artifact \(request.source): no longer wanted")
        }
      }
    }
    try await once(request, limits)
  }

  private static func once(_ request: ArtifactRequest, _ limits: ArtifactLimits) async throws(ArtifactError) {
    let cancellation = Cancellation()
    let result: Result<Void, ArtifactError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        do throws(SystemError) {
          // libcurl and libarchive keep large buffers on the stack.
          try DetachedThread.start(stackBytes: 2 << 20) {
            continuation.resume(
              returning: Result { () throws(ArtifactError) in
                try Transfer(request, limits, isCancelled: { cancellation.isCancelled }).run()
              })
          }
        } catch {
          continuation.resume(returning: .failure(ArtifactError(error, "artifact \(request.source)")))
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    try result.get()
  }
}

private final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)
  var isCancelled: Bool { flag.load(ordering: .relaxed) }
  func cancel() { flag.store(true, ordering: .relaxed) }
}

/// One attempt, on a thread of its own.
private struct Transfer {
  let request: ArtifactRequest
  let source: ArtifactSource
  let limits: ArtifactLimits
  let isCancelled: @Sendable () -> Bool

  /// How the thing is called in messages, without what may be secret in its URL.
  private var what: String {
    "artifact \(source.location.prefix { $0 != "?" }.split(separator: "@").last.map(String.init) ?? source.location)"
  }

  init(
    _ request: ArtifactRequest, _ limits: ArtifactLimits, isCancelled: @escaping @Sendable () -> Bool
  ) throws(ArtifactError) {
    self.request = request
    self.limits = limits
    self.isCancelled = isCancelled
    source = try ArtifactSource(request.source, options: request.options)
    if request.destination.split(separator: "/").contains("..") {
      throw ArtifactError(.invalid, "artifact destination \"\(request.destination)\" must not contain \"..\"")
    }
    if request.mode == .file && source.packing == .archive {
      throw ArtifactError(
        .invalid, "\(source.fileName) is an archive and mode = \"file\" asks for one file: set options.archive = false")
    }
    if request.mode == .directory && source.packing != .archive {
      throw ArtifactError(
        .invalid,
        "\(source.fileName) is no archive and mode = \"dir\" asks for one: set mode = \"file\" or options.archive")
    }
    if !source.subdirectory.isEmpty && source.packing != .archive {
      throw ArtifactError(.invalid, "\(source.fileName) is no archive: nothing of it can be picked with //")
    }
  }

  func run() throws(ArtifactError) {
    var (place, name) = (request.destination, source.fileName)
    if case .compressed(let unpacked) = source.packing { name = unpacked }
    if request.mode == .file {
      var parts = request.destination.split(separator: "/").map(String.init)
      guard let last = parts.popLast() else {
        throw ArtifactError(.invalid, "artifact destination \"\(request.destination)\" names no file")
      }
      (place, name) = (parts.joined(separator: "/"), last)
    }
    let directory = try ArtifactDirectory(place, in: request.directory, owner: request.owner)
    let part = ".\(name).part"
    directory.remove(part)
    let file = try directory.makeFile(part, what)
    defer { directory.remove(part) }
    try check(try download(into: file))
    var extraction = ArchiveExtraction(into: directory, limits: limits, isCancelled: isCancelled)
    switch source.packing {
    case .none:
      try directory.finish(file, permissions: 0o644, what)
      try directory.rename(part, to: name, what)
    case .archive:
      try extraction.unpack(try reopened(part, directory), subdirectory: source.subdirectory, what)
    case .compressed:
      try extraction.unpackFile(try reopened(part, directory), as: name, what)
    }
  }

  private func reopened(_ name: String, _ directory: ArtifactDirectory) throws(ArtifactError) -> FileDescriptor {
    do throws(SystemError) { return try directory.open(name) } catch { throw ArtifactError(error, "read \(what)") }
  }

  /// What the artifact must be; a list of checksums is fetched first.
  private func expectedDigest() throws(ArtifactError) -> (DigestAlgorithm, [UInt8])? {
    guard let checksum = source.checksum else { return nil }
    switch checksum.expectation {
    case .digest(let algorithm, let bytes): return (algorithm, bytes)
    case .listed(let url):
      guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw ArtifactError(.invalid, "artifact checksum \"file:\(url)\": only http and https are fetched")
      }
      var list: [UInt8] = []
      try get(url) { bytes throws(HTTPClientError) in
        list += bytes
        if list.count > 1 << 20 { throw HTTPClientError(.limit, "\(url): the list of checksums is too long") }
      }
      let found = Checksum.find(source.fileName, inList: String(decoding: list, as: UTF8.self))
      guard case .digest(let algorithm, let bytes)? = found?.expectation else {
        throw ArtifactError(.refused, "\(url) has no checksum of \(source.fileName)")
      }
      return (algorithm, bytes)
    }
  }

  private func check(_ digest: (expected: [UInt8], found: [UInt8])?) throws(ArtifactError) {
    guard let digest, digest.expected != digest.found else { return }
    throw ArtifactError(
      .refused,
      "\(what): the checksum does not match: expected \(Base16.text(digest.expected)), what came has "
        + Base16.text(digest.found))
  }

  private func download(
    into file: borrowing FileDescriptor
  ) throws(ArtifactError) -> (expected: [UInt8], found: [UInt8])? {
    let expected = try expectedDigest()
    // Without an expectation nobody looks at it.
    var digest: Digest
    do throws(DigestUnavailable) {
      digest = try Digest(expected?.0 ?? .sha256)
    } catch {
      throw ArtifactError(.system, "\(what): \(error)")
    }
    if source.scheme == "file" {
      try copy(from: source.location, into: file, &digest)
    } else {
      let number = file.number
      var total: Int64 = 0
      try get(source.location) { bytes throws(HTTPClientError) in
        total += Int64(bytes.count)
        guard total <= limits.downloadBytes else {
          throw HTTPClientError(
            .limit, "\(what): it is larger than the \(limits.downloadBytes) bytes that this node takes")
        }
        if expected != nil { digest.add(bytes) }
        do throws(SystemError) {
          try FileDescriptor.duplicate(of: number).writeAll(bytes)
        } catch {
          throw HTTPClientError(.other, "write \(what): \(error)")
        }
      }
    }
    return expected.map { ($0.1, digest.value()) }
  }

  private func copy(
    from path: String, into file: borrowing FileDescriptor, _ digest: inout Digest
  ) throws(ArtifactError) {
    guard let root = limits.hostPaths.first(where: { path == $0 || path.hasPrefix($0 + "/") }) else {
      throw ArtifactError(
        .invalid,
        "\(what): this node lets no job read this path of its own file system: the client's option "
          + "artifact.allow_host_paths names those that may be")
    }
    do throws(SystemError) {
      let base = try FileDescriptor.open(root, [.path])
      let rest = String(path.dropFirst(root.count).drop { $0 == "/" })
      let from =
        rest.isEmpty
        ? try FileDescriptor.open(root, [.readOnly, .noFollow])
        : try base.open(beneath: rest, [.readOnly, .nonBlocking])
      guard try from.status().kind == .regular else {
        throw SystemError("read", path, .invalidArgument, advice: "it is no regular file")
      }
      while true {
        let bytes = try from.read(upTo: 64 << 10)
        if bytes.isEmpty { return }
        if isCancelled() { throw SystemError("read", path, .interrupted) }
        digest.add(bytes)
        try file.writeAll(bytes)
      }
    } catch {
      throw ArtifactError(error, what)
    }
  }

  private func get(
    _ url: String, onBytes: ([UInt8]) throws(HTTPClientError) -> Void
  ) throws(ArtifactError) {
    var configuration = HTTPClientConfiguration()
    configuration.tls.skipVerify = request.isInsecure
    var headers = HTTPHeaders()
    for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) { headers.append(name, value) }
    var get = HTTPClientRequest(url: url, headers: headers, timeout: limits.timeout)
    get.maxRedirects = 10
    var isSuccess = false
    let head: HTTPClientResponseHead
    do throws(HTTPClientError) {
      head = try HTTPClient.performStreaming(get, configuration: configuration) { head in
        isSuccess = head.status.isSuccess
      } chunk: { bytes throws(HTTPClientError) in
        if isCancelled() { throw HTTPClientError(.cancelled, "\(what): no longer wanted") }
        if isSuccess { try onBytes(bytes) }
      }
    } catch {
      let kind: ArtifactError.Kind =
        switch error.kind {
        case .nameNotFound, .unreachable, .timedOut, .broken: .temporary
        case .malformedURL: .invalid
        case .limit, .tls: .refused
        case .cancelled: .cancelled
        case .other: .system
        }
      throw ArtifactError(kind, error.message)
    }
    guard !isSuccess else { return }
    let status = head.status.rawValue
    let isTemporary = status >= 500 || status == 429 || status == 408
    throw ArtifactError(
      isTemporary ? .temporary : .refused, "\(what): the server answered \(head.status)")
  }
}
