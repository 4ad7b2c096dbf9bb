import Glibc

/// Where a command writes and whether colour may be used there.
struct Terminal: Sendable {
  let colour: Bool
  let isInteractive: Bool
  /// Takes bytes and the descriptor they are meant for.
  private let sink: @Sendable (UnsafeRawBufferPointer, Int32) -> Void

  /// Colour on a terminal only, unless forbidden (`-no-color`, `NOMAD_CLI_NO_COLOR`, `NO_COLOR`) or forced
  /// (`-force-color`, `NOMAD_CLI_FORCE_COLOR`).
  /// - Parameter sink: what takes the output, nil for the process' own standard output and error.
  init(
    noColour: Bool, forceColour: Bool, environment: (String) -> String?,
    sink: (@Sendable (UnsafeRawBufferPointer, Int32) -> Void)? = nil
  ) {
    isInteractive = sink == nil && isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1
    let isScreen = sink == nil && isatty(STDOUT_FILENO) == 1
    self.sink = sink ?? writeAll
    func isSet(_ name: String) -> Bool { environment(name).map { !$0.isEmpty && $0 != "0" && $0 != "false" } ?? false }
    if noColour || isSet("NOMAD_CLI_NO_COLOR") || isSet("NO_COLOR") {
      colour = false
    } else {
      colour = forceColour || isSet("NOMAD_CLI_FORCE_COLOR") || isScreen
    }
  }

  func bold(_ text: String) -> String { wrapped(text, "1") }
  func green(_ text: String) -> String { wrapped(text, "32") }
  func yellow(_ text: String) -> String { wrapped(text, "33") }
  func red(_ text: String) -> String { wrapped(text, "31") }
  func cyan(_ text: String) -> String { wrapped(text, "36") }

  private func wrapped(_ text: String, _ code: String) -> String { colour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }

  /// Writes `text` and a newline to standard output.
  func print(_ text: String = "") { write(text + "\n", to: STDOUT_FILENO) }

  /// Writes bytes to standard output as they are.
  func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
    var text = text
    text.withUTF8 { sink(UnsafeRawBufferPointer($0), descriptor) }
  }

  /// Writes bytes as they are.
  func write(bytes: [UInt8], to descriptor: Int32 = STDOUT_FILENO) {
    bytes.withUnsafeBytes { sink($0, descriptor) }
  }

  /// Writes `text` and a newline to standard error, in red on a terminal.
  func printError(_ text: String) { write((colour ? red(text) : text) + "\n", to: STDERR_FILENO) }
}

@Sendable private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
  var rest = bytes
  while !rest.isEmpty {
    let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
    if written < 0 {
      if errno == EINTR { continue }
      return  // A closed pipe (`| head`) ends the output; SIGPIPE is what usually gets there first.
    }
    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
  }
}
