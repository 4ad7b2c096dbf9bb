/// Go's `fmt` for hosts and tests.
public enum Format {
  /// `fmt.Sprintf`. Throws only where a limit is exceeded or a lazy value fails.
  public static func text(
    _ format: ByteString, _ arguments: [TemplateValue], limits: TemplateLimits = TemplateLimits()
  ) throws -> ByteString {
    ByteString(bytes: try Formatter.format(format.bytes, arguments, limits))
  }
}
