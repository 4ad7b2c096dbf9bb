public import Codec

/// A file rendered into the task's directory (`template` block).
public struct Template: Record {
  public var sourcePath: String?
  public var destPath: String?
  public var embeddedTmpl: String?
  /// `restart`, `signal`, `script` or `noop`.
  public var changeMode: String?
  @Indirect public var changeScript: ChangeScript?
  public var changeSignal: String?
  public var once: Bool?
  public var splay: Nanoseconds?
  /// Octal digits.
  public var perms: String?
  public var uid: Int?
  public var gid: Int?
  public var leftDelim: String?
  public var rightDelim: String?
  /// The rendered file holds environment variables for the task.
  public var envvars: Bool?
  /// Has no effect any more.
  public var vaultGrace: Nanoseconds?
  @Indirect public var wait: WaitConfig?
  public var errMissingKey: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SourcePath", &sourcePath)
    v.field(2, "DestPath", &destPath)
    v.field(3, "EmbeddedTmpl", &embeddedTmpl)
    v.field(4, "ChangeMode", &changeMode)
    v.field(5, "ChangeScript", &_changeScript)
    v.field(6, "ChangeSignal", &changeSignal)
    v.field(7, "Once", &once)
    v.field(8, "Splay", &splay)
    v.field(9, "Perms", &perms)
    v.field(10, "Uid", &uid)
    v.field(11, "Gid", &gid)
    v.field(12, "LeftDelim", &leftDelim)
    v.field(13, "RightDelim", &rightDelim)
    v.field(14, "Envvars", &envvars)
    v.field(15, "VaultGrace", &vaultGrace)
    v.field(16, "Wait", &_wait)
    v.field(17, "ErrMissingKey", &errMissingKey)
  }
}

/// The script that is run when a template changed.
public struct ChangeScript: Record {
  public var command: String?
  public var args: [String]?
  public var timeout: Nanoseconds?
  public var failOnError: Bool?
  public var runOnFirstRender: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Command", &command)
    v.field(2, "Args", &args)
    v.field(3, "Timeout", &timeout)
    v.field(4, "FailOnError", &failOnError)
    v.field(5, "RunOnFirstRender", &runOnFirstRender)
  }
}

/// How long rendering waits for further changes.
public struct WaitConfig: Record {
  public var min: Nanoseconds?
  public var max: Nanoseconds?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Min", &min)
    v.field(2, "Max", &max)
  }
}

/// A file or tree that is downloaded before the task starts (`artifact` block).
public struct TaskArtifact: Record {
  public var getterSource: String?
  public var getterOptions: [String: String] = [:]
  public var getterHeaders: [String: String] = [:]
  /// `any`, `file` or `dir`.
  public var getterMode: String?
  public var getterInsecure: Bool?
  public var relativeDest: String?
  public var chown = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "GetterSource", &getterSource)
    v.field(2, "GetterOptions", &getterOptions)
    v.field(3, "GetterHeaders", &getterHeaders)
    v.field(4, "GetterMode", &getterMode)
    v.field(5, "GetterInsecure", &getterInsecure)
    v.field(6, "RelativeDest", &relativeDest)
    v.field(7, "Chown", &chown)
  }
}
