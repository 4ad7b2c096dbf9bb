/// A version number as the constraint operators `version` and `semver` read it: dotted numbers, an optional
/// pre-release and optional build metadata, with an optional leading `v`.
///
/// The grammar and the order are those of the Go library `hashicorp/go-version` (its README is the source), because
/// users' constraints were written against it; `Tests/SchedulerTests/VersionOracleTests.swift` compares the two.
struct Version: Hashable, Sendable {
  /// The dotted numbers, at least three: missing ones are zero (`1.4` is `1.4.0`).
  let segments: [Int64]
  /// How many numbers were written, before padding. `~>` needs it: `~> 1.2` and `~> 1.2.0` differ.
  let writtenSegmentCount: Int
  /// What follows `-` (or the first letter), without it; empty for a release.
  let prerelease: String
  /// What follows `+`; never compared.
  let metadata: String

  /// Which texts are accepted as versions.
  enum Grammar: Sendable {
    /// `1.2.3beta` is the pre-release `beta` of 1.2.3.
    case lenient
    /// A pre-release needs its `-`.
    case semantic
  }

  /// Reads a version; nil when the text is not one or a number exceeds 63 bits.
  init?(_ text: some StringProtocol, grammar: Grammar = .lenient) {
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "v") { bytes = bytes.dropFirst() }

    var segments: [Int64] = []
    while true {
      let digits = bytes.prefix(while: Self.isDigit)
      guard let value = Self.number(digits) else { return nil }
      segments.append(value)
      bytes = bytes.dropFirst(digits.count)
      guard bytes.first == UInt8(ascii: "."), let next = bytes.dropFirst().first, Self.isDigit(next) else { break }
      bytes = bytes.dropFirst()
    }
    writtenSegmentCount = segments.count
    while segments.count < 3 { segments.append(0) }
    self.segments = segments

    let plus = bytes.firstIndex(of: UInt8(ascii: "+"))
    var tail = bytes[..<(plus ?? bytes.endIndex)]
    if let plus {
      let build = bytes[(plus + 1)...]
      guard Self.isDottedIdentifiers(build) else { return nil }
      metadata = String(decoding: build, as: UTF8.self)
    } else {
      metadata = ""
    }
    if tail.isEmpty {
      prerelease = ""
      return
    }
    // A dash introduces the pre-release. Where that would leave an empty first identifier behind it, the lenient
    // grammar reads the dash itself as one, because a dash is one of the identifier characters.
    let second = tail.dropFirst().first
    if tail.first == UInt8(ascii: "-"), grammar == .semantic || (second != nil && second != UInt8(ascii: ".")) {
      tail = tail.dropFirst()
    } else if grammar == .semantic {
      return nil
    } else if let first = tail.first, Self.isDigit(first) {
      return nil
    }
    guard Self.isDottedIdentifiers(tail) else { return nil }
    prerelease = String(decoding: tail, as: UTF8.self)
  }

  var isPrerelease: Bool { !prerelease.isEmpty }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private static func isIdentifierByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func isDottedIdentifiers(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.allSatisfy(isIdentifierByte)
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard !digits.isEmpty else { return nil }
    var value: Int64 = 0
    for digit in digits {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowed) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
      if overflow || overflowed { return nil }
      value = sum
    }
    return value
  }
}

// MARK: - Order

extension Version {
  enum Order: Sendable { case less, equal, greater }

  /// Orders two versions; metadata never counts.
  ///
  /// Pre-releases are compared only between versions with the same number of segments: `1.2.3.0` and `1.2.3-beta` are
  /// equal here. That is what the library does which users' constraints were written against.
  func order(relativeTo other: Version) -> Order {
    if segments == other.segments { return Self.orderPrereleases(prerelease, other.prerelease) }
    for index in 0..<max(segments.count, other.segments.count) {
      let mine = index < segments.count ? segments[index] : 0
      let theirs = index < other.segments.count ? other.segments[index] : 0
      if mine != theirs { return mine < theirs ? .less : .greater }
    }
    return .equal
  }

  private static func orderPrereleases(_ left: String, _ right: String) -> Order {
    if left == right { return .equal }
    // A release comes after all of its pre-releases.
    if left.isEmpty { return .greater }
    if right.isEmpty { return .less }
    let lefts = left.split(separator: ".", omittingEmptySubsequences: false)
    let rights = right.split(separator: ".", omittingEmptySubsequences: false)
    for index in 0..<max(lefts.count, rights.count) {
      let order = orderIdentifiers(
        index < lefts.count ? lefts[index] : nil, index < rights.count ? rights[index] : nil)
      if order != .equal { return order }
    }
    return .equal
  }

  /// Numbers come before words; a missing identifier comes before a number and after a word.
  private static func orderIdentifiers(_ left: Substring?, _ right: Substring?) -> Order {
    guard let left else {
      guard let right else { return .equal }
      return Int64(right) != nil ? .less : .greater
    }
    guard let right else { return Int64(left) != nil ? .greater : .less }
    if left == right { return .equal }
    switch (Int64(left), Int64(right)) {
    case (let left?, let right?): return left > right ? .greater : .less
    case (_?, nil): return .less
    case (nil, _?): return .greater
    case (nil, nil): return Array(left.utf8).lexicographicallyPrecedes(Array(right.utf8)) ? .less : .greater
    }
  }
}
