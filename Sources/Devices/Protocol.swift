public import Codec
public import Model

/// The protocol between a client agent and a device plugin.
///
/// A plugin is a program that the agent starts. It reads requests from its standard input and writes answers to its
/// standard output, both as JSON, one object in a line; what it writes to its standard error goes to the agent's. Each
/// answer carries the number of its request; answers may come in any order. When its standard input ends, the plugin ends.
///
/// | method | the request has | the answer has |
/// |---|---|---|
/// | `Describe` | | `Name`, `Version`, `ProtocolVersion` |
/// | `Configure` | `Config`: the `config` of the agent's `plugin` block | |
/// | `Fingerprint` | | `Groups`: the devices that are there, alike ones together |
/// | `Reserve` | `Vendor`, `Type`, `Name`, `DeviceIDs` | `Reservation`: what a task needs in order to use them |
/// | `Statistics` | | `Statistics`: what the devices do, as the API shows it |
///
/// An answer with `Error` says, in words for an operator, why something can't be had. A line without a number and with
/// `Event` = `Changed` says at any time that a fingerprint would find something else now.
public enum DevicePluginProtocol {
  /// The only version so far.
  public static let version = 1
  /// Longest line.
  static let maximumLineBytes = 8 << 20
}

/// One line to a plugin.
public struct DevicePluginRequest: Record {
  /// Counted up from 1.
  public var id = 0
  /// One of the protocol's methods.
  public var method = ""
  /// Of `Configure`.
  public var config = JSONObject()
  /// Of `Reserve`: which group the devices are in.
  public var vendor = ""
  public var type = ""
  public var name = ""
  /// Of `Reserve`: which devices.
  public var deviceIDs: [String] = []

  /// An empty request.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Method", &method)
    v.field(3, "Config", &config)
    v.field(4, "Vendor", &vendor)
    v.field(5, "Type", &type)
    v.field(6, "Name", &name)
    v.field(7, "DeviceIDs", &deviceIDs)
  }
}

/// One line from a plugin.
public struct DevicePluginAnswer: Record {
  /// The request's; 0 for an event.
  public var id = 0
  /// Why there is no answer; "" when there is one.
  public var error = ""
  /// `Changed`.
  public var event = ""
  /// Of `Describe`.
  public var name = ""
  public var version = ""
  public var protocolVersion = 0
  /// Of `Fingerprint`.
  public var groups: [NodeDeviceResource] = []
  /// Of `Reserve`.
  public var reservation = DeviceReservation()
  /// Of `Statistics`.
  public var statistics: [DeviceGroupStatistics] = []

  /// An empty answer.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Error", &error)
    v.field(3, "Event", &event)
    v.field(4, "Name", &name)
    v.field(5, "Version", &version)
    v.field(6, "ProtocolVersion", &protocolVersion)
    v.field(7, "Groups", &groups)
    v.field(8, "Reservation", &reservation)
    v.field(9, "Statistics", &statistics)
  }
}

/// What a task needs in order to use devices.
public struct DeviceReservation: Record, Hashable {
  /// Variables of the task.
  public var envs: [String: String] = [:]
  /// Files and directories of the host that the task has to see (libraries, sockets).
  public var mounts: [DeviceMount] = []
  /// Device nodes that the task may open.
  public var devices: [DeviceNodeSpec] = []

  /// Nothing.
  public init() {}

  /// Adds what other devices need.
  public mutating func merge(_ other: DeviceReservation) {
    envs.merge(other.envs) { _, new in new }
    for mount in other.mounts where !mounts.contains(mount) { mounts.append(mount) }
    for device in other.devices where !devices.contains(device) { devices.append(device) }
  }

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Envs", &envs)
    v.field(2, "Mounts", &mounts)
    v.field(3, "Devices", &devices)
  }
}

/// A file or directory of the host in a task that uses a device.
public struct DeviceMount: Record, Hashable {
  /// Where the task sees it, absolute.
  public var taskPath = ""
  /// On the host, absolute.
  public var hostPath = ""
  /// Whether the task can only read it.
  public var readOnly = false

  /// An empty mount.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "TaskPath", &taskPath)
    v.field(2, "HostPath", &hostPath)
    v.field(3, "ReadOnly", &readOnly)
  }
}

/// A device node of the host in a task.
public struct DeviceNodeSpec: Record, Hashable {
  /// Below /dev in the task.
  public var taskPath = ""
  /// Below /dev on the host.
  public var hostPath = ""
  /// Of `rwm`: read, write, mknod (cgroups(7)); nobody gets the last.
  public var cgroupPermissions = "rw"

  /// An empty node.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "TaskPath", &taskPath)
    v.field(2, "HostPath", &hostPath)
    v.field(3, "CgroupPerms", &cgroupPermissions)
  }
}

/// What the devices of one group do now, as the API shows it.
public struct DeviceGroupStatistics: Record {
  public var vendor = ""
  public var type = ""
  public var name = ""
  /// By the devices' ids: an object with `Summary`, `Stats` and `Timestamp`.
  public var instanceStats: [String: JSONValue] = [:]

  /// Of no devices.
  public init() {}

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Vendor", &vendor)
    v.field(2, "Type", &type)
    v.field(3, "Name", &name)
    v.field(4, "InstanceStats", &instanceStats)
  }
}
