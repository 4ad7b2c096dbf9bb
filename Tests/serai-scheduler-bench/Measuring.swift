import Glibc

func monotonicNanoseconds() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }

/// What the calling thread has worked: where nothing waits for a disk or for others, so that a busy machine doesn't count.
func threadNanoseconds() -> Int64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

/// What all threads of the process have worked.
func processNanoseconds() -> Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

private func nanoseconds(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A line of /proc/self/status in MB, such as `VmHWM`, the most that was resident (proc_pid_status(5)).
func statusMB(_ key: String) -> Int {
  guard let file = fopen("/proc/self/status", "r") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, 256, file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if text.hasPrefix(key + ":") {
      return (text.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) / 1024
    }
  }
  return 0
}

func milliseconds(_ nanoseconds: Int64) -> String { decimal(Double(nanoseconds) / 1e6, 3) }

func decimal(_ value: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int64((value * scale).rounded())
  let text = String(abs(scaled))
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  let sign = scaled < 0 ? "-" : ""
  return digits == 0 ? sign + text : sign + padded.dropLast(digits) + "." + padded.suffix(digits)
}

func grouped(_ value: Int) -> String {
  var digits = Array(String(value))
  var position = digits.count - 3
  while position > 0 {
    digits.insert(",", at: position)
    position -= 3
  }
  return String(digits)
}

func pad(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

extension [Int64] {
  /// The value that a share of the others doesn't exceed.
  func quantile(_ share: Double) -> Int64 {
    let sorted = self.sorted()
    return sorted.isEmpty ? 0 : sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}

/// The folder that the log is written to, removed at the end.
func makeTemporaryFolder() -> String {
  let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  var template = Array((base + "/serai-scheduler-bench-XXXXXX").utf8CString)
  guard mkdtemp(&template) != nil else { return base }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func removeFolder(_ path: String) {
  guard let folder = opendir(path) else { return }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  closedir(folder)
  for name in names { unlink(path + "/" + name) }
  rmdir(path)
}
