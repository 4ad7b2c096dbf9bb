import Codec
import Glibc
import Linux
import Model
import State
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(2))) struct RestartTests {
  /// The state's bytes without what a new term itself changes: index and time of the last entry.
  private func contents(_ reader: StateReader) -> [String] {
    reader.nodes.map { JSON.text($0.1.value) } + reader.jobs.map { JSON.text($0.1.job) }
      + reader.evaluations.map { JSON.text($0.1.value) }
      + reader.allocations.map { JSON.text($0.1.value.allocation(includingJob: true)) }
      + reader.deployments.map { JSON.text($0.1.value) } + reader.namespaces.map { JSON.text($0.1.value) }
  }

  private func fill(_ server: TestServer) async throws {
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web", count: 2))
    try await server.run(makeJob("batch") { $0.type = .batch })
    try await node.runAll(server, healthy: true)
    try await server.run(makeJob("web", count: 3, cpu: 120))
    var namespace = Namespace()
    namespace.name = "team"
    _ = try await server.server.upsertNamespace(namespace)
    await node.close()
  }

  @Test func theLogBringsEverythingBack() async throws {
    let first = try await TestServer()
    try await fill(first)
    let before = contents(first.reader)
    let index = first.reader.index
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock)
    #expect(contents(second.reader) == before)
    #expect(second.reader.index == index, "a new term begins with an entry that changes no state")
    try await second.remove()
  }

  @Test func aSnapshotAndTheLogBehindItGiveTheSame() async throws {
    let small: (inout ServerConfiguration) -> Void = { configuration in
      configuration.snapshotThreshold = 5
      configuration.trailingLogs = 0
    }
    let first = try await TestServer(small)
    try await fill(first)
    try await eventually("a snapshot is on disk") { try names(in: first.path + "/snapshots").count > 0 }
    // Entries behind the snapshot.
    try await first.run(makeJob("later"))
    let before = contents(first.reader)
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock, small)
    #expect(contents(second.reader) == before)
    try await second.run(makeJob("afterwards"))
    #expect(second.reader.job(JobKey("default", "afterwards")) != nil)
    try await second.remove()
  }

  @Test func workThatWasLeftIsGoneOnWith() async throws {
    let first = try await TestServer()
    try await first.run(makeJob("web"))
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock)
    let node = try await FakeNode(second, "late")
    try await second.settle()
    #expect(second.allocations("web").count == 1)
    await node.close()
    try await second.remove()
  }

  @Test func aLogThatIsNoneIsRefusedWithItsPath() async throws {
    let path = try makeTemporaryDirectory()
    let text = "this is no database at all, but it is long enough to be taken for one\n"
    let file = open(path + "/raft.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    #expect(write(file, text, text.utf8.count) == text.utf8.count)
    close(file)
    let error = await #expect(throws: ServerError.self) { _ = try await TestServer(at: path) }
    #expect(error?.message.contains("raft.db") == true)
    try Files.removeTree(path)
  }
}

func names(in path: String) throws -> [String] {
  guard let stream = opendir(path) else { throw TestFailure(description: "\(path): \(errno)") }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names
}
