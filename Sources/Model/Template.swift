public import Codec

/// A file rendered into the task's directory (`template` block).
public struct Template: Record {
  /// File of the template, inside the task's directory; in place of `embeddedTmpl`.
  public var sourcePath: String?
  /// Where the result goes, inside the task's directory.
  public var destPath: String?
  /// The template's text.
  public var embeddedTmpl: String?
  /// `restart`, `signal`, `script` or `noop`.
  public var changeMode: String?
  /// What is run for `change_mode = "script"`.
  @Indirect public var changeScript: ChangeScript?
  /// Signal for `change_mode = "signal"`, such as `SIGHUP`.
  public var changeSignal: String?
  /// Render before the start only; false by default.
  public var once: Bool?
  /// Longest random wait before the change is acted on; 5 s by default.
  public var splay: Nanoseconds?
  /// Octal digits.
  public var perms: String?
  /// Owner of the file by number; the task's user by default.
  public var uid: Int?
  /// Group of the file by number; the task's group by default.
  public var gid: Int?
  /// What opens an action; `{{` by default.
  public var leftDelim: String?
  /// What closes an action; `}}` by default.
  public var rightDelim: String?
  /// The rendered file holds environment variables for the task.
  public var envvars: Bool?
  /// Has no effect any more.
  public var vaultGrace: Nanoseconds?
  /// How long values must have been steady before rendering.
  @Indirect public var wait: WaitConfig?
  /// Fail on a missing key instead of writing `<no value>`; false by default.
  public var errMissingKey: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Program, as seen inside the task.
  public var command: String?
  /// Its arguments.
  public var args: [String]?
  /// How long it may take; 5 s by default.
  public var timeout: Nanoseconds?
  /// Stop the task when it fails; false by default.
  public var failOnError: Bool?
  /// Run it after the first rendering as well; false by default.
  public var runOnFirstRender: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Shortest steadiness, nanoseconds.
  public var min: Nanoseconds?
  /// Render after this long even if values keep changing; four times `min` by default.
  public var max: Nanoseconds?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Min", &min)
    v.field(2, "Max", &max)
  }
}

/// A file or tree that is downloaded before the task starts (`artifact` block).
public struct TaskArtifact: Record {
  /// URL, with go-getter's shorthands.
  public var getterSource: String?
  /// Options of the getter, such as `checksum` and `archive`.
  public var getterOptions: [String: String] = [:]
  /// HTTP headers of the request.
  public var getterHeaders: [String: String] = [:]
  /// `any`, `file` or `dir`.
  public var getterMode: String?
  /// Accept any certificate.
  public var getterInsecure: Bool?
  /// Where it goes, relative to the task's directory; `local/` by default.
  public var relativeDest: String?
  /// Give the files to the task's user.
  public var chown = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
