/// Checks the rules for field lists that stand at the top of Field.swift. For tests.
public struct FieldListCheck: FieldVisitor {
  /// What is wrong with the list; empty when nothing is.
  public private(set) var problems: [String] = []
  private var last = 0
  private var names: Set<String> = []

  /// Visits a new value of the type and keeps what is wrong with its list.
  public init<R: Record>(_ type: R.Type) {
    var record = R()
    record.visit(&self)
  }

  /// Compares tag and name with those before.
  public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if tag <= last { problems.append("field \(name) has tag \(tag) after \(last)") }
    if !names.insert(name.description.lowercased()).inserted { problems.append("field \(name) is there twice") }
    if !name.description.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
      problems.append("field \(name) has a name that JSON would have to escape")
    }
    last = tag
  }
}
