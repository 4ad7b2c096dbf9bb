import Codec
import Model
import State
import Synchronization
import Testing

@testable import Server

/// Something that several tasks of a test write to.
private final class Shelf<Value: Sendable>: Sendable {
  let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
}

@Suite(.timeLimit(.minutes(10))) struct WatchListTests {
  @Test func aChangeWakesThoseWhoWaitForIt() async throws {
    let list = WatchList()
    let woken = Shelf<[String]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["a", "b"] {
        group.addTask {
          await list.wait(for: [.namespace(name)], since: list.generation)
          woken.value.withLock { $0.append(name) }
        }
      }
      try await eventually("both wait") { list.waitingCount == 2 }
      list.wake([.namespace("a")])
      try await eventually("the first is woken") { woken.value.withLock { $0 } == ["a"] }
      #expect(list.waitingCount == 1)
      list.wake([.namespace("b")])
      try await group.waitForAll()
    }
  }

  @Test func aChangeBetweenLookingAndWaitingIsNotMissed() async {
    let list = WatchList()
    let generation = list.generation
    list.wake([.namespace("a")])
    await list.wait(for: [.namespace("a")], since: generation)
    #expect(list.waitingCount == 0)
  }

  @Test func aCancelledWaitEnds() async throws {
    let list = WatchList()
    let waiting = Task { await list.wait(for: [.namespace("a")], since: list.generation) }
    try await eventually("it waits") { list.waitingCount == 1 }
    waiting.cancel()
    await waiting.value
    #expect(list.waitingCount == 0)
    let before = Task {
      while !Task.isCancelled { await Task.yield() }
      await list.wait(for: [.namespace("a")], since: list.generation)
    }
    before.cancel()
    await before.value
    #expect(list.waitingCount == 0)
  }

  @Test func closingWakesEveryoneForGood() async throws {
    let list = WatchList()
    let waiting = Task { await list.wait(for: [.namespace("a")], since: list.generation) }
    try await eventually("it waits") { list.waitingCount == 1 }
    list.close()
    await waiting.value
    await list.wait(for: [.namespace("a")], since: list.generation)
  }

  @Test func manyWakeUpsAreAllSeen() async throws {
    let list = WatchList()
    let shelf = Shelf(0)
    let rounds = 2000
    let reader = Task {
      var seen = 0
      while seen < rounds {
        let generation = list.generation
        seen = shelf.value.withLock { $0 }
        if seen < rounds { await list.wait(for: [.table(.jobs)], since: generation) }
      }
      return seen
    }
    for _ in 0..<rounds {
      shelf.value.withLock { $0 += 1 }
      list.wake([.table(.jobs)])
      await Task.yield()
    }
    #expect(await reader.value == rounds)
  }

  @Test func aBlockingReadReturnsWithTheNews() async throws {
    let server = try await TestServer()
    let started = server.reader.index(of: .namespaces)
    async let read = server.server.reader(
      watching: [.table(.namespaces)], deadline: server.clock.now + .minutes(5)
    ) { $0.index(of: .namespaces) > started }
    try await eventually("it waits") { server.server.core.watches.waitingCount == 1 }
    _ = try await server.run(makeJob("unrelated"))
    var namespace = Namespace()
    namespace.name = "team"
    let index = try await server.server.upsertNamespace(namespace)
    #expect(await read.index >= index)
    try await server.remove()
  }

  @Test func aBlockingReadReturnsAtItsDeadlineWithoutNews() async throws {
    let server = try await TestServer()
    let index = server.reader.index(of: .namespaces)
    let read = await server.server.reader(
      watching: [.table(.namespaces)], deadline: server.clock.now + .milliseconds(50)
    ) { $0.index(of: .namespaces) > index }
    #expect(read.index(of: .namespaces) == index)
    try await server.remove()
  }
}
