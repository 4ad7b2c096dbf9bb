internal import Codec
internal import Linux

/// An instant on two clocks: what people are shown, and what intervals are measured with.
struct Moment: Sendable, Equatable {
  /// The wall clock; it may jump.
  var wall: Timestamp
  /// Time since the host's boot, sleep included: it never jumps, and means something to the next agent on this boot.
  var steady: Timestamp

  /// Now.
  static var now: Moment {
    Moment(
      wall: Timestamp(nanoseconds: Clock.realtimeNanoseconds), steady: Timestamp(nanoseconds: Clock.bootNanoseconds))
  }

  /// The same time later, on both clocks.
  static func + (moment: Moment, delay: Nanoseconds) -> Moment {
    Moment(wall: moment.wall + delay, steady: moment.steady + delay)
  }
}
