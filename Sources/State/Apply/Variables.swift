import Codec
import Model

extension State {
  mutating func apply(_ payload: VariableChange, _ changes: inout Changes) throws(StateError) {
    guard reader.namespace(payload.namespace) != nil else { throw .noSuchNamespace(payload.namespace) }
    guard !payload.path.isEmpty else { throw .malformed("a variable has no path") }
    let key = VariableKey(payload.namespace, payload.path)
    let old = reader.variables[key]
    if let expected = payload.expectedIndex, expected != old?.value.modifyIndex ?? 0 {
      throw .indexMismatch(expected: expected, found: old?.value.modifyIndex ?? 0)
    }
    guard let sealed = payload.sealed else {
      guard reader.variables.remove(key) != nil else { return }
      changes.records.append(.variable(key))
      changes.tables.insert(.variables)
      return
    }
    var variable = StoredVariable()
    variable.namespace = key.namespace
    variable.path = key.path
    variable.sealed = sealed
    variable.createTime = old?.value.createTime ?? reader.time.nanoseconds
    variable.modifyTime = reader.time.nanoseconds
    variable.createIndex = old?.value.createIndex ?? reader.index
    variable.modifyIndex = reader.index
    reader.variables.set(key, Shared(variable))
    changes.records.append(.variable(key))
    changes.tables.insert(.variables)
  }
}
