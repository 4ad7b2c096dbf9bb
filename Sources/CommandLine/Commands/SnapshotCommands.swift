internal import Codec
internal import Glibc
internal import Linux
internal import Server
internal import Synchronization

private let snapshotPath = "/v1/operator/snapshot"

/// Saves to a file that did not exist before and is whole when it has its name.
private func save(to path: String, _ invocation: Invocation) throws {
  guard !LocalFile.exists(path) else { throw CommandFailure("\(path) exists: name another file") }
  let partial = path + ".partial"
  do {
    let file = try FileDescriptor.open(partial, [.writeOnly, .create, .truncate], permissions: 0o600)
    var failure: SystemError?
    try invocation.client.stream(snapshotPath) { bytes in
      do throws(SystemError) {
        if failure == nil { try file.writeAll(bytes) }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    // A connection that was cut shows here: the file's own checksums say whether it is whole.
    _ = try SnapshotTool.inspect(partial)
    guard rename(partial, path) == 0 else {
      throw CommandFailure("renaming it failed: \(Linux.Errno(rawValue: errno))")
    }
  } catch {
    try? Files.removeTree(partial)
    throw CommandFailure("Error saving the snapshot to \(path): \(error)")
  }
}

/// `nomad-state-20261130-204307.snap`, in UTC.
private func name(at nanoseconds: Int64) -> String {
  let text = Timestamp(nanoseconds: nanoseconds).description
  let digits = text.prefix(19).filter(\.isNumber)
  return "nomad-state-\(digits.prefix(8))-\(digits.suffix(6)).snap"
}

let operatorSnapshotSave = Command(
  path: ["operator", "snapshot", "save"], arguments: "[<file>]", summary: "Save the state of the servers to a file",
  details: "Without a name the file is nomad-state-<time>.snap. It holds everything, variables encrypted."
) { invocation in
  try invocation.expectArguments(0...1)
  let path = invocation.arguments.first ?? name(at: invocation.clock())
  try save(to: path, invocation)
  invocation.terminal.print("State file written to \(path)")
  return 0
}

let operatorSnapshotRestore = Command(
  path: ["operator", "snapshot", "restore"], arguments: "<file>",
  summary: "Put a saved state in the place of the present",
  details: """
    What happened since the snapshot was taken is gone on all servers. Tasks that the
    state does not know are ended by their clients. The file may have 64 MB.
    """
) { invocation in
  let path = try invocation.onlyArgument()
  do {
    _ = try SnapshotTool.inspect(path)
  } catch {
    throw CommandFailure("\(error)")
  }
  try invocation.client.send(snapshotPath, bytes: try LocalFile.read(path))
  invocation.terminal.print("Snapshot Restored")
  return 0
}

let operatorSnapshotInspect = Command(
  path: ["operator", "snapshot", "inspect"], arguments: "<file>", summary: "Show what is in a saved state"
) { invocation in
  let path = try invocation.onlyArgument()
  let inspection: SnapshotTool.Inspection
  do {
    inspection = try SnapshotTool.inspect(path)
  } catch {
    throw CommandFailure("\(error)")
  }
  invocation.terminal.print(
    Table.keyValues(
      [
        ("Index", "\(inspection.index)"), ("Term", "\(inspection.term)"), ("State Index", "\(inspection.stateIndex)"),
        ("Version", "\(inspection.version)"), ("Size", "\(inspection.size)"),
        ("Checksum", String(inspection.checksum, radix: 16)), ("Servers", inspection.members.joined(separator: ", ")),
      ] + inspection.counts.map { ($0.kind, "\($0.count)") }))
  return 0
}

let operatorSnapshotState = Command(
  path: ["operator", "snapshot", "state"], arguments: "<file>", summary: "Print the records of a saved state as JSON"
) { invocation in
  let path = try invocation.onlyArgument()
  do {
    invocation.terminal.print(JSON.text(try SnapshotTool.state(path), pretty: true))
  } catch {
    throw CommandFailure("\(error)")
  }
  return 0
}

let operatorSnapshotAgent = Command(
  path: ["operator", "snapshot", "agent"], summary: "Save the state again and again, until it is stopped",
  details: "Saves at once and then at every interval; the oldest of its files go.",
  flags: [
    .value("interval", "duration", "Between two snapshots; 1h when not given."),
    .value("retain", "count", "How many are kept; 24 when not given."),
    .value("local-path", "folder", "Where they are kept; the working directory when not given.", completion: .files),
  ]
) { invocation in
  try invocation.expectArguments(0...0)
  let text = invocation.parsed.value("interval") ?? "1h"
  guard let interval = Nanoseconds(parsing: text), interval >= .seconds(1) else {
    throw UsageError("-interval is a duration of at least 1s, not \"\(text)\"")
  }
  let retain = try invocation.parsed.integer("retain").map { Int(clamping: $0) } ?? 24
  guard retain >= 1 else { throw UsageError("-retain is at least 1") }
  let folder = invocation.parsed.value("local-path") ?? "."
  while true {
    do {
      let path = "\(folder)/\(name(at: invocation.clock()))"
      try save(to: path, invocation)
      invocation.terminal.print("State file written to \(path)")
      let names = try FileDescriptor.open(folder, [.directory]).entries().map(\.name)
      let ours = names.filter { $0.hasPrefix("nomad-state-") && $0.hasSuffix(".snap") }.sorted()
      for old in ours.dropLast(retain) { try Files.removeTree("\(folder)/\(old)") }
    } catch {
      // The servers may be away for a while; the next one may work.
      invocation.terminal.printError("\(error)")
    }
    Clock.sleep(nanoseconds: interval.count)
  }
}

/// What a task gives back to a thread that waits for it.
private final class Box<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, ServerError>?>(nil)
  let isDone = Semaphore()
}

/// Runs something asynchronous on this thread, which is not one of Swift's pool.
private func waiting<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(ServerError) -> Value
) throws(ServerError) -> Value {
  let box = Box<Value>()
  Task {
    let result: Result<Value, ServerError>
    do throws(ServerError) { result = .success(try await body()) } catch { result = .failure(error) }
    box.result.withLock { $0 = result }
    box.isDone.signal()
  }
  box.isDone.wait()
  guard let result = box.result.withLock({ $0 }) else { throw ServerError(.internal, "no result") }
  return try result.get()
}

