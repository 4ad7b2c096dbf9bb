/// A sorted map whose copies cost nothing: the tables of the replicated state.
///
/// A B+ tree of value types. Copying the table is copying a few references; after that, a change copies the nodes on its
/// path (some 200 references a level) and leaves every other copy as it was. So a reader that took a copy can walk it on
/// another thread, for as long as it likes, while the state's one writer goes on, and neither waits for the other. Where
/// no copy is held, changes happen in place.
///
/// Iteration is in key order, which pages of a list, prefix lookups and everything deterministic need; nothing in the
/// state iterates over a `Dictionary`. Only `<` of the key is used, so a key's order also is its identity.
public struct OrderedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  /// Entries in a leaf and children of an inner node, at most.
  @usableFromInline static var leafCapacity: Int { 96 }
  @usableFromInline static var innerCapacity: Int { 64 }

  /// A leaf has `keys` and `values` side by side. An inner node has one more child than keys, and `keys[i]` is not above
  /// any key below `children[i + 1]` and above every key below `children[i]`.
  @usableFromInline struct Node: Sendable {
    @usableFromInline var keys: [Key] = []
    @usableFromInline var values: [Value] = []
    @usableFromInline var children: [Node] = []

    @inlinable init() {}

    @inlinable var isLeaf: Bool { children.isEmpty }

    /// Recursive and not a loop: a loop would hold a copy of each node on the way, and pay for its references.
    @inlinable func value(of key: Key) -> Value? {
      guard isLeaf else { return children[position(of: key, orEqual: true)].value(of: key) }
      let at = position(of: key, orEqual: false)
      return at < keys.count && !(key < keys[at]) ? values[at] : nil
    }

    /// The number of keys that are below `key` (or not above it, with `orEqual`).
    @inlinable func position(of key: Key, orEqual: Bool) -> Int {
      var (low, high) = (0, keys.count)
      while low < high {
        let middle = (low + high) / 2
        if orEqual ? !(key < keys[middle]) : keys[middle] < key { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  @usableFromInline var root = Node()
  /// The number of entries.
  public private(set) var count = 0

  /// An empty table.
  public init() {}

  /// Whether there are no entries.
  public var isEmpty: Bool { count == 0 }

  /// The value of a key.
  @inlinable public subscript(key: Key) -> Value? {
    root.value(of: key)
  }

  /// A table with these entries, whose keys must be ascending and different: built as a whole, with room to grow in every
  /// node.
  init(ascending keys: [Key], value: Value) {
    self.init()
    count = keys.count
    if keys.isEmpty { return }
    let perLeaf = Self.leafCapacity * 3 / 4
    var nodes: [(first: Key, node: Node)] = []
    for start in stride(from: 0, to: keys.count, by: perLeaf) {
      var leaf = Node()
      leaf.keys = Array(keys[start..<Swift.min(start + perLeaf, keys.count)])
      leaf.values = Array(repeating: value, count: leaf.keys.count)
      nodes.append((leaf.keys[0], leaf))
    }
    let perInner = Self.innerCapacity * 3 / 4
    while nodes.count > 1 {
      var above: [(first: Key, node: Node)] = []
      for start in stride(from: 0, to: nodes.count, by: perInner) {
        let part = nodes[start..<Swift.min(start + perInner, nodes.count)]
        var inner = Node()
        inner.keys = part.dropFirst().map(\.first)
        inner.children = part.map(\.node)
        above.append((part[start].first, inner))
      }
      nodes = above
    }
    root = nodes[0].node
  }

  /// Adds keys with one value; they must be ascending and different.
  mutating func insert(ascending keys: [Key], value: Value) {
    if isEmpty {
      self = OrderedTable(ascending: keys, value: value)
    } else {
      for key in keys { set(key, value) }
    }
  }

  // MARK: Changing

  /// Sets the value of a key and returns the one it replaces.
  @discardableResult
  mutating func set(_ key: Key, _ value: Value) -> Value? {
    let old = root.set(key, value)
    if old == nil { count += 1 }
    growRoot()
    return old
  }

  /// Removes a key and returns its value.
  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    guard let old = root.remove(key) else { return nil }
    count -= 1
    if !root.isLeaf, root.children.count == 1 { root = root.children[0] }
    return old
  }

  /// Changes a value in place, beginning with `initial` where there is none, and removes it when `body` returns false.
  mutating func modify(_ key: Key, initial: @autoclosure () -> Value, _ body: (inout Value) -> Bool) {
    switch root.modify(key, body) {
    case .absent:
      var value = initial()
      if body(&value) { set(key, value) }
    case .kept: break
    case .emptied: remove(key)
    }
  }

  private mutating func growRoot() {
    guard let (separator, right) = root.splitIfFull() else { return }
    var grown = Node()
    grown.keys = [separator]
    grown.children = [root, right]
    root = grown
  }
}

extension OrderedTable.Node {
  enum Modified { case absent, kept, emptied }

  mutating func set(_ key: Key, _ value: Value) -> Value? {
    guard isLeaf else {
      let at = position(of: key, orEqual: true)
      let old = children[at].set(key, value)
      if old == nil, let (separator, right) = children[at].splitIfFull() {
        keys.insert(separator, at: at)
        children.insert(right, at: at + 1)
      }
      return old
    }
    let at = position(of: key, orEqual: false)
    if at < keys.count, !(key < keys[at]) {
      let old = values[at]
      values[at] = value
      return old
    }
    keys.insert(key, at: at)
    values.insert(value, at: at)
    return nil
  }

  mutating func remove(_ key: Key) -> Value? {
    guard isLeaf else {
      let at = position(of: key, orEqual: true)
      guard let old = children[at].remove(key) else { return nil }
      mergeIfSmall(at)
      return old
    }
    let at = position(of: key, orEqual: false)
    guard at < keys.count, !(key < keys[at]) else { return nil }
    keys.remove(at: at)
    return values.remove(at: at)
  }

  mutating func modify(_ key: Key, _ body: (inout Value) -> Bool) -> Modified {
    guard isLeaf else { return children[position(of: key, orEqual: true)].modify(key, body) }
    let at = position(of: key, orEqual: false)
    guard at < keys.count, !(key < keys[at]) else { return .absent }
    return body(&values[at]) ? .kept : .emptied
  }

  /// The upper half and the key that separates it, when the node holds more than it may.
  mutating func splitIfFull() -> (Key, Self)? {
    var right = Self()
    if isLeaf {
      guard keys.count > OrderedTable.leafCapacity else { return nil }
      // Keys that arrive in ascending order leave full leaves behind; others split in the middle.
      let middle = keys.count / 2
      right.keys = Array(keys[middle...])
      right.values = Array(values[middle...])
      keys = Array(keys[..<middle])
      values = Array(values[..<middle])
      return (right.keys[0], right)
    }
    guard children.count > OrderedTable.innerCapacity else { return nil }
    let middle = children.count / 2
    let separator = keys[middle - 1]
    right.keys = Array(keys[middle...])
    right.children = Array(children[middle...])
    keys = Array(keys[..<(middle - 1)])
    children = Array(children[..<middle])
    return (separator, right)
  }

  var size: Int { isLeaf ? keys.count : children.count }

  /// Joins child `at` with a neighbour when both together leave room to grow.
  private mutating func mergeIfSmall(_ at: Int) {
    let capacity = children[at].isLeaf ? OrderedTable.leafCapacity : OrderedTable.innerCapacity
    guard children[at].size < capacity / 4, children.count > 1 else { return }
    let left = at > 0 ? at - 1 : at
    guard children[left].size + children[left + 1].size <= capacity * 3 / 4 else { return }
    let separator = keys.remove(at: left)
    let right = children.remove(at: left + 1)
    if right.isLeaf {
      children[left].keys += right.keys
      children[left].values += right.values
    } else {
      children[left].keys += [separator] + right.keys
      children[left].children += right.children
    }
  }
}

extension OrderedTable: Sequence {
  /// Walks entries in key order.
  public struct Iterator: IteratorProtocol, Sendable {
    /// The inner nodes above the current leaf, each with its next child.
    @usableFromInline var path: [(node: Node, next: Int)] = []
    @usableFromInline var leaf: Node
    @usableFromInline var at: Int

    @inlinable init(_ root: Node, from key: Key?) {
      leaf = root
      at = 0
      while !leaf.isLeaf {
        let child = key.map { leaf.position(of: $0, orEqual: true) } ?? 0
        path.append((leaf, child + 1))
        leaf = leaf.children[child]
      }
      if let key { at = leaf.position(of: key, orEqual: false) }
    }

    /// The next entry.
    @inlinable public mutating func next() -> (key: Key, value: Value)? {
      while at == leaf.keys.count {
        guard let (node, next) = path.popLast() else { return nil }
        if next == node.children.count { continue }
        path.append((node, next + 1))
        leaf = node.children[next]
        at = 0
        while !leaf.isLeaf {
          path.append((leaf, 1))
          leaf = leaf.children[0]
        }
      }
      defer { at += 1 }
      return (leaf.keys[at], leaf.values[at])
    }
  }

  /// All entries, by key.
  @inlinable public func makeIterator() -> Iterator { Iterator(root, from: nil) }

  /// The entries whose key is not below `key`, by key.
  @inlinable public func from(_ key: Key) -> IteratorSequence<Iterator> { IteratorSequence(Iterator(root, from: key)) }

  /// As `count`, so that `map` and friends reserve room at once.
  public var underestimatedCount: Int { count }
}
