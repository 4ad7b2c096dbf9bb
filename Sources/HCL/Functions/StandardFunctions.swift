/// The functions of the language, by the names that Nomad documents for jobspecs.
public enum StandardFunctions {
  /// - Parameter host: clock, randomness and files for the functions that need them.
  public static func table(host: FunctionHost) -> [String: Function] {
    var table: [String: Function] = [
      "try": Function(.attempt),
      "can": Function(.can),
      "convert": Function(.convert),
    ]
    return table
  }
}
