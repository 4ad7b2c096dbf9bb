import Glibc
import State

/// How full a node is after a placement, as a number: the published bin-packing score and its mirror image.
///
/// Source: Nomad's documentation of "scheduling"; the formula is Google's "best fit v3": 20 − 10^(free CPU fraction) −
/// 10^(free memory fraction), limited to 0…18.
enum FitScore {
  static let maximum = 18.0

  /// 18 for a node that the placement fills, 0 for an empty one.
  static func binPack(freeCPU: Double, freeMemory: Double) -> Double {
    min(max(20 - tenTo(freeCPU) - tenTo(freeMemory), 0), maximum)
  }

  /// 18 for an empty node, 0 for a full one.
  static func spread(freeCPU: Double, freeMemory: Double) -> Double {
    min(max(tenTo(freeCPU) + tenTo(freeMemory) - 2, 0), maximum)
  }

  /// The same of two powers that are known, as a share of the maximum.
  @inline(__always)
  static func share(cpu: Double, memory: Double, usesSpread: Bool) -> Double {
    min(max(usesSpread ? cpu + memory - 2 : 20 - cpu - memory, 0), maximum) / maximum
  }

  static func tenTo(_ exponent: Double) -> Double { exp(exponent * 2.302585092994045684) }
}

/// Remembers the powers that were worked out last: most nodes are alike and equally full.
struct PowerCache {
  private var free: [Int32]
  private var total: [Int32]
  private var value: [Double]

  init() {
    // A total of 0 with a free part never occurs: those slots can't be hit before they are filled.
    free = Array(repeating: -1, count: 256)
    total = Array(repeating: -1, count: 256)
    value = Array(repeating: 0, count: 256)
  }

  /// 10 to the power of `free / total`.
  @inline(__always)
  mutating func tenTo(free part: Int32, of whole: Int32) -> Double {
    let hash = (UInt32(bitPattern: part) &* 0x9E37_79B1) ^ (UInt32(bitPattern: whole) &* 0x85EB_CA77)
    let place = Int((hash &* 0x2545_F491) >> 24)
    if free[place] == part && total[place] == whole { return value[place] }
    let power = whole == 0 ? 1 : FitScore.tenTo(Double(part) / Double(whole))
    free[place] = part
    total[place] = whole
    value[place] = power
    return power
  }
}
