/// Where the kernel's control groups are mounted, read from /proc/self/mountinfo (proc_pid_mountinfo(5)).
struct CgroupMounts: Equatable, Sendable {
  enum Layout: String, Sendable {
    /// Everything on the unified hierarchy.
    case unified = "v2"
    /// Controllers on v1 hierarchies, with or without a unified one beside them.
    case legacy = "v1"
    /// No control groups are mounted.
    case none = ""
  }

  var layout = Layout.none
  /// The directory under which the hierarchies are, /sys/fs/cgroup as a rule; "" when there is none.
  var mountPoint = ""

  /// Reads the file's text. A unified hierarchy counts only where no v1 hierarchy has a controller: a controller that
  /// is bound to v1 is not available on the unified side.
  init(mountInfo: String) {
    var unified: String?
    var legacy: String?
    for line in mountInfo.split(separator: "\n") {
      let halves = line.split(separator: " ")
      guard let dash = halves.firstIndex(of: "-"), dash + 1 < halves.count, halves.count > 4 else { continue }
      let point = Self.unescaped(halves[4])
      switch halves[dash + 1] {
      case "cgroup2": unified = unified ?? point
      case "cgroup":
        let options = halves.last ?? ""
        let isNamedOnly = options.split(separator: ",").contains { $0.hasPrefix("name=") }
        if !isNamedOnly { legacy = legacy ?? point }
      default: break
      }
    }
    if let legacy {
      layout = .legacy
      mountPoint = legacy.lastIndex(of: "/").map { String(legacy[..<$0]) } ?? legacy
    } else if let unified {
      layout = .unified
      mountPoint = unified
    }
  }

  /// The kernel writes blank, tab, newline and backslash as three octal digits.
  static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
