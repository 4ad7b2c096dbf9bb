internal import Synchronization

/// A map from strings to values, a reference: whoever holds it sees what `set` stores, as in the language's origin.
///
/// Iteration is always in the order of the keys' bytes. Safe to share between threads.
///
/// `@unchecked Sendable` only because the superclass is: all state is behind the mutex.
public final class TemplateMap: TemplateContainer, @unchecked Sendable {
  private let storage: Mutex<[ByteString: TemplateValue]>
  /// What the values are; `.any` for mixed values.
  public let elementType: ValueType

  /// A map; `type` must be the type of every value, or `.any`.
  public init(_ entries: [ByteString: TemplateValue] = [:], of type: ValueType = .any) {
    self.storage = Mutex(entries)
    self.elementType = type
  }

  /// Number of entries.
  public var count: Int { storage.withLock { $0.count } }

  /// The value stored under `key`, nil when there is none. Setting does not look for cycles: see `insert`.
  public subscript(key: ByteString) -> TemplateValue? {
    get { storage.withLock { $0[key] } }
    set { storage.withLock { $0[key] = newValue } }
  }

  /// All entries at this moment.
  public var entries: [ByteString: TemplateValue] { storage.withLock { $0 } }

  /// The keys in order.
  public var keys: [ByteString] { entries.keys.sorted() }

  /// The entries in the order of their keys.
  public var sorted: [(key: ByteString, value: TemplateValue)] { entries.sorted { $0.key < $1.key } }

  /// Removes an entry, if there is one.
  public func remove(_ key: ByteString) { storage.withLock { $0[key] = nil } }

  /// Stores a value on a template's behalf.
  ///
  /// Throws when the value holds this map: a cycle could never be freed, nor printed.
  func insert(_ value: TemplateValue, for key: ByteString) throws {
    var pending: [TemplateValue] = [value]
    var seen: Set<ObjectIdentifier> = []
    while let next = pending.popLast() {
      switch next {
      case .map(let map):
        if map === self { throw FunctionFailure("a map cannot be stored inside itself") }
        if seen.insert(ObjectIdentifier(map)).inserted { pending.append(contentsOf: map.entries.values) }
      case .list(let list):
        if seen.insert(ObjectIdentifier(list)).inserted { pending.append(contentsOf: list.elements) }
      default: break
      }
    }
    self[key] = value
  }

  override func moveChildren(into pending: inout [TemplateContainer]) {
    var found: [TemplateContainer] = []
    storage.withLock { entries in
      Self.collect(entries.values, into: &found)
      entries = [:]
    }
    pending += found
  }

  deinit {
    dismantle()
  }
}
