// What goes over the WebSocket of `/v1/client/allocation/:id/exec`: one JSON object per message, in both directions, as
// Nomad's API documentation describes it.

public import Codec

/// Bytes of one stream of a session, or its end.
public struct ExecStreamData: Record, Hashable {
  /// The bytes.
  public var data = Blob()
  /// No more bytes follow.
  public var close = false

  /// Nothing.
  public init() {}

  /// Bytes, or with `close` the end.
  public init(_ bytes: [UInt8], close: Bool = false) {
    data = Blob(bytes)
    self.close = close
  }

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "data", &data, .omitEmpty)
    v.field(2, "close", &close, .omitEmpty)
  }
}

/// How large the terminal of whoever asks is, in characters.
public struct ExecTerminalSize: Record, Hashable {
  /// Lines.
  public var height = 0
  /// Columns.
  public var width = 0

  /// No size.
  public init() {}

  /// A size.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "height", &height)
    v.field(2, "width", &width)
  }
}

/// From whoever asked for the session; one without a field is a heartbeat.
public struct ExecInput: Record {
  /// For the command's standard input.
  @Indirect public var stdin: ExecStreamData?
  /// The terminal has changed its size.
  @Indirect public var terminalSize: ExecTerminalSize?

  /// A heartbeat.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "stdin", &_stdin, .omitEmpty)
    v.field(2, "tty_size", &_terminalSize, .omitEmpty)
  }
}

/// The first message when the query says `ws_handshake=true`: browsers cannot send the token as a header.
public struct ExecHandshake: Record, Hashable {
  /// Always 1.
  public var version = 0
  /// The ACL token's secret id.
  public var authToken = ""

  /// Version 0, no token.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "version", &version)
    v.field(2, "auth_token", &authToken, .omitEmpty)
  }
}

/// How a command ended.
public struct ExecResult: Record, Hashable {
  /// Its exit status; 128 + signal when a signal ended it.
  public var exitCode = 0

  /// Status 0.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "exit_code", &exitCode) }
}

/// From the command.
public struct ExecOutput: Record {
  /// Of its standard output; with a terminal, of everything.
  @Indirect public var stdout: ExecStreamData?
  /// Of its standard error.
  @Indirect public var stderr: ExecStreamData?
  /// The command has ended; the last message.
  public var exited = false
  /// How it ended.
  @Indirect public var result: ExecResult?

  /// Nothing.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "stdout", &_stdout, .omitEmpty)
    v.field(2, "stderr", &_stderr, .omitEmpty)
    v.field(3, "exited", &exited, .omitEmpty)
    v.field(4, "result", &_result, .omitEmpty)
  }
}
