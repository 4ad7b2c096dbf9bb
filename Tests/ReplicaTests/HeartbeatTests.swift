import Codec
import Testing

@testable import Replica

@Suite struct HeartbeatTests {
  @Test func theTimeToLiveGrowsWithTheNumberOfNodes() {
    var configuration = DutyConfiguration()
    configuration.maxHeartbeatsPerSecond = 50
    var heartbeats = Heartbeats(configuration)
    let now = Timestamp(nanoseconds: 0)
    #expect(heartbeats.beat(Identifier(high: 1, low: 1), nodes: 1, now: now) == .seconds(10))
    #expect(heartbeats.beat(Identifier(high: 1, low: 1), nodes: 10_000, now: now) == .seconds(200))
  }
}
