public import Codec

/// Answer of `GET /v1/metrics`.
public struct MetricsSummary: Record {
  /// Begin of the interval, as text in UTC.
  public var timestamp = ""
  /// Values at the interval's end.
  public var gauges: [GaugeValue] = []
  /// Values that were recorded singly.
  public var points: [PointValue] = []
  /// Sums of what was counted within the interval.
  public var counters: [SampledValue] = []
  /// Distributions of what was measured within the interval, usually milliseconds.
  public var samples: [SampledValue] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Timestamp", &timestamp)
    v.field(2, "Gauges", &gauges, .emptyCollection)
    v.field(3, "Points", &points, .emptyCollection)
    v.field(4, "Counters", &counters, .emptyCollection)
    v.field(5, "Samples", &samples, .emptyCollection)
  }
}

/// A figure as it is now.
public struct GaugeValue: Record {
  /// Name, parts joined by dots, `nomad.` first.
  public var name = ""
  /// The value.
  public var value: Double = 0
  /// Labels, such as the host.
  public var labels: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Value", &value)
    v.field(3, "Labels", &labels, .emptyCollection)
  }
}

/// Figures of a series.
public struct PointValue: Record {
  /// Name, parts joined by dots.
  public var name = ""
  /// The values in the order they were recorded.
  public var points: [Double] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Points", &points)
  }
}

/// What a counter or timer gathered in the last interval.
public struct SampledValue: Record {
  /// Name, parts joined by dots.
  public var name = ""
  /// How many values came in.
  public var count = 0
  /// Sum per second of the interval.
  public var rate: Double = 0
  /// Sum of the values.
  public var sum: Double = 0
  /// Smallest value.
  public var min: Double = 0
  /// Largest value.
  public var max: Double = 0
  /// Mean of the values.
  public var mean: Double = 0
  /// Standard deviation of the values.
  public var stddev: Double = 0
  /// Labels, such as the host.
  public var labels: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Count", &count)
    v.field(3, "Rate", &rate)
    v.field(4, "Sum", &sum)
    v.field(5, "Min", &min)
    v.field(6, "Max", &max)
    v.field(7, "Mean", &mean)
    v.field(8, "Stddev", &stddev)
    v.field(9, "Labels", &labels, .emptyCollection)
  }
}
