import Codec
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

  @Test func nothingNearIsSuggestedForAStrangeWord() {
    #expect(Suggestion.nearest(to: "image", among: ["command", "args"]) == nil)
    #expect(Suggestion.nearest(to: "arg", among: ["command", "args"]) == "args")
  }
}
