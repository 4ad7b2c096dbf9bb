extension FunctionSets {
  /// The functions that job files know from consul-template.
  ///
  /// What needs the world comes from the `TemplateHost`: variables, the time, and every dependency (`key`, `service`,
  /// `secret`, `nomadVar`, …). Functions that would write files or run programs do not exist here.
  public static let consulTemplate: [ByteString: TemplateFunction] = {
    var table = FunctionTable()
    addDependencies(&table)
    addEnvironment(&table)
    addText(&table)
    addParsing(&table)
    addEncoding(&table)
    addCollections(&table)
    addMembership(&table)
    addArithmetic(&table)
    addScratch(&table)
    addPatterns(&table)
    return table.functions
  }()

  /// Replaces functions by ones that fail with "function is disabled", as an operator's deny list wants.
  public static func denying(
    _ names: some Sequence<ByteString>, in functions: [ByteString: TemplateFunction]
  ) -> [ByteString: TemplateFunction] {
    var functions = functions
    for name in names {
      functions[name] = TemplateFunction([], variadic: .any) { _ in throw FunctionFailure("function is disabled") }
    }
    return functions
  }
}
