// A device plugin for tests: it hands out what files in a folder say. Nothing of it is installed.
//
// The folder is named by the plugin's configuration (`config { folder = "…" }`) and holds
//   groups.json          what a fingerprint finds: a list of groups as the node's record has them
//   reserve-<id>.json    what the device of that id needs
//   statistics.json      the statistics of all groups
//   end                  when it appears, the plugin ends with status 3
// When groups.json changes, the plugin says so.

import Codec
import Devices
import Glibc
import Linux
import Model
import Synchronization

final class Output: Sendable {
  private let lock = Mutex(())

  func write(_ answer: DevicePluginAnswer) {
    let line = JSON.encode(answer) + [0x0A]
    lock.withLock { _ in _ = line.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) } }
  }
}

let output = Output()

func read<Value: FieldValue>(_ type: Value.Type, _ path: String) throws -> Value {
  try JSON.decode(type, from: try Files.read(path, limit: 1 << 20))
}

func watch(_ folder: String) {
  var last = (try? Files.read(folder + "/groups.json", limit: 1 << 20)) ?? []
  while true {
    usleep(20_000)
    if Files.exists(folder + "/end") { exit(3) }
    let now = (try? Files.read(folder + "/groups.json", limit: 1 << 20)) ?? []
    if now == last { continue }
    last = now
    var event = DevicePluginAnswer()
    event.event = "Changed"
    output.write(event)
  }
}

var folder = ""
while let line = readLine() {
  var answer = DevicePluginAnswer()
  do {
    let request = try JSON.decode(DevicePluginRequest.self, from: Array(line.utf8))
    answer.id = request.id
    switch request.method {
    case "Describe":
      answer.name = "test"
      answer.version = "1"
      answer.protocolVersion = DevicePluginProtocol.version
    case "Configure":
      folder = request.config["folder"]?.stringValue ?? ""
      guard !folder.isEmpty else { throw Refusal(text: "config has no folder") }
      let watched = folder
      try DetachedThread.start { watch(watched) }
    case "Fingerprint": answer.groups = try read([NodeDeviceResource].self, folder + "/groups.json")
    case "Reserve":
      for id in request.deviceIDs {
        answer.reservation.merge(try read(DeviceReservation.self, "\(folder)/reserve-\(id).json"))
      }
    case "Statistics":
      if Files.exists(folder + "/statistics.json") {
        answer.statistics = try read([DeviceGroupStatistics].self, folder + "/statistics.json")
      }
    default: throw Refusal(text: "unknown method \(request.method)")
    }
  } catch {
    answer.error = "\(error)"
  }
  output.write(answer)
}

struct Refusal: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}
