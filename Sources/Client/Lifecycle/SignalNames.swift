internal import Glibc

/// Signals by the names that jobs use.
enum SignalNames {
  /// Every signal a job may name, with this kernel's number (signal(7)).
  static let all: [(name: String, number: Int32)] = [
    ("SIGABRT", SIGABRT), ("SIGALRM", SIGALRM), ("SIGBUS", SIGBUS), ("SIGCHLD", SIGCHLD), ("SIGCONT", SIGCONT),
    ("SIGFPE", SIGFPE), ("SIGHUP", SIGHUP), ("SIGILL", SIGILL), ("SIGINT", SIGINT), ("SIGIO", SIGIO),
    ("SIGIOT", SIGIOT), ("SIGKILL", SIGKILL), ("SIGPIPE", SIGPIPE), ("SIGPROF", SIGPROF), ("SIGQUIT", SIGQUIT),
    ("SIGSEGV", SIGSEGV), ("SIGSTOP", SIGSTOP), ("SIGSYS", SIGSYS), ("SIGTERM", SIGTERM), ("SIGTRAP", SIGTRAP),
    ("SIGTSTP", SIGTSTP), ("SIGTTIN", SIGTTIN), ("SIGTTOU", SIGTTOU), ("SIGURG", SIGURG), ("SIGUSR1", SIGUSR1),
    ("SIGUSR2", SIGUSR2), ("SIGWINCH", SIGWINCH), ("SIGXCPU", SIGXCPU), ("SIGXFSZ", SIGXFSZ),
  ]

  /// The number of "SIGHUP", "sighup" or "HUP"; nil for anything else.
  static func number(_ name: String) -> Int32? {
    let upper = name.uppercased()
    let full = upper.hasPrefix("SIG") ? upper : "SIG" + upper
    return all.first { $0.name == full }?.number
  }
}
