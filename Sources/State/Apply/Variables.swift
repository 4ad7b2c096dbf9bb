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
    let held = old?.value.lock.flatMap { $0.isHeld(at: reader.time) ? $0 : nil }
    if payload.operation != .none { return try changeLock(payload, key, old?.value, held, &changes) }
    if let held, held.id != payload.lockID { throw .variableLocked(key) }
    guard let sealed = payload.sealed else {
      guard reader.variables.remove(key) != nil else { return }
      changes.records.append(.variable(key))
      changes.tables.insert(.variables)
      return
    }
    put(key, sealed: sealed, lock: old?.value.lock, old?.value, &changes)
  }

  private mutating func changeLock(
    _ payload: VariableChange, _ key: VariableKey, _ old: StoredVariable?, _ held: StoredLock?,
    _ changes: inout Changes
  ) throws(StateError) {
    if payload.operation == .acquire {
      if let lock = old?.lock, lock.isClosed(at: reader.time) { throw .variableLocked(key) }
      guard !payload.lockID.isNone, payload.lockTTL > .zero else { throw .malformed("a lock has no id or no TTL") }
      guard let sealed = payload.sealed ?? old?.sealed else { throw .malformed("a new variable has no items") }
      var lock = StoredLock()
      lock.id = payload.lockID
      lock.ttl = payload.lockTTL
      lock.delay = payload.lockDelay
      lock.renewed = reader.time
      return put(key, sealed: sealed, lock: lock, old, &changes)
    }
    // Renewed or given back by who holds it, as long as that one does.
    guard let old, var lock = held, lock.id == payload.lockID else { throw .variableLocked(key) }
    lock.renewed = reader.time
    put(key, sealed: payload.sealed ?? old.sealed, lock: payload.operation == .renew ? lock : nil, old, &changes)
  }

  private mutating func put(
    _ key: VariableKey, sealed: Blob, lock: StoredLock?, _ old: StoredVariable?, _ changes: inout Changes
  ) {
    var variable = StoredVariable()
    variable.namespace = key.namespace
    variable.path = key.path
    variable.sealed = sealed
    variable.lock = lock
    variable.createTime = old?.createTime ?? reader.time.nanoseconds
    variable.modifyTime = reader.time.nanoseconds
    variable.createIndex = old?.createIndex ?? reader.index
    variable.modifyIndex = reader.index
    reader.variables.set(key, Shared(variable))
    changes.records.append(.variable(key))
    changes.tables.insert(.variables)
  }
}
