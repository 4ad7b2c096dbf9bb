/// /proc/meminfo (proc_meminfo(5)), in bytes.
struct MemoryInfo: Equatable, Sendable {
  var total = 0
  var free = 0
  /// What programs can get without swapping.
  var available = 0

  /// Reads the file's text; lines it does not know are skipped.
  init(meminfo: String) {
    for line in meminfo.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == ":" || $0 == "\t" }
      guard words.count >= 2, let value = Int(words[1]) else { continue }
      let bytes = words.count > 2 && words[2] == "kB" ? value * 1024 : value
      switch words[0] {
      case "MemTotal": total = bytes
      case "MemFree": free = bytes
      case "MemAvailable": available = bytes
      default: break
      }
    }
    if available == 0 { available = free }
  }
}
