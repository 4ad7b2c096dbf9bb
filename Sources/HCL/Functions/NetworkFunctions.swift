extension StandardFunctions {
  static let networks: [String: Function] = [
    "cidrhost": Function([.init("prefix", .string), .init("hostnum", .number)], result: .string) {
      a, _ throws(FunctionFailure) in
      let network = try Network(parsing: try a.string(0))
      return .string(Network.text(try network.host(try a.int(1))))
    },
    "cidrnetmask": text("prefix") { s, _ throws(FunctionFailure) in
      let network = try Network(parsing: s)
      return Network.text(
        (0..<network.width / 8).map { i in
          let bits = min(8, max(0, network.length - i * 8))
          return UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        })
    },
    "cidrsubnet": Function(
      [.init("prefix", .string), .init("newbits", .number), .init("netnum", .number)], result: .string
    ) { a, _ throws(FunctionFailure) in
      let network = try Network(parsing: try a.string(0))
      return .string(try network.subnet(newBits: try a.int(1), number: try a.int(2)).description)
    },
    "cidrsubnets": Function(
      [.init("prefix", .string)], variadic: .init("newbits", .number), result: .list(.string)
    ) { a, _ throws(FunctionFailure) in
      let network = try Network(parsing: try a.string(0))
      var next = BigUnsigned.zero
      var out: [Value] = []
      for i in 1..<max(1, a.count) {
        let newBits = try a.int(i)
        guard (1...32).contains(newBits) else {
          throw FunctionFailure("the prefix must be extended by 1 to 32 bits", argument: i)
        }
        let length = network.length + newBits
        guard length <= network.width else {
          throw FunctionFailure(
            "a prefix of \(network.length) can't be extended by \(newBits): an address has \(network.width) bits",
            argument: i)
        }
        // The next place that a network of this size can begin at.
        let hostBits = network.width - length
        let up = (next + (BigUnsigned(1) << hostBits) - BigUnsigned(1)) >> hostBits
        guard up.bitWidth <= newBits else {
          throw FunctionFailure(
            "there is not enough address space left for a subnet with a prefix of \(length)", argument: i)
        }
        out.append(.string(try network.subnet(newBits: newBits, number: Int(up.asUInt64 ?? 0)).description))
        next = (up + BigUnsigned(1)) << hostBits
      }
      return .list(out, of: .string)
    },
  ]
}

/// An IP network in CIDR notation (RFC 4632, RFC 4291).
struct Network: CustomStringConvertible {
  /// The address with all host bits zero: 4 bytes or 16.
  var address: [UInt8]
  /// The length of the prefix.
  var length: Int

  /// Bits of an address.
  var width: Int { address.count * 8 }

  var description: String { "\(Network.text(address))/\(length)" }

  init(address: [UInt8], length: Int) {
    self.address = address
    self.length = length
  }

  init(parsing text: String) throws(FunctionFailure) {
    let failure = FunctionFailure("\"\(text)\" is no network such as 10.0.0.0/8 or fd00::/64", argument: 0)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = Network.bytes(String(parts[0])), parts[1].count <= 3,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]), length <= address.count * 8
    else { throw failure }
    self.length = length
    self.address = address.enumerated().map { i, byte in
      byte & UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, length - i * 8)))
    }
  }

  /// The address with host bits of the number; negative numbers count from the end, -1 is the last.
  func host(_ number: Int) throws(FunctionFailure) -> [UInt8] {
    let hostBits = width - length
    let size = number < 0 ? UInt64(-(number + 1)) : UInt64(number)
    guard hostBits >= 64 || size < UInt64(1) << UInt64(hostBits) else {
      throw FunctionFailure("a prefix of \(length) has no room for a host with the number \(number)", argument: 1)
    }
    var out = address
    for bit in 0..<hostBits {
      let set = bit < 64 && size >> UInt64(bit) & 1 == 1
      if set != (number < 0) { out[out.count - 1 - bit / 8] |= 1 << UInt8(bit % 8) }
    }
    return out
  }

  func subnet(newBits: Int, number: Int) throws(FunctionFailure) -> Network {
    guard newBits >= 0, length + newBits <= width else {
      throw FunctionFailure(
        "a prefix of \(length) can't be extended by \(newBits): an address has \(width) bits", argument: 1)
    }
    guard number >= 0, newBits >= 63 || number < 1 << newBits else {
      throw FunctionFailure("an extension by \(newBits) bits has no subnet with the number \(number)", argument: 2)
    }
    var out = address
    let lowest = width - length - newBits
    for bit in 0..<min(63, newBits) where number >> bit & 1 == 1 {
      let place = lowest + bit
      out[out.count - 1 - place / 8] |= 1 << UInt8(place % 8)
    }
    return Network(address: out, length: length + newBits)
  }

  // MARK: Addresses

  static func bytes(_ text: String) -> [UInt8]? {
    text.utf8.contains(UInt8(ascii: ":")) ? version6(text) : version4(Substring(text))
  }

  private static func version4(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var out: [UInt8] = []
    for part in parts {
      // A leading zero would be octal for some and decimal for others.
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        part.count == 1 || part.first != "0", let byte = UInt8(part)
      else { return nil }
      out.append(byte)
    }
    return out
  }

  private static func version6(_ text: String) -> [UInt8]? {
    func groups(_ part: Substring, last: Bool) -> [UInt8]? {
      if part.isEmpty { return [] }
      var out: [UInt8] = []
      let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
      for (i, piece) in pieces.enumerated() {
        if last, i == pieces.count - 1, piece.contains(".") {
          guard let four = version4(piece) else { return nil }
          out += four
          continue
        }
        guard (1...4).contains(piece.utf8.count), piece.allSatisfy({ $0.isHexDigit && $0.isASCII }),
          let value = UInt16(piece, radix: 16)
        else {
          return nil
        }
        out += [UInt8(value >> 8), UInt8(value & 0xFF)]
      }
      return out
    }
    var gap: (Substring, Substring)?
    var i = text.startIndex
    while let colon = text[i...].firstIndex(of: ":") {
      let after = text.index(after: colon)
      if after < text.endIndex, text[after] == ":" {
        gap = (text[..<colon], text[text.index(after: after)...])
        break
      }
      i = after
    }
    guard let gap else {
      guard let all = groups(text[...], last: true), all.count == 16 else { return nil }
      return all
    }
    guard let head = groups(gap.0, last: false), let tail = groups(gap.1, last: true), head.count + tail.count <= 14
    else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  /// RFC 5952: the longest run of zero groups is left out.
  static func text(_ bytes: [UInt8]) -> String {
    if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    var best = 0..<0
    var i = 0
    while i < 8 {
      var end = i
      while end < 8, groups[end] == 0 { end += 1 }
      if end - i > best.count, end - i > 1 { best = i..<end }
      i = max(end, i + 1)
    }
    func join(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? join(groups[...]) : join(groups[..<best.lowerBound]) + "::" + join(groups[best.upperBound...])
  }
}
