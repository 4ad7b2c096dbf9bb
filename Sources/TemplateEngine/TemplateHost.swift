/// What functions may know of the world; everything a rendering depends on comes through here or through its data.
public protocol TemplateHost: Sendable {
  /// The variable of the task's environment, nil when unset.
  func environmentVariable(_ name: ByteString) -> ByteString?

  /// All variables, for those who expand `$NAME` in texts.
  var environment: [ByteString: ByteString] { get }

  /// The time now.
  var now: TemplateTime { get }

  /// `count` random bytes.
  func randomBytes(_ count: Int) -> [UInt8]

  /// The value of something outside, nil when it is not known yet: the rendering then goes on with an empty value and
  /// reports the dependency as missing.
  func value(of dependency: TemplateDependency) throws -> TemplateValue?
}

/// A host that knows nothing: no variables, the epoch as time, zero bytes as randomness, no dependency.
public struct EmptyHost: TemplateHost {
  /// The host.
  public init() {}
  /// Always unset.
  public func environmentVariable(_ name: ByteString) -> ByteString? { nil }
  /// Empty.
  public var environment: [ByteString: ByteString] { [:] }
  /// The epoch.
  public var now: TemplateTime { TemplateTime(seconds: 0, nanoseconds: 0) }
  /// Zeros.
  public func randomBytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
  /// Never known.
  public func value(of dependency: TemplateDependency) -> TemplateValue? { nil }
}

/// A moment, and the offset at which it is shown.
public struct TemplateTime: Sendable, Hashable {
  /// Seconds since 1970-01-01 00:00:00 UTC.
  public var seconds: Int64
  /// 0 to 999,999,999.
  public var nanoseconds: Int32
  /// Seconds east of UTC.
  public var offset: Int32
  /// The zone's abbreviation, "UTC" for offset 0.
  public var zone: String

  /// A moment, shown in UTC unless an offset is given.
  public init(seconds: Int64, nanoseconds: Int32 = 0, offset: Int32 = 0, zone: String = "UTC") {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.offset = offset
    self.zone = zone
  }
}

/// Something outside of the template that it asked for: the function's name and its arguments, as consul-template
/// knows them.
public struct TemplateDependency: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The function: `key`, `service`, `secret`, `nomadVar`, …
  public let function: ByteString
  /// The arguments, printed.
  public let arguments: [ByteString]

  /// A dependency.
  public init(_ function: ByteString, _ arguments: [ByteString] = []) {
    self.function = function
    self.arguments = arguments
  }

  /// By function, then by arguments.
  public static func < (left: TemplateDependency, right: TemplateDependency) -> Bool {
    left.function == right.function
      ? left.arguments.lexicographicallyPrecedes(right.arguments) : left.function < right.function
  }

  /// As a template would write it: `key("path")`.
  public var description: String {
    "\(function)(\(arguments.map { Quoting.quoted($0.bytes).description }.joined(separator: ", ")))"
  }
}
