/// What can be done to a key ring, here and on every member.
public enum KeyRingOperation: Sendable, Equatable {
  /// Takes a key in, to decrypt with.
  case install([UInt8])
  /// Encrypts with a key that is installed.
  case use([UInt8])
  /// Forgets a key that is not in use.
  case remove([UInt8])
  case list

  var kind: UInt8 {
    switch self {
    case .install: 1
    case .use: 2
    case .remove: 3
    case .list: 4
    }
  }

  var key: [UInt8] {
    switch self {
    case .install(let key), .use(let key), .remove(let key): key
    case .list: []
    }
  }

  init?(kind: UInt8, key: [UInt8]) {
    switch kind {
    case 1: self = .install(key)
    case 2: self = .use(key)
    case 3: self = .remove(key)
    case 4: self = .list
    default: return nil
    }
  }
}

/// Why a key ring did not do what it was asked.
public struct KeyRingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was refused, and what to do.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// The keys of the pool. The first one encrypts, each one decrypts. Empty: nothing is encrypted.
public struct KeyRing: Sendable, Equatable {
  /// Keys in use beside each other; each packet of a stranger costs a try with every one.
  public static let maxKeys = 16

  /// The primary key first.
  public private(set) var all: [[UInt8]] = []

  /// A ring with the first key as primary one.
  /// - Throws: `KeyRingError` for a key that is not of 16, 24 or 32 bytes.
  public init(_ keys: [[UInt8]] = []) throws(KeyRingError) {
    for key in keys where !all.contains(key) {
      try Self.check(key)
      all.append(key)
    }
  }

  /// Whether packets are encrypted.
  public var isEncrypting: Bool { !all.isEmpty }
  var isEmpty: Bool { all.isEmpty }
  var primary: [UInt8]? { all.first }

  /// AES-128, AES-192 or AES-256.
  static func check(_ key: [UInt8]) throws(KeyRingError) {
    guard [16, 24, 32].contains(key.count) else {
      throw KeyRingError(
        "a gossip key has 16, 24 or 32 bytes, not \(key.count): `operator gossip keyring generate` makes one")
    }
  }

  /// Changes the ring, or leaves it as it is and says why.
  public mutating func apply(_ operation: KeyRingOperation) throws(KeyRingError) {
    guard !isEmpty else {
      throw KeyRingError("gossip is not encrypted: give every server the same `encrypt` key first")
    }
    switch operation {
    case .list: break
    case .install(let key):
      try Self.check(key)
      guard !all.contains(key) else { return }
      guard all.count < Self.maxKeys else {
        throw KeyRingError("\(Self.maxKeys) keys are installed: remove one that is no longer used")
      }
      all.append(key)
    case .use(let key):
      guard let index = all.firstIndex(of: key) else {
        throw KeyRingError("the key is not installed: install it first")
      }
      all.remove(at: index)
      all.insert(key, at: 0)
    case .remove(let key):
      guard key != primary else { throw KeyRingError("the key is the primary one: use another key first") }
      all.removeAll { $0 == key }
    }
  }
}

/// What became of an operation on every member's key ring.
public struct KeyRingReport: Sendable, Equatable {
  /// Members that were asked, this one included.
  public var members = 0
  /// Why members did not do it, by name.
  public var errors: [String: String] = [:]
  /// On how many members each key is installed.
  public var keys: [[UInt8]: Int] = [:]
  /// On how many members each key is the primary one.
  public var primaryKeys: [[UInt8]: Int] = [:]

  /// Nobody asked yet.
  public init() {}

  mutating func add(_ ring: [[UInt8]]) {
    for key in ring { keys[key, default: 0] += 1 }
    if let primary = ring.first { primaryKeys[primary, default: 0] += 1 }
  }
}
