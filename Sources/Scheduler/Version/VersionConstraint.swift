/// The right-hand side of a `version` or `semver` constraint: comma-separated comparisons that must all hold, such as
/// `>= 1.0, < 1.4`.
struct VersionConstraint: Sendable {
  /// How pre-releases are treated and which operators there are.
  enum Flavour: Hashable, Sendable {
    /// `version`: a pre-release never satisfies a range of releases; `~>` is available.
    case version
    /// `semver`: the order of Semantic Versioning 2.0 alone decides; there is no `~>`.
    case semver
  }

  private enum Comparison: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case pessimistic = "~>"
  }

  private let flavour: Flavour
  private let requirements: [(comparison: Comparison, version: Version)]

  /// Reads the list; nil when any part of it isn't an optional operator and a version.
  init?(_ text: String, flavour: Flavour) {
    self.flavour = flavour
    var requirements: [(Comparison, Version)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let trimmed = part.trimmingWhitespace()
      let symbol = trimmed.prefix { "=!<>~".contains($0) }
      let comparison = symbol.isEmpty ? Comparison.equal : Comparison(rawValue: String(symbol))
      guard let comparison, flavour == .version || comparison != .pessimistic else { return nil }
      let operand = trimmed.dropFirst(symbol.count).trimmingWhitespace()
      guard let version = Version(operand, grammar: flavour == .version ? .lenient : .semantic) else { return nil }
      requirements.append((comparison, version))
    }
    self.requirements = requirements
  }

  /// Whether the text is a version that meets every requirement.
  func isSatisfied(by text: String) -> Bool {
    guard let version = Version(text, grammar: flavour == .version ? .lenient : .semantic) else { return false }
    return isSatisfied(by: version)
  }

  func isSatisfied(by version: Version) -> Bool {
    requirements.allSatisfy { requirement in
      let order = version.order(relativeTo: requirement.version)
      switch requirement.comparison {
      case .equal: return order == .equal
      case .notEqual: return order != .equal
      default: break
      }
      guard flavour == .semver || Self.prereleaseMayCompare(version, with: requirement.version) else { return false }
      switch requirement.comparison {
      case .equal, .notEqual: return false
      case .greater: return order == .greater
      case .less: return order == .less
      case .greaterOrEqual: return order != .less
      case .lessOrEqual: return order != .greater
      case .pessimistic: return order != .less && Self.isWithinPessimisticRange(version, of: requirement.version)
      }
    }
  }

  /// A pre-release compares only with a pre-release of the same version; anything else would let `1.3.0-beta1` in
  /// where `>= 0.6.1` was asked.
  private static func prereleaseMayCompare(_ version: Version, with bound: Version) -> Bool {
    guard version.isPrerelease else { return true }
    return bound.isPrerelease && version.segments == bound.segments
  }

  /// `~> 1.2.3` lets the last written number grow and fixes those before it.
  private static func isWithinPessimisticRange(_ version: Version, of bound: Version) -> Bool {
    if bound.isPrerelease && !version.isPrerelease { return false }
    let last = bound.segments.count - 1
    guard version.segments.count > last else { return false }
    for index in 0..<max(bound.writtenSegmentCount - 1, 0) where version.segments[index] != bound.segments[index] {
      return false
    }
    return version.segments[last] >= bound.segments[last]
  }
}

extension StringProtocol {
  /// The text without leading and trailing ASCII white space.
  func trimmingWhitespace() -> SubSequence {
    func isSpace(_ character: Character) -> Bool {
      character == " " || character == "\t" || character == "\n" || character == "\r" || character == "\r\n"
        || character == "\u{0B}" || character == "\u{0C}"
    }
    let head = drop(while: isSpace)
    guard let last = head.lastIndex(where: { !isSpace($0) }) else { return head[head.startIndex..<head.startIndex] }
    return head[...last]
  }
}
