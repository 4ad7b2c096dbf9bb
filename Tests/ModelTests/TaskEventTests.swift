import Codec
import Model
import Testing

@Suite struct TaskEventTests {
  /// Compact text takes a short cut for events without details; pretty text does not.
  @Test(arguments: [[:], ["exit_code": "3", "fails_task": "true"], ["message": "said \"no\""]])
  func theShortCutWritesTheSame(details: [String: String]) throws {
    let event = TaskEvent(.terminated, time: 1_700_000_000_000_000_000, message: "Exit Code: 3", details: details)
    let compact = try JSON.decode(JSONValue.self, from: JSON.encode(event))
    let pretty = try JSON.decode(JSONValue.self, from: JSON.encode(event, pretty: true))
    #expect(compact == pretty)
    #expect(compact["ExitCode"] == .int(details["exit_code"] == nil ? 0 : 3))
    #expect(try JSON.decode(TaskEvent.self, from: JSON.encode(event)).details == event.details)
  }
}
