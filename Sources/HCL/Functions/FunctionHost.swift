/// What functions get from outside of the language. Everything here is an input, so that evaluation gives the same result for
/// the same inputs; what is left out makes the functions that need it fail with a reason.
public struct FunctionHost: Sendable {
  /// The current time in nanoseconds since 1970-01-01T00:00:00Z, for `timestamp`.
  public var now: (@Sendable () -> Int64)?
  /// Random bytes in the number asked for, for `uuidv4` and the salt of `bcrypt`.
  public var random: (@Sendable (Int) -> [UInt8])?
  /// The files that `file`, `fileexists`, `fileset`, `abspath` and `pathexpand` see. Nil disables these functions and also
  /// `basename` and `dirname`, as a server must that parses jobs of others.
  public var files: (any FileAccess)?

  /// Leave out whatever expressions are not to have.
  public init(
    now: (@Sendable () -> Int64)? = nil, random: (@Sendable (Int) -> [UInt8])? = nil, files: (any FileAccess)? = nil
  ) {
    self.now = now
    self.random = random
    self.files = files
  }
}

/// The file system as functions see it. Errors are sentences without a full stop.
public protocol FileAccess: Sendable {
  /// The directory that relative paths start from, absolute.
  var workingDirectory: String { get }
  /// The home directory of the user, absolute; nil when there is none.
  var homeDirectory: String? { get }
  /// The content of a file.
  func contents(of path: String) throws(FunctionFailure) -> [UInt8]
  /// What is at a path.
  func kind(of path: String) throws(FunctionFailure) -> FileKind
  /// The names in a directory, in any order, without `.` and `..`.
  func entries(of path: String) throws(FunctionFailure) -> [String]
}

/// What a path names, symbolic links followed.
public enum FileKind: Sendable {
  case absent, file, directory, other
}
