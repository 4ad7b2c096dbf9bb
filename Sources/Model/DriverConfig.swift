/// What may stand in a task's `config` block, for the drivers of this project: what lets a jobspec's mistakes be shown at
/// their line before a node has seen them. The drivers read the values; a test holds the two together.
public enum DriverConfig {
  private static let isolation = [
    "cap_add", "cap_drop", "cpu_hard_limit", "init", "ipc_mode", "mount", "no_new_privileges", "oom_score_adj",
    "pid_mode", "readonly_root", "seccomp", "sysctl", "ulimit", "userns", "work_dir",
  ]

  /// The keys of a driver's `config` block; nil for a driver that is not known here.
  public static func keys(of driver: String) -> [String]? {
    switch driver {
    case "exec": ["args", "command"] + isolation
    case "java": ["args", "class", "class_path", "jar_path", "java_version", "jvm_options"] + isolation
    case "raw_exec":
      ["args", "cgroup_v1_override", "cgroup_v2_override", "command", "denied_envvars", "oom_score_adj", "work_dir"]
    default: nil
    }
  }

  /// Keys of which a `config` block must have one.
  public static func required(by driver: String) -> [String] {
    switch driver {
    case "exec", "raw_exec": ["command"]
    case "java": ["class", "jar_path"]
    default: []
    }
  }
}
