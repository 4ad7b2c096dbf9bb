import Codec
import Model
import Supervisor
import Testing

@testable import Drivers

@Suite struct ConfigDecoderTests {
  @Test func scalarsAreTakenAsHCLPrintsThem() throws {
    var decoder = ConfigDecoder(
      driver: "exec", config: ["command": "/bin/true", "args": ["-c", 3, true], "flag": "true", "count": "7"])
    #expect(decoder.string("command", required: true) == "/bin/true")
    #expect(decoder.strings("args") == ["-c", "3", "true"])
    #expect(decoder.bool("flag") == true)
    #expect(decoder.int("count") == 7)
    #expect(decoder.string("absent") == nil)
    try decoder.finish()
  }

  @Test func repeatedBlocksOfAMapAreMerged() throws {
    var decoder = ConfigDecoder(driver: "exec", config: ["labels": [["a": "1"], ["b": "2", "a": "3"]]])
    #expect(decoder.map("labels") == ["a": "3", "b": "2"])
    try decoder.finish()
  }

  @Test func everyMistakeIsNamedAtOnceWithASuggestion() {
    var decoder = ConfigDecoder(driver: "exec", config: ["comand": "/bin/true", "args": "x"])
    _ = decoder.string("command", required: true)
    _ = decoder.strings("args")
    #expect {
      try decoder.finish()
    } throws: { error in
      let text = "\(error)"
      return (error as? DriverError)?.code == .configuration && text.contains("command is required")
        && text.contains("args must be a list of strings")
        && text.contains("unknown key \"comand\": did you mean \"command\"?")
    }
  }

  /// Every key that the jobspec lets through is one that the driver reads, and the other way round: an unknown key makes
  /// a driver list all that it knows.
  @Test func theJobspecKnowsTheSameKeysAsTheDrivers() throws {
    let link = SupervisorLink(launcher: SupervisorLauncher(executable: "/nowhere", runtimeDirectory: "/nowhere"))
    let drivers: [any TaskDriver] = [
      ExecDriver(link: link), JavaDriver(link: link), RawExecDriver(link: link, settings: RawExecDriver.Settings()),
    ]
    for driver in drivers {
      let error = #expect(throws: DriverError.self) { try driver.validate(["no such key": 1]) }
      let text = try #require(error?.message)
      let known = try #require(text.split(separator: "(keys: ").last).dropLast().split(separator: ", ").map(String.init)
      #expect(known.sorted() == DriverConfig.keys(of: driver.name)?.sorted())
    }
  }

  @Test func nothingNearIsSuggestedForAStrangeWord() {
    #expect(Suggestion.nearest(to: "image", among: ["command", "args"]) == nil)
    #expect(Suggestion.nearest(to: "arg", among: ["command", "args"]) == "args")
  }
}
