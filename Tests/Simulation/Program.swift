import Glibc
import Raft

/// `serai-sim`: runs simulations and says what failed. Exit status 0: nothing; 1: something; 2: wrong arguments.
public func runSimulations(_ arguments: [String]) -> Int32 {
  var seeds: ClosedRange<UInt64> = 1...100
  var isTraced = false
  var hasMessages = false
  var shellBug: ShellBug?
  var isBugHunt = false
  var isUntilFirst = false
  var isCluster = false
  var rest = arguments.dropFirst()
  while let argument = rest.popFirst() {
    switch argument {
    case "--seed":
      guard let seed = rest.popFirst().flatMap({ UInt64($0) }) else { return usage() }
      seeds = seed...seed
    case "--seeds":
      let parts = rest.popFirst()?.split(separator: ".") ?? []
      guard parts.count == 2, let first = UInt64(parts[0]), let last = UInt64(parts[1]), first <= last else {
        return usage()
      }
      seeds = first...last
    case "--trace": isTraced = true
    case "--messages":
      isTraced = true
      hasMessages = true
    case "--bug":
      let name = rest.popFirst() ?? ""
      shellBug = ShellBug(rawValue: name)
      #if DELIBERATE_BUGS
        DeliberateBug.active = DeliberateBug(rawValue: name)
        if shellBug == nil, DeliberateBug.active == nil { return usage() }
      #else
        if shellBug == nil { return usage() }
      #endif
    case "--bugs": isBugHunt = true
    case "--cluster": isCluster = true
    case "--until-first": isUntilFirst = true
    default: return usage()
    }
  }
  if isBugHunt { return huntBugs(upTo: seeds.count == 100 ? 5_000 : seeds.upperBound) }
  if isUntilFirst { return untilFirstFailure(seeds, bug: shellBug, isCluster: isCluster) }
  return run(seeds, bug: shellBug, isCluster: isCluster, isTraced: isTraced, hasMessages: hasMessages)
}

private func usage() -> Int32 {
  print(
    """
    Usage: serai-sim [--cluster] [--seed N | --seeds A..B] [--trace] [--messages] [--bug NAME | --bugs]
      --cluster     whole servers, worker nodes and jobs; without: consensus with a few registers
      --seed N      one run
      --seeds A..B  the runs from A to B; 1..100 without
      --trace       print everything that happens but messages
      --messages    these too
      --bug NAME    with a deliberate mistake
      --bugs        each deliberate mistake in turn, with more and more seeds until it is caught
    """)
  return 2
}

private func run(
  _ seeds: ClosedRange<UInt64>, bug: ShellBug?, isCluster: Bool, isTraced: Bool, hasMessages: Bool
) -> Int32 {
  let began = seconds()
  var events = 0
  var simulated: UInt64 = 0
  var acknowledged = 0
  var elections = 0
  var changes = 0
  var installed = 0
  var undecided = 0
  var quarantined = 0
  var coverage = Coverage()
  var gaps: [UInt64] = []
  var failed: [UInt64] = []
  for seed in seeds {
    let plan = isCluster ? Plan(cluster: seed) : Plan(seed: seed)
    let simulator = Simulator(plan, bug: bug, trace: isTraced ? { print($0) } : nil)
    simulator.noteMessages = hasMessages
    let result = simulator.run()
    events += result.events
    simulated += result.time
    acknowledged += result.acknowledged
    elections += result.elections
    changes += result.changes
    installed += result.snapshotsInstalled
    quarantined += result.quarantined
    coverage.add(result.coverage)
    gaps += result.leaderless
    if result.isUndecided { undecided += 1 }
    if let failure = result.failure {
      failed.append(seed)
      print("seed \(seed) failed: \(failure)")
      if failed.count == 1 { explain(plan, bug) }
      if failed.count >= 20 { break }
    }
  }
  let took = seconds() - began
  gaps.sort()
  func gap(_ thousandths: Int) -> UInt64 {
    gaps.isEmpty ? 0 : gaps[min(gaps.count - 1, gaps.count * thousandths / 1000)] / 1_000_000
  }
  print(
    "\(seeds.count) seeds, \(failed.count) failed, \(undecided) undecided: \(simulated / 3_600_000_000_000) h "
      + "\(simulated / 60_000_000_000 % 60) min simulated in \(Int(took)) s, \(events) events, "
      + "\(Int(Double(events) / max(took, 0.001))) events/s")
  print(
    "\(acknowledged) operations acknowledged, \(elections) elections, \(changes) changes of members, \(installed) snapshots "
      + "installed, \(quarantined) servers in quarantine; without a leader p50 \(gap(500)) ms, p99 \(gap(990)) ms")
  print(Occurrence.allCases.map { "\($0) \(coverage[$0])" }.joined(separator: ", "))
  let missing = seeds.count >= 500 && bug == nil ? coverage.missing(fromClusters: isCluster) : []
  for what in missing { print("never happened: \(what)") }
  return failed.isEmpty && missing.isEmpty ? 0 : 1
}

