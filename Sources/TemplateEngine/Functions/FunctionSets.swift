/// Ready-made sets of functions for `Template.functions`.
public enum FunctionSets {}

extension FunctionSets {
  /// The `sprig_` functions.
  public static let sprig: [ByteString: TemplateFunction] = [:]
}
