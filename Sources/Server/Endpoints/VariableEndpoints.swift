internal import Codec
public import Model
public import State

/// Requests about variables.
extension Server {
  /// Bytes that keys and values of one variable have together at most.
  public static let largestVariable = 64 << 10

  /// A variable with what is in it; nil when there is none.
  /// - Throws: `ServerError` `.unavailable` when the server has no key, or the variable was written under another.
  public func variable(_ key: VariableKey, in state: StateReader) throws(ServerError) -> Variable? {
    let cipher = try cipher()
    guard let stored = state.variables[key]?.value else { return nil }
    return try decrypted(stored, cipher)
  }

  /// Sets a variable.
  /// - Parameter expected: the modify index that it must have, 0 when it must not exist; nil for any.
  /// - Returns: the variable as it is now.
  /// - Throws: `VariableConflict` when it has another index.
  public func setVariable(_ given: Variable, _ key: VariableKey, expecting expected: UInt64?) async throws -> Variable {
    let cipher = try cipher()
    try check(given, key)
    var items = SealedItems()
    items.items = given.items
    var payload = VariableChange()
    payload.namespace = key.namespace
    payload.path = key.path
    payload.expectedIndex = expected
    payload.lockID = try lockID(of: given)
    do {
      payload.sealed = Blob(try cipher.seal(Binary.encode(items), context(of: key)))
    } catch {
      throw ServerError(.internal, "variable \"\(key.path)\" can't be encrypted: \(error)")
    }
    let applied = try await change(payload, key)
    guard let stored = applied.reader.variables[key]?.value else {
      throw ServerError(.internal, "variable \"\(key.path)\" is not there although it was set")
    }
    return try decrypted(stored, cipher)
  }

  /// Acquires, renews or gives back a variable's lock. What the request has of items replaces what the variable has.
  /// - Returns: the variable as it is now, with its lock's id for who has just acquired or renewed it.
  /// - Throws: `VariableConflict` when another one holds the lock, or it was lost.
  public func changeLock(_ given: Variable, _ key: VariableKey, _ operation: LockOperation) async throws -> Variable {
    let cipher = try cipher()
    var payload = VariableChange()
    payload.namespace = key.namespace
    payload.path = key.path
    payload.operation = operation
    if operation == .acquire {
      guard given.lock?.id.isEmpty ?? true else {
        throw ServerError(.invalid, "a lock gets its id from the server: leave Lock.ID out to acquire one")
      }
      var random = SystemRandomNumberGenerator()
      payload.lockID = Identifier(using: &random)
      payload.lockTTL = try lockTime("TTL", given.lock?.ttl, .seconds(10))
      payload.lockDelay = try lockTime("LockDelay", given.lock?.lockDelay, .zero)
    } else {
      payload.lockID = try lockID(of: given)
      if payload.lockID.isNone {
        throw ServerError(.invalid, "Lock.ID is missing: it is in the answer that acquired the lock")
      }
    }
    // A variable that is made for the lock alone may be empty.
    let isNew = reader.variables[key] == nil
    try checkPath(key.path)
    if !given.items.isEmpty || isNew {
      if !given.items.isEmpty { try check(given, key) }
      var items = SealedItems()
      items.items = given.items
      do {
        payload.sealed = Blob(try cipher.seal(Binary.encode(items), context(of: key)))
      } catch {
        throw ServerError(.internal, "variable \"\(key.path)\" can't be encrypted: \(error)")
      }
    }
    let applied = try await change(payload, key)
    guard let stored = applied.reader.variables[key]?.value else {
      throw ServerError(.internal, "variable \"\(key.path)\" is not there although its lock was changed")
    }
    var variable = try decrypted(stored, cipher)
    variable.lock?.id = payload.lockID.description
    return variable
  }

  private func lockID(of variable: Variable) throws(ServerError) -> Identifier {
    guard let text = variable.lock?.id, !text.isEmpty else { return .none }
    guard let id = Identifier(text) else { throw ServerError(.invalid, "Lock.ID \"\(text)\" is no id of a lock") }
    return id
  }

  /// The documented default is 15 seconds, the longest a day.
  private func lockTime(_ name: String, _ text: String?, _ shortest: Nanoseconds) throws(ServerError) -> Nanoseconds {
    guard let text, !text.isEmpty else { return .seconds(15) }
    guard let time = Nanoseconds(parsing: text), time >= shortest, time <= .hours(24) else {
      throw ServerError(.invalid, "Lock.\(name) \"\(text)\" must be a duration from \(shortest) to 24h")
    }
    return time
  }

