extension FunctionSets {
  /// The functions of sprig under the names that consul-template gives them: `sprig_upper`, `sprig_dict`, …
  ///
  /// Left out: what makes keys, certificates, passwords and ciphers, what looks up host names, the functions of semantic
  /// versions, and shuffling. Random strings come from the host's random bytes, times from its clock; the local time
  /// zone is UTC, and no other zone is known.
  public static let sprig: [ByteString: TemplateFunction] = {
    var table = FunctionTable(prefix: "sprig_")
    addSprigText(&table)
    addSprigCases(&table)
    addSprigNumbers(&table)
    addSprigLists(&table)
    addSprigMaps(&table)
    addSprigDefaults(&table)
    addSprigEncoding(&table)
    addSprigTime(&table)
    addSprigTypes(&table)
    addSprigPaths(&table)
    addSprigHost(&table)
    addSprigPatterns(&table)
    return table.functions
  }()
}
