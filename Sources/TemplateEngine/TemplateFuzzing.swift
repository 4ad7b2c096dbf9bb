/// An entry point for fuzzers: bytes in, nothing out, and never a crash.
public enum TemplateFuzzing {
  /// Treats the bytes as a template and renders it over small data with every function set and tight limits; then reads
  /// them as JSON, as YAML, as a duration and as a format. Errors are what is expected of most input.
  public static func exercise(_ bytes: [UInt8]) {
    let limits = TemplateLimits(steps: 20_000, outputBytes: 1 << 18, depth: 100)
    let text = ByteString(bytes: bytes)
    let data: TemplateValue = ["a": 1, "b": "two", "c": [1, 2.5, .nil], "d": ["x": ["y": true]]]
    var template = Template("fuzz")
    template.functions = FunctionSets.consulTemplate.merging(FunctionSets.sprig) { first, _ in first }
    if (try? template.parse(text)) != nil {
      if let canonical = template.canonicalText() {
        // What we print of a template must be a template.
        var again = Template("fuzz")
        again.functions = template.functions
        try? again.parse(canonical)
      }
      _ = template.renderPartially(data, limits: limits)
    }
    _ = try? TemplateValue(json: bytes).json()
    if let value = try? YAMLValue.decode(bytes) { _ = try? YAMLWriter.write(value, limits) }
    _ = try? TemplateDuration(parsing: text)
    _ = TemplateTime(bytes, layout: TemplateTime.rfc3339)
    _ = try? Format.text(text, [1, "two", 2.5, [1, "x"]], limits: limits)
  }
}
