import Glibc

/// The user's terminal while keys go to a program elsewhere: no echo, no lines, no signals of its own (cfmakeraw(3)).
final class RawTerminal {
  private let before: termios

  /// Puts standard input into raw mode; nil when it is no terminal.
  init?() {
    var settings = termios()
    let isTerminal = tcgetattr(STDIN_FILENO, &settings) == 0
    before = settings
    guard isTerminal else { return nil }
    cfmakeraw(&settings)
    guard tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
  }

  /// Puts the terminal back as it was.
  func restore() {
    var settings = before
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  /// Lines and columns of standard output or input; nil when neither is a terminal.
  static var size: (rows: Int, columns: Int)? {
    for descriptor in [STDOUT_FILENO, STDIN_FILENO] {
      var size = winsize()
      if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 {
        return (Int(size.ws_row), Int(size.ws_col))
      }
    }
    return nil
  }
}
