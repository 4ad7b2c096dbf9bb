// Times. The local zone is UTC.
extension FunctionSets {
  private static func time(_ value: TemplateValue, _ call: TemplateCall) -> TemplateTime {
    switch value {
    case .object(let object):
      if let object = object as? TimeObject { return object.time }
    case .int(let int): return TemplateTime(seconds: Int64(int))
    case .sized(let sized) where sized.kind == .int64 || sized.kind == .int32:
      return TemplateTime(seconds: sized.signed)
    default: break
    }
    return call.rendering.host.now
  }

  private static func inUTC(_ time: TemplateTime) -> TemplateTime {
    TemplateTime(seconds: time.seconds, nanoseconds: time.nanoseconds)
  }

  private static let zeroTime = TemplateTime(seconds: -62_135_596_800)

  static func addSprigTime(_ table: inout FunctionTable) {
    let timeType = ValueType.object("time.Time")
    @Sendable func formatted(_ time: TemplateTime, _ layout: [UInt8]) -> TemplateValue {
      .string(ByteString(bytes: inUTC(time).formatted(layout)))
    }
    let day = Array("2006-01-02".utf8)
    table.add("date", [.string, .any], result: .string) { formatted(time($0.value(1), $0), $0.text(0)) }
    table.add("dateInZone", [.string, .any, .string], result: .string) { formatted(time($0.value(1), $0), $0.text(0)) }
    table.alias("date_in_zone", of: "dateInZone")
    table.add("htmlDate", [.any], result: .string) { formatted(time($0.value(0), $0), day) }
    table.add("htmlDateInZone", [.any, .string], result: .string) { formatted(time($0.value(0), $0), day) }
    table.add("now", [], result: timeType) { .object(TimeObject($0.rendering.host.now)) }
    @Sendable func shifted(_ call: TemplateCall) throws -> TemplateValue {
      let duration = try TemplateDuration(parsing: ByteString(bytes: call.text(0)))
      var time = time(call.value(1), call)
      let total = Int64(time.nanoseconds) + duration.nanoseconds % 1_000_000_000
      let carry = total < 0 ? -1 : total / 1_000_000_000
      time.seconds = time.seconds &+ duration.nanoseconds / 1_000_000_000 &+ carry
      time.nanoseconds = Int32(total - carry * 1_000_000_000)
      return .object(TimeObject(time))
    }
    for name: ByteString in ["dateModify", "date_modify"] {
      table.add(name, [.string, timeType], result: timeType) { (try? shifted($0)) ?? $0.value(1) }
    }
    for name: ByteString in ["mustDateModify", "must_date_modify"] {
      table.add(name, [.string, timeType], result: timeType) { try shifted($0) }
    }
    table.add("toDate", [.string, .string], result: timeType) { call in
      .object(TimeObject(TemplateTime(call.text(1), layout: call.text(0)) ?? zeroTime))
    }
    table.add("mustToDate", [.string, .string], result: timeType) { call in
      guard let time = TemplateTime(call.text(1), layout: call.text(0)) else {
        throw FunctionFailure(
          "parsing time " + Quoting.quoted(call.text(1)) + " as " + Quoting.quoted(call.text(0)) + ": cannot parse")
      }
      return .object(TimeObject(time))
    }
    table.add("unixEpoch", [timeType], result: .string) { .text(String(time($0.value(0), $0).seconds)) }
    table.add("ago", [.any], result: .string) { call in
      let (now, then) = (call.rendering.host.now, time(call.value(0), call))
      let nanoseconds = (now.seconds &- then.seconds) &* 1_000_000_000 &+ Int64(now.nanoseconds - then.nanoseconds)
      let (whole, part) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      let rounded = whole + (part >= 500_000_000 ? 1 : part <= -500_000_000 ? -1 : 0)
      return .text(TemplateDuration(nanoseconds: rounded &* 1_000_000_000).description)
    }
    table.add("duration", [.any], result: .string) { call in
      var seconds: Int64 = 0
      if case .string(let text) = call.value(0) { seconds = NumberSyntax.integer(text.bytes, base: 10) ?? 0 }
      if case .sized(let sized) = call.value(0), sized.kind == .int64 { seconds = sized.signed }
      return .text(TemplateDuration(nanoseconds: seconds &* 1_000_000_000).description)
    }
    table.add("durationRound", [.any], result: .string) { call in
      var nanoseconds: Int64 = 0
      switch call.value(0) {
      case .string(let text): nanoseconds = (try? TemplateDuration(parsing: text).nanoseconds) ?? 0
      case .sized(let sized) where sized.kind == .int64: nanoseconds = sized.signed
      case .object:
        nanoseconds = (call.rendering.host.now.seconds &- time(call.value(0), call).seconds) &* 1_000_000_000
      default: break
      }
      let hour: UInt64 = 3_600_000_000_000
      let units: [(UInt64, String)] = [
        (hour * 24 * 365, "y"), (hour * 24 * 30, "mo"), (hour * 24, "d"), (hour, "h"), (60_000_000_000, "m"),
        (1_000_000_000, "s"),
      ]
      for (unit, name) in units where nanoseconds.magnitude > unit {
        return .text("\(nanoseconds.magnitude / unit)\(name)")
      }
      return .string("0s")
    }
  }
}
