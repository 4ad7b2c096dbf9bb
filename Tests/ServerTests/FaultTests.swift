import Codec
import Glibc
import Linux
import Model
import State
import Testing
import Transport

@testable import Server

let isRoot = geteuid() == 0

@Suite(.timeLimit(.minutes(10))) struct FaultTests {
  @Test(.enabled(if: isRoot, "mounts a small file system of its own: needs root"))
  func aFullDiskRefusesWritesAndIsLeftBehindWhenThereIsRoom() async throws {
    let path = try makeTemporaryDirectory()
    try #require(mount("serai-test", path, "tmpfs", 0, "size=32m") == 0, "errno \(errno)")
    defer {
      umount2(path, Int32(MNT_DETACH))
      rmdir(path)
    }
    let server = try await TestServer(at: path)
    try await server.run(makeJob("before"))
    fill(path + "/filler")
    // What is preallocated still takes some entries; each carries 64 KiB.
    var refused: ServerError?
    var accepted: [String] = []
    for number in 0..<100 where refused == nil {
      do {
        try await server.run(makeJob("job-\(number)") { $0.meta = ["filler": String(repeating: "x", count: 1 << 16)] })
        accepted.append("job-\(number)")
      } catch let error as ServerError {
        refused = error
      }
    }
    let error = try #require(refused)
    #expect(error.kind == .unavailable)
    #expect(error.message.contains("ENOSPC") || error.message.contains("full"), "\(error.message)")
    #expect(server.reader.jobs.count == accepted.count + 1, "a refused job has left no trace")
    unlink(path + "/filler")
    try await eventually("writes work again") { (try? await server.run(makeJob("after"))) != nil }
    await server.stop()
    let second = try await TestServer(at: path, clock: server.clock)
    #expect(Set(second.reader.jobs.map { $0.0.id }) == Set(accepted + ["before", "after"]))
    await second.stop()
  }

  /// Leaves no room on the file system.
  private func fill(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
    close(file)
  }

  @Test func aClockThatJumpsKillsNobody() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web"))
    try await node.runAll(server)
    server.clock.jump(.hours(1))
    try await server.settle()
    #expect(server.reader.node(node.id)?.value.status == .ready)
    #expect(server.running("web").count == 1)
    server.clock.jump(Nanoseconds(-7_200_000_000_000))
    try await server.settle()
    #expect(server.reader.node(node.id)?.value.status == .ready)
    try await server.pass(.seconds(21))
    #expect(server.reader.node(node.id)?.value.status == .down, "a silent node is noticed in time all the same")
    await node.close()
    try await server.remove()
  }

  @Test func aStoppedServerRefusesAndSaysSo() async throws {
    let server = try await TestServer()
    await server.server.core.stop()
    let error = await #expect(throws: ServerError.self) { try await server.run(makeJob("web")) }
    #expect(error?.kind == .unavailable)
    await server.endpoint.close()
    try Files.removeTree(server.path)
  }
}