/// The shortest way to the failure that can be found.
private func explain(_ plan: Plan, _ bug: ShellBug?) {
  let small = Simulator.shrink(plan, bug: bug)
  print(
    "  shrunk to \(small.faults.count) of \(plan.faults.count) faults, \(small.clients) clients, lost \(small.lost), "
      + "doubled \(small.doubled), late \(small.late):")
  for fault in small.faults { print("    \(fault.at / 1_000_000) ms  \(fault.fault)") }
  var lines: [String] = []
  let result = Simulator(small, bug: bug, trace: { lines.append($0) }).run()
  for line in lines.suffix(25) { print("    \(line)") }
  print("  \(result.failure ?? "no failure")")
}

/// For every deliberate mistake the first seed that finds it. Each is run by a process of its own, because a mistake may
/// also be found by a trap of the core.
private func huntBugs(upTo last: UInt64) -> Int32 {
  var names = ShellBug.allCases.map(\.rawValue)
  #if DELIBERATE_BUGS
    names += DeliberateBug.allCases.map(\.rawValue)
  #endif
  var missed = 0
  for name in names {
    let (seed, failure) = firstFailure(of: name, upTo: last)
    if let failure {
      print("\(name): caught after \(seed) seeds: \(failure)")
    } else {
      print("\(name): NOT caught in \(last) seeds")
    }
    fflush(nil)
    if failure == nil { missed += 1 }
  }
  return missed == 0 ? 0 : 1
}

private func firstFailure(of name: String, upTo last: UInt64) -> (seed: UInt64, failure: String?) {
  let kind = ShellBug(rawValue: name)?.isOfClusters == true ? "--cluster " : ""
  let command =
    "SWIFT_BACKTRACE=enable=no /proc/\(getpid())/exe \(kind)--seeds 1..\(last) --bug \(name) --until-first 2>&1"
  guard let pipe = popen(command, "r") else { return (0, "can't run \(command)") }
  var seed: UInt64 = 0
  var failure: String?
  var line = [CChar](repeating: 0, count: 1024)
  while fgets(&line, Int32(line.count), pipe) != nil {
    let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if text.hasPrefix("seed "), let number = UInt64(text.dropFirst(5)) { seed = number }
    if text.hasPrefix("failed: ") { failure = String(text.dropFirst(8).prefix(140)) }
  }
  let status = pclose(pipe)
  if failure == nil, status != 0 { failure = "the core trapped" }
  return (seed, failure)
}

/// The child's side of the hunt.
private func untilFirstFailure(_ seeds: ClosedRange<UInt64>, bug: ShellBug?, isCluster: Bool) -> Int32 {
  for seed in seeds {
    print("seed \(seed)")
    fflush(nil)
    let plan = isCluster ? Plan(cluster: seed) : Plan(seed: seed)
    if let failure = Simulator(plan, bug: bug).run().failure {
      print("failed: \(failure)")
      return 1
    }
  }
  return 0
}

private func seconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
