/// What /proc/cpuinfo and cpufreq say about the processors of this host.
struct ProcessorInfo: Equatable, Sendable {
  /// The marketing name of the first processor, "" where the architecture does not tell (arm64).
  var modelName = ""
  /// Online logical processors, at least 1.
  var logicalCores = 1
  /// Physical cores over all packages; equals `logicalCores` where the kernel does not tell.
  var physicalCores = 1
  /// Base frequency where cpufreq knows it, else the greatest current one; 0 when nothing is known.
  var frequencyMHz = 0

  /// All cores' MHz together: the unit in which jobs ask for CPU.
  var totalComputeMHz: Int { logicalCores * frequencyMHz }

  /// Reads /proc/cpuinfo's text (proc_cpuinfo(5)): one block of `key : value` lines per logical processor.
  /// - Parameter cpufreqKiloHertz: `cpufreq/base_frequency` or `cpuinfo_max_freq` of cpu0, nil when absent (virtual
  ///   machines have none).
  init(cpuinfo: String, cpufreqKiloHertz: Int? = nil) {
    var processors = 0
    var cores: Set<String> = []
    var package = ""
    var greatestMHz = 0.0
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = trimmed(line[..<colon])
      let value = trimmed(line[line.index(after: colon)...])
      switch key {
      case "processor": processors += 1
      case "model name" where modelName.isEmpty: modelName = value
      case "physical id": package = value
      case "core id": cores.insert(package + "/" + value)
      case "cpu MHz": greatestMHz = max(greatestMHz, Double(value) ?? 0)
      default: break
      }
    }
    logicalCores = max(processors, 1)
    physicalCores = cores.isEmpty ? logicalCores : cores.count
    frequencyMHz = cpufreqKiloHertz.map { $0 / 1000 } ?? Int(greatestMHz)
  }
}

/// `text` without blanks and tabs at both ends.
func trimmed(_ text: some StringProtocol) -> String {
  let start = text.firstIndex { $0 != " " && $0 != "\t" } ?? text.endIndex
  guard let end = text.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
  return String(text[start...end])
}
