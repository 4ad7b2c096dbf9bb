/// Bounds and defaults of jobs, as the job specification documents them.
public enum JobLimits {
  /// Priorities that a job may have.
  public static let priorities = 1...100
  /// Priority of a job that gives none.
  public static let defaultPriority = 50
  /// MHz.
  public static let defaultCPU = 100
  /// Memory in MiB of a task that gives none.
  public static let defaultMemoryMB = 300
  /// Least memory in MiB that a task may ask for.
  public static let minimumMemoryMB = 10
  /// MiB of `ephemeral_disk` for a group that gives none.
  public static let defaultEphemeralDiskMB = 300
  /// Least MiB of `ephemeral_disk`.
  public static let minimumEphemeralDiskMB = 10
  /// Weights of affinities; zero is refused besides.
  public static let weights = -100...100
  /// Ports that are given out as dynamic ones unless the client says otherwise.
  public static let dynamicPorts = 20000...32000
}
