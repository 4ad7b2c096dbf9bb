import Testing

@testable import CommandLine

@Suite struct FrameworkTests {
  let flags: [Flag] = [.bool("json", "h"), .value("t", "template", "h"), .repeated("var", "name=value", "h")]

  @Test func flagsMayStandAnywhereWithOneDashOrTwo() throws {
    let parsed = try ParsedArguments(["a", "--json", "-var=x=1", "b", "-var", "y=2", "-t", "{{.}}"], flags: flags)
    #expect(parsed.arguments == ["a", "b"])
    #expect(parsed.has("json") && parsed.value("t") == "{{.}}")
    #expect(parsed.all("var") == ["x=1", "y=2"])
  }

  @Test func twoDashesAndACountOfArgumentsEndTheFlags() throws {
    #expect(try ParsedArguments(["--", "-json"], flags: flags).arguments == ["-json"])
    let exec = try ParsedArguments(["-json", "id", "ls", "-l"], flags: flags, flagsEndAtArgument: 1)
    #expect(exec.arguments == ["id", "ls", "-l"] && exec.has("json"))
  }

  @Test func mistakesNameTheFlagAndTheNearestOne() {
    #expect(throws: UsageError.self) { try ParsedArguments(["-t"], flags: flags) }
    let error = #expect(throws: UsageError.self) { try ParsedArguments(["-jsno"], flags: flags) }
    #expect(error?.description == "unknown flag -jsno: did you mean -json?")
    #expect(throws: UsageError.self) { try ParsedArguments(["-json=maybe"], flags: flags) }
  }

  @Test func columnsAlignAndEmptyCellsSayNone() {
    let text = Table.columns(["ID", "Status"], [["hello", "running"], ["a-longer-id", ""]])
    #expect(text == "ID           Status\nhello        running\na-longer-id  <none>")
    #expect(Table.keyValues([("ID", "x"), ("Node Pool", "")]) == "ID        = x\nNode Pool = <none>")
  }

  @Test(
    arguments: [
      (0, "0s"), (59, "59s"), (60, "1m"), (797, "13m17s"), (7200, "2h"), (90_061, "1d1h"), (34_300_800, "1y1mo"),
    ] as [(Int64, String)])
  func spansShowTheirTwoLargestUnits(seconds: Int64, expected: String) {
    #expect(TimeText.span(seconds: seconds) == expected)
  }

  @Test func bytesUseBinaryUnits() {
    #expect(bytesText(0) == "0 B" && bytesText(806_912) == "788 KiB" && bytesText(134_217_728) == "128 MiB")
    #expect(bytesText(1_610_612_736) == "1.5 GiB")
  }
}
