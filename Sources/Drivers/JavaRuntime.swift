internal import Linux

/// A Java runtime of this host.
public struct JavaRuntime: Sendable, Hashable {
  /// Its directory, links resolved: `<home>/bin/java` is the program.
  public var home: String
  /// Such as `17.0.9` or `1.8.0_392`.
  public var version: String
  /// The runtime's name and build, the second line of `java -version`.
  public var runtime: String
  /// The virtual machine's name and build, the third line.
  public var vm: String

  /// The program.
  public var program: String { home + "/bin/java" }

  /// Reads what `java -version` prints; nil for something else.
  public init?(home: String, versionText: String) {
    // JAVA_TOOL_OPTIONS makes it print a line before the three.
    let lines = versionText.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("Picked up ") }
    guard lines.count >= 3, let open = lines[0].firstIndex(of: "\"") else { return nil }
    let after = lines[0][lines[0].index(after: open)...]
    guard let close = after.firstIndex(of: "\""), close != after.startIndex else { return nil }
    self.home = home
    version = String(after[..<close])
    runtime = lines[1]
    vm = lines[2]
  }

  /// Whether this is the version that a job asks for: all of it, or its first numbers; Java 8 calls itself 1.8.
  public func isVersion(_ wanted: String) -> Bool {
    let modern = version.hasPrefix("1.") ? String(version.dropFirst(2)) : version
    return [version, modern].contains { own in
      own == wanted || own.hasPrefix(wanted + ".") || own.hasPrefix(wanted + "_") || own.hasPrefix(wanted + "+")
    }
  }
}

/// The Java runtimes of this host, looked for in the node's option `java_homes`, in PATH and in /usr/lib/jvm.
///
/// Each program is run once, to ask for its version, and again when its file has changed.
actor JavaRuntimes {
  private struct Known {
    var status: FileStatus
    var runtime: JavaRuntime?
  }

  private let homes: [String]
  private var known: [String: Known] = [:]

  init(homes: [String]) { self.homes = homes }

  /// All of them, the default one first: what the node names, then PATH's, then the others, newest first.
  func all() async -> [JavaRuntime] {
    var result: [JavaRuntime] = []
    for program in Self.candidates(homes: homes) {
      guard let status = try? FileStatus.of(program) else { continue }
      if known[program]?.status != status {
        known[program] = Known(status: status, runtime: await Self.ask(program))
      }
      if let runtime = known[program]?.runtime, !result.contains(runtime) { result.append(runtime) }
    }
    return result
  }

  /// The programs' paths, links resolved, without repetitions.
  private static func candidates(homes: [String]) -> [String] {
    let path = ["/usr/local/bin", "/usr/bin", "/bin"]
    let folder = "/usr/lib/jvm"
    let installed = ((try? FileDescriptor.open(folder, [.readOnly, .directory]).entries()) ?? [])
      .map(\.name).filter { !$0.hasPrefix(".") }.sorted(by: >)
    let places =
      homes.map { $0 + "/bin/java" } + path.map { $0 + "/java" } + installed.map { "\(folder)/\($0)/bin/java" }
    var result: [String] = []
    for place in places {
      if let real = resolved(place), !result.contains(real) { result.append(real) }
    }
    return result
  }

  /// Where a path leads; nil when nothing is there.
  private static func resolved(_ path: String) -> String? {
    guard let file = try? FileDescriptor.open(path, [.path]) else { return nil }
    return try? FileDescriptor.open("/proc/self/fd", [.path, .directory]).readSymbolicLink("\(file.number)")
  }

  private static func ask(_ program: String) async -> JavaRuntime? {
    await withCheckedContinuation { continuation in
      do throws(SystemError) {
        try DetachedThread.start { continuation.resume(returning: run(program)) }
      } catch {
        continuation.resume(returning: nil)
      }
    }
  }

  /// Runs `java -version`, which prints to standard error; nil for a program that is no Java or does not answer in time.
  private static func run(_ program: String) -> JavaRuntime? {
    do throws(SystemError) {
      let (reading, writing) = try Pipe().release()
      let output = FileDescriptor(adopting: reading)
      let child: ProcessHandle
      do {
        let theirs = FileDescriptor(adopting: writing)
        var request = SpawnRequest(path: program, arguments: [program, "-version"], environment: ["LC_ALL=C"])
        request.streams = [nil, nil, theirs.number]
        child = try ProcessHandle.open(pid: try request.start())
      }
      var text: [UInt8] = []
      while text.count < 16 << 10 {
        guard try poll(output, .readable, timeoutMilliseconds: 10_000) != [] else { break }
        let more = try output.read(upTo: 4096)
        if more.isEmpty { break }
        text += more
      }
      // It has closed its output, or will never answer: in both cases its time is over.
      if try poll(child.descriptor, .readable, timeoutMilliseconds: 2000) == [] { try child.signal(9) }
      _ = try poll(child.descriptor, .readable, timeoutMilliseconds: 2000)
      _ = try child.reap()
      return JavaRuntime(
        home: Files.parent(of: Files.parent(of: program)), versionText: String(decoding: text, as: UTF8.self))
    } catch {
      return nil
    }
  }
}
