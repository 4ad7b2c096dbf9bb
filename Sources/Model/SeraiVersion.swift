/// The version of this program.
public enum SeraiVersion {
  /// Semantic version, as `serai version` and the API show it.
  public static let text = "0.1.0"
}
