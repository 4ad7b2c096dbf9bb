/// Bounds and defaults of jobs, as the job specification documents them.
public enum JobLimits {
  public static let priorities = 1...100
  public static let defaultPriority = 50
  /// MHz.
  public static let defaultCPU = 100
  public static let defaultMemoryMB = 300
  public static let minimumMemoryMB = 10
  public static let defaultEphemeralDiskMB = 300
  public static let minimumEphemeralDiskMB = 10
  public static let weights = -100...100
  public static let dynamicPorts = 20000...32000
}
