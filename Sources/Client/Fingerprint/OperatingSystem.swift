/// The name and version of the distribution, as /etc/os-release gives them (os-release(5)).
struct OperatingSystem: Equatable, Sendable {
  /// `ID`, "debian" for example; "linux" where the file has none, as the manual page says.
  var name = "linux"
  /// `VERSION_ID`, "12" for example; "" for rolling distributions.
  var version = ""

  /// Reads the file's text: shell-like `KEY=value` lines, the value quoted with " or ' or not at all.
  init(osRelease: String) {
    for line in osRelease.split(separator: "\n") {
      guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
      let value = Self.unquoted(line[line.index(after: equals)...])
      switch line[..<equals] {
      case "ID" where !value.isEmpty: name = value
      case "VERSION_ID": version = value
      default: break
      }
    }
  }

  private static func unquoted(_ text: Substring) -> String {
    guard let quote = text.first, quote == "\"" || quote == "'", text.count >= 2, text.last == quote else {
      return String(text)
    }
    var value = ""
    var escaped = false
    for character in text.dropFirst().dropLast() {
      if quote == "\"", !escaped, character == "\\" {
        escaped = true
      } else {
        value.append(character)
        escaped = false
      }
    }
    return value
  }

  /// The name of a machine (`uname -m`) in the words that `${attr.cpu.arch}` uses: "amd64", "arm64", …
  static func architecture(machine: String) -> String {
    switch machine {
    case "x86_64": "amd64"
    case "aarch64": "arm64"
    case "i386", "i486", "i586", "i686": "386"
    case "ppc64le", "s390x", "riscv64": machine
    case _ where machine.hasPrefix("arm"): "arm"
    default: machine
    }
  }
}
