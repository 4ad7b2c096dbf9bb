internal import Scheduler

/// The random bits of one request, from the kernel.
struct RandomSource {
  var bits: RandomBits

  init() {
    var system = SystemRandomNumberGenerator()
    bits = RandomBits(seed: (system.next(), system.next(), system.next(), system.next()))
  }
}