let operatorRaftRecover = Command(
  path: ["operator", "raft", "recover"], summary: "Make a cluster of what is left of one",
  details: """
    For when a majority of the servers is lost for good. Run it on each server that is
    left, with its agent stopped. It says how far this server's log goes and refuses
    what could lose data unless -accept-data-loss is given. Then start the agents: first
    the one whose log goes furthest.
    """,
  flags: [
    .value("data-dir", "folder", "The data directory of the server that is left.", completion: .files),
    .repeated("survivor", "id", "A server that is left, by its id; may be repeated. This server alone when not given."),
    .bool("accept-data-loss", "Go on although what only the lost servers have will be gone."),
  ]
) { invocation in
  try invocation.expectArguments(0...0)
  guard let folder = invocation.parsed.value("data-dir") else {
    throw UsageError("name the server's data with -data-dir")
  }
  let outage: OutageRecovery
  do {
    outage = try waiting { () throws(ServerError) in try await OutageRecovery(dataDirectory: folder) }
  } catch {
    throw CommandFailure("\(error)")
  }
  let terminal = invocation.terminal
  terminal.print(
    Table.keyValues([
      ("This server", outage.id.description), ("Last index", "\(outage.lastIndex)"),
      ("Last term", "\(outage.lastTerm)"),
    ]))
  terminal.print(
    Table.columns(
      ["ID", "Address", "Voter"], outage.members.map { [$0.id.description, $0.address, "\($0.isVoter)"] }))
  let named = invocation.parsed.all("survivor").isEmpty ? [outage.id.description] : invocation.parsed.all("survivor")
  let survivors = try named.map { text in
    guard let peer = outage.members.first(where: { $0.id.description == text }) else {
      throw CommandFailure("\(text) is none of these members")
    }
    return peer
  }
  guard survivors.contains(where: { $0.id == outage.id }) else {
    throw CommandFailure("this server, \(outage.id), is not among the survivors: run it on one of those")
  }
  guard !outage.isMajority(survivors) else {
    throw CommandFailure(
      "no recovery is needed: \(survivors.count) of \(outage.members.count) servers are a majority. Start their agents, and "
        + "take the others out with `serai operator raft remove-peer`")
  }
  guard invocation.has("accept-data-loss") else {
    throw CommandFailure(
      "\(survivors.count) of \(outage.members.count) servers are no majority: the others may have acknowledged entries "
        + "beyond \(outage.lastIndex), which would be lost. If those servers can be brought back, do that instead. "
        + "Else compare the last index and term on every server that is left, and run this again with -accept-data-loss"
    )
  }
  let path: String
  do {
    path = try outage.write(survivors)
  } catch {
    throw CommandFailure("\(error)")
  }
  terminal.print(
    "Wrote \(path).\nStart this server's agent now: it and the other survivors are the cluster from then on.")
  return 0
}
