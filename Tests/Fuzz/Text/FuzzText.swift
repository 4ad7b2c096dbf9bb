// The libFuzzer target of the small parsers: cron expressions, time zones and filters. `make fuzz-text`. The first byte says
// what the rest is read as.

import Codec
import Cron
import FilterExpression

private struct Sample: Record {
  var id = "a1"
  var count = 3
  var isOn = true
  var tags = ["red", "blue"]
  var meta = ["env": "prod"]

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Count", &count)
    v.field(3, "IsOn", &isOn)
    v.field(4, "Tags", &tags)
    v.field(5, "Meta", &meta)
  }
}

/// What libFuzzer calls with every input; 0 keeps the input for further mutation.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 1 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  let text = String(decoding: bytes, as: UTF8.self)
  switch data[0] % 3 {
  case 0:
    if let expression = try? CronExpression(text) {
      let next = CronSchedule([expression], in: .utc).next(after: 1_800_000_000)
      precondition(next.map { $0 > 1_800_000_000 } ?? true)
    }
  case 1:
    if let zone = try? TimeZone(tzif: bytes), let expression = try? CronExpression("30 2 * * *") {
      let next = CronSchedule([expression], in: zone).next(after: 1_800_000_000)
      precondition(next.map { $0 > 1_800_000_000 } ?? true)
    }
  default: _ = try? FilterExpression(text).selects(Sample())
  }
  return 0
}
