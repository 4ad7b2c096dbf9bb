import Glibc

/// How full a node is after a placement, as a number: the published bin-packing score and its mirror image.
///
/// Source: Google's "best fit v3" as Nomad documents it: 20 − 10^(free CPU fraction) − 10^(free memory fraction),
/// limited to 0…18 and divided by 18.
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

  static func tenTo(_ exponent: Double) -> Double { exp(exponent * 2.302585092994045684) }
}
