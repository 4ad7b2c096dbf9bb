public import Isolation

/// What the node's configuration says about tasks with a root of their own (`exec`, `java`): defaults, and what a job may
/// ask for.
public struct IsolationSettings: Sendable {
  /// What of the host is laid into a task's root (`chroot_env`).
  public var chroot = ChrootEntry.defaults
  /// Capabilities that a job may add (`allow_caps`).
  public var allowedCapabilities = Capability.defaultNames
  /// Whether tasks have an IPC namespace of their own unless they say otherwise (`default_ipc_mode`).
  public var privateIPC = true
  /// Host directories below which a job may bind (`allow_host_paths`); none unless the node says so.
  public var allowedHostPaths: [String] = []
  /// Whether a job may switch off the system call filter (`allow_unconfined_seccomp`).
  public var allowsUnconfinedSeccomp = false
  /// Whether a job may let setuid files give privileges (`allow_new_privileges`).
  public var allowsNewPrivileges = false
  /// Whether a job may let its tasks have host ids (`allow_host_userns`).
  public var allowsHostIDs = true
  /// Whether 32-bit programs may run (`allow_32bit_programs`); else their first system call kills them.
  public var allows32BitPrograms = false
  /// Why this host cannot give tasks ids of their own; nil when it can.
  public var userNamespaceProblem: String?
  /// Seccomp profiles that a job may name, their JSON by file name (`seccomp_profile_dir`).
  public var seccompProfiles: [String: String] = [:]
  /// Users as whom no task may run (`user.denylist`).
  public var deniedUsers: [String] = ["root", "Administrator"]
  /// Host user ids that no task may have (`denied_host_uids`).
  public var deniedUserIDs: [ClosedRange<UInt32>] = []
  /// Host group ids that no task may have (`denied_host_gids`).
  public var deniedGroupIDs: [ClosedRange<UInt32>] = []
  /// Why the driver cannot run tasks here; nil when it can.
  public var problem: String?

  /// The documented defaults.
  public init() {}
}
