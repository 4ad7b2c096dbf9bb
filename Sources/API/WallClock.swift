internal import Codec
internal import Linux

/// The current time.
func wallClock() -> Timestamp { Timestamp(nanoseconds: Clock.realtimeNanoseconds) }
