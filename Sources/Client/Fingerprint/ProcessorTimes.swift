/// One processor's counters of /proc/stat (proc_stat(5)), in clock ticks since boot.
struct ProcessorTimes: Equatable, Sendable {
  /// "cpu0", or "cpu" for all together.
  var name = ""
  var user = 0
  var system = 0
  var idle = 0
  var total = 0

  /// Every `cpu…` line of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice. Guest time is in
  /// user time already; waiting for input or output counts as idle.
  static func all(stat: String) -> [ProcessorTimes] {
    var all: [ProcessorTimes] = []
    for line in stat.split(separator: "\n") where line.hasPrefix("cpu") {
      let columns = line.split(separator: " ")
      let values = columns.dropFirst().prefix(8).map { Int($0) ?? 0 }
      guard values.count >= 4 else { continue }
      var times = ProcessorTimes(name: String(columns[0]))
      times.user = values[0] + values[1]
      times.idle = values[3] + (values.count > 4 ? values[4] : 0)
      times.total = values.reduce(0, +)
      times.system = times.total - times.user - times.idle
      all.append(times)
    }
    return all
  }
}
