public import Codec

/// Answer of `GET /v1/metrics`.
public struct MetricsSummary: Record {
  public var timestamp = ""
  public var gauges: [GaugeValue] = []
  public var points: [PointValue] = []
  public var counters: [SampledValue] = []
  public var samples: [SampledValue] = []

  public init() {}

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
  public var name = ""
  public var value: Double = 0
  public var labels: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Value", &value)
    v.field(3, "Labels", &labels, .emptyCollection)
  }
}

/// Figures of a series.
public struct PointValue: Record {
  public var name = ""
  public var points: [Double] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Points", &points)
  }
}

/// What a counter or timer gathered in the last interval.
public struct SampledValue: Record {
  public var name = ""
  public var count = 0
  public var rate: Double = 0
  public var sum: Double = 0
  public var min: Double = 0
  public var max: Double = 0
  public var mean: Double = 0
  public var stddev: Double = 0
  public var labels: [String: String] = [:]

  public init() {}

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
