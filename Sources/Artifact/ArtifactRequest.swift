/// One `artifact` block, everything interpolated, and where on this host it goes.
public struct ArtifactRequest: Sendable, Equatable {
  /// What is made of what comes.
  public enum Mode: String, Sendable {
    /// An archive is unpacked into the destination, anything else becomes a file in it.
    case any
    /// One file, at the destination.
    case file
    /// An archive, unpacked into the destination.
    case directory = "dir"
  }

  /// The block's `source`.
  public var source: String
  /// The block's `options`.
  public var options: [String: String]
  /// Sent with an HTTP request.
  public var headers: [String: String]
  /// The block's `mode`.
  public var mode: Mode
  /// Whether any certificate of the server is believed.
  public var isInsecure: Bool
  /// A host directory that exists and that no task can replace: the task's, or the allocation's shared one.
  public var directory: String
  /// Where below it; no "..".
  public var destination: String
  /// Whom the files are to belong to; nil for root.
  public var owner: ArtifactOwner?

  /// A request.
  public init(
    source: String, options: [String: String] = [:], headers: [String: String] = [:], mode: Mode = .any,
    isInsecure: Bool = false, directory: String, destination: String, owner: ArtifactOwner? = nil
  ) {
    self.source = source
    self.options = options
    self.headers = headers
    self.mode = mode
    self.isInsecure = isInsecure
    self.directory = directory
    self.destination = destination
    self.owner = owner
  }
}

/// What a node takes (`client { artifact }`).
public struct ArtifactLimits: Sendable, Equatable {
  /// The whole exchange with a server.
  public var timeout = Duration.seconds(30 * 60)
  /// Bytes of a download.
  public var downloadBytes: Int64 = 100 << 30
  /// Bytes of all that is unpacked of one archive.
  public var unpackedBytes: Int64 = 100 << 30
  /// Entries of an archive.
  public var files = 4096
  /// Host directories from which `file:` URLs may be read; none unless the operator says so, for the agent could read
  /// anything.
  public var hostPaths: [String] = []

  /// Nomad's defaults.
  public init() {}
}
