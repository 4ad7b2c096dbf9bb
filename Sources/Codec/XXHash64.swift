/// XXH64, the 64-bit xxHash: the checksum of stored records, of snapshots and of the replicated state.
///
/// It finds bit rot and torn writes; it is no protection against someone who wants a collision.
/// Source: "xxHash fast digest algorithm", version 0.1.1 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Chosen over
/// a CRC because it needs no table and stays fast in unoptimised builds, which the tests are.
public struct XXHash64: Sendable {
  @usableFromInline static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  @usableFromInline static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  @usableFromInline static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  @usableFromInline static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  @usableFromInline static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  @usableFromInline let seed: UInt64
  @usableFromInline var lane1: UInt64
  @usableFromInline var lane2: UInt64
  @usableFromInline var lane3: UInt64
  @usableFromInline var lane4: UInt64
  /// Bytes that do not fill a 32-byte stripe yet.
  @usableFromInline var pending: [UInt8] = []
  @usableFromInline var length: UInt64 = 0

  /// Begins a checksum.
  @inlinable public init(seed: UInt64 = 0) {
    self.seed = seed
    lane1 = seed &+ Self.prime1 &+ Self.prime2
    lane2 = seed &+ Self.prime2
    lane3 = seed
    lane4 = seed &- Self.prime1
  }

  /// The checksum of `bytes` alone.
  @inlinable public static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    var hasher = XXHash64(seed: seed)
    hasher.update(bytes)
    return hasher.value
  }

  @inlinable static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    let sum = lane &+ input &* prime2
    return (sum &<< 31 | sum &>> 33) &* prime1
  }

  @inlinable static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 - bits)
  }

  @inlinable static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  /// Adds `bytes`; the result depends on the whole sequence of bytes, never on how it was cut into calls.
  @inlinable public mutating func update(_ bytes: [UInt8]) {
    length &+= UInt64(bytes.count)
    if !pending.isEmpty || bytes.count < 32 {
      pending.append(contentsOf: bytes)
      guard pending.count >= 32 else { return }
      let joined = pending
      pending = []
      consume(joined)
    } else {
      consume(bytes)
    }
  }

  /// Adds an integer as its eight little-endian bytes.
  @inlinable public mutating func update(_ value: UInt64) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value &>> shift)) }
    update(bytes)
  }

  @inlinable mutating func consume(_ bytes: [UInt8]) {
    let stripes = bytes.count / 32
    var (a, b, c, d) = (lane1, lane2, lane3, lane4)
    let raw = bytes.span.bytes
    for stripe in 0..<stripes {
      let at = stripe * 32
      a = Self.round(a, Self.load64(raw, at))
      b = Self.round(b, Self.load64(raw, at + 8))
      c = Self.round(c, Self.load64(raw, at + 16))
      d = Self.round(d, Self.load64(raw, at + 24))
    }
    (lane1, lane2, lane3, lane4) = (a, b, c, d)
    if stripes * 32 < bytes.count { pending.append(contentsOf: bytes[(stripes * 32)...]) }
  }

  /// The load is bounds-checked; "unsafe" in the name is about the type, and every bit pattern is a UInt64.
  @inlinable static func load64(_ raw: RawSpan, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The checksum of everything added so far; more may be added afterwards.
  @inlinable public var value: UInt64 {
    var hash: UInt64
    if length >= 32 {
      hash = Self.rotate(lane1, 1) &+ Self.rotate(lane2, 7) &+ Self.rotate(lane3, 12) &+ Self.rotate(lane4, 18)
      hash = Self.merge(hash, lane1)
      hash = Self.merge(hash, lane2)
      hash = Self.merge(hash, lane3)
      hash = Self.merge(hash, lane4)
    } else {
      hash = seed &+ Self.prime5
    }
    hash &+= length
    let raw = pending.span.bytes
    var at = 0
    while at + 8 <= pending.count {
      hash ^= Self.round(0, Self.load64(raw, at))
      hash = Self.rotate(hash, 27) &* Self.prime1 &+ Self.prime4
      at += 8
    }
    if at + 4 <= pending.count {
      let word = UInt32(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: at, as: UInt32.self))
      hash ^= UInt64(word) &* Self.prime1
      hash = Self.rotate(hash, 23) &* Self.prime2 &+ Self.prime3
      at += 4
    }
    while at < pending.count {
      hash ^= UInt64(pending[at]) &* Self.prime5
      hash = Self.rotate(hash, 11) &* Self.prime1
      at += 1
    }
    hash ^= hash &>> 33
    hash &*= Self.prime2
    hash ^= hash &>> 29
    hash &*= Self.prime3
    hash ^= hash &>> 32
    return hash
  }
}