  /// Removes a variable; one that is not there is no failure.
  /// - Throws: `VariableConflict` when it has another index than `expected`.
  public func deleteVariable(
    _ key: VariableKey, expecting expected: UInt64?, holding lock: String = ""
  ) async throws -> UInt64 {
    _ = try cipher()
    var holder = Variable()
    holder.lock = VariableLock()
    holder.lock?.id = lock
    var payload = VariableChange()
    payload.lockID = try lockID(of: holder)
    payload.namespace = key.namespace
    payload.path = key.path
    payload.expectedIndex = expected
    return try await change(payload, key).index
  }

  private func change(_ payload: VariableChange, _ key: VariableKey) async throws -> ServerCore.Applied {
    do throws(ServerError) {
      return try await core.propose(.variableChange(payload))
    } catch {
      guard error.kind == .conflict else { throw error }
      // What was in the way is in `ahead`, and durable after what is proposed behind it.
      let reader = try await core.propose(.noOperation).reader
      throw VariableConflict(current: try variable(key, in: reader))
    }
  }

  private func cipher() throws(ServerError) -> VariableCipher {
    guard let cipher = configuration.variableCipher else {
      throw ServerError(
        .unavailable,
        "this server has no key to encrypt variables with, and keeps none in the clear: "
          + "name one with server { variables_key_file = \"…\" }")
    }
    return cipher
  }

  private func decrypted(_ stored: StoredVariable, _ cipher: VariableCipher) throws(ServerError) -> Variable {
    let key = VariableKey(stored.namespace, stored.path)
    do {
      guard let bytes = try cipher.open(stored.sealed.bytes, context(of: key)) else {
        throw ServerError(
          .unavailable, "variable \"\(key.path)\" was written under another key: give the server that key file back")
      }
      var variable = Variable()
      variable.namespace = stored.namespace
      variable.path = stored.path
      variable.items = try Binary.decode(SealedItems.self, from: bytes).items
      variable.createTime = stored.createTime
      variable.modifyTime = stored.modifyTime
      variable.createIndex = stored.createIndex
      variable.modifyIndex = stored.modifyIndex
      if let held = stored.lock, held.isHeld(at: now) {
        // Whose it is only the holder knows.
        var lock = VariableLock()
        lock.ttl = "\(held.ttl)"
        lock.lockDelay = "\(held.delay)"
        variable.lock = lock
      }
      return variable
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.internal, "variable \"\(key.path)\" can't be decrypted: \(error)")
    }
  }
}

/// A variable has changed since whoever wants to change it has read it.
public struct VariableConflict: Error, Sendable {
  /// What is there; nil for nothing.
  public let current: Variable?
}

/// What is encrypted.
private struct SealedItems: Record {
  var items: [String: String] = [:]
  mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "Items", &items) }
}

private func context(of key: VariableKey) -> [UInt8] { Array("\(key.namespace)\0\(key.path)".utf8) }

/// The documented limits of paths, keys and sizes.
private func check(_ variable: Variable, _ key: VariableKey) throws(ServerError) {
  try checkPath(key.path)
  guard !variable.items.isEmpty else { throw ServerError(.invalid, "variable missing required Items object") }
  for name in variable.items.keys.sorted() {
    let isName =
      (1...128).contains(name.utf8.count)
      && name.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || $0.properties.numericType != nil || [".", "_", "-", "/"].contains($0)
      }
    guard isName else {
      throw ServerError(.invalid, "invalid key \"\(name)\": letters, digits and ._-/, at most 128 bytes")
    }
  }
  let size = variable.items.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
  guard size <= Server.largestVariable else {
    throw ServerError(.invalid, "the variable's items have \(size) bytes; at most \(Server.largestVariable) are kept")
  }
}

private func checkPath(_ path: String) throws(ServerError) {
  let isPath =
    (1...128).contains(path.utf8.count)
    && path.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || [0x2D, 0x5F, 0x7E, 0x2F].contains(byte)
    }
  guard isPath else {
    throw ServerError(
      .invalid, "invalid path \"\(path)\": it has 1 to 128 letters, digits and -_~ with slashes between segments")
  }
  let segments = path.split(separator: "/", omittingEmptySubsequences: false)
  if segments[0] == "nomad", segments.count < 2 || !["jobs", "job-templates"].contains(segments[1]) {
    throw ServerError(.invalid, "paths below \"nomad/\" are reserved but for nomad/jobs and nomad/job-templates")
  }
}
