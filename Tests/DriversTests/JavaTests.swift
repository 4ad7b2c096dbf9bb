import Codec
import Isolation
import Supervisor
import Testing

@testable import Drivers

@Suite struct JavaTests {
  /// What Debian's OpenJDK 17 and an OpenJDK 8 print for `java -version`.
  static let debian = """
    openjdk version "17.0.21" 2026-10-20
    OpenJDK Runtime Environment (build 17.0.21+9-1-deb12u1-Debian)
    OpenJDK 64-Bit Server VM (build 17.0.21+9-1-deb12u1-Debian, mixed mode, sharing)

    """
  static let old = """
    Picked up JAVA_TOOL_OPTIONS: -Xmx1g
    java version "1.8.0_392"
    Java(TM) SE Runtime Environment (build 1.8.0_392-b08)
    Java HotSpot(TM) 64-Bit Server VM (build 25.392-b08, mixed mode)

    """

  private let link = SupervisorLink(launcher: SupervisorLauncher(executable: "/nowhere", runtimeDirectory: "/nowhere"))

  private func runtimes() throws -> [JavaRuntime] {
    [
      try #require(JavaRuntime(home: "/usr/lib/jvm/java-17", versionText: Self.debian)),
      try #require(JavaRuntime(home: "/opt/jdk8", versionText: Self.old)),
    ]
  }

  private func sandbox(
    _ config: JSONObject, memory: Int = 256 << 20, environment: [String] = []
  ) throws -> Sandbox {
    try JavaDriver(link: link).sandbox(
      for: TaskStart(
        allocationID: Identifier(high: 1, low: 2), taskName: "app", attempt: 1, config: config,
        environment: environment, user: "", resources: TaskLimits(cpuMHz: 100, memoryBytes: memory),
        directories: TaskDirectories(allocation: "/data/alloc/x", task: "app"),
        logs: LogRotation(directory: "/data/alloc/x/alloc/logs", maxFiles: 10, maxFileBytes: 10 << 20)),
      among: try runtimes())
  }

  @Test func versionsAreRead() throws {
    let (new, old) = (try runtimes()[0], try runtimes()[1])
    #expect(new.version == "17.0.21" && new.runtime.hasPrefix("OpenJDK Runtime") && new.vm.contains("64-Bit Server VM"))
    #expect(old.version == "1.8.0_392")
    #expect(new.isVersion("17") && new.isVersion("17.0") && new.isVersion("17.0.21") && !new.isVersion("1"))
    #expect(old.isVersion("8") && old.isVersion("1.8") && old.isVersion("1.8.0_392") && !old.isVersion("17"))
    #expect(JavaRuntime(home: "/x", versionText: "sh: 1: not found") == nil)
  }

  @Test func theCommandLineIsTheJobs() throws {
    let jar = try sandbox([
      "jar_path": "local/app.jar", "jvm_options": ["-Xss512k"], "args": ["one", "two words"],
    ])
    #expect(jar.command.name == "/usr/lib/jvm/java-17/bin/java")
    #expect(jar.command.arguments == ["-Xmx192m", "-Xss512k", "-jar", "local/app.jar", "one", "two words"])
    #expect(jar.command.environment == ["JAVA_HOME=/usr/lib/jvm/java-17"] && jar.root?.entries == ChrootEntry.defaults)
    let old = try sandbox(["class": "org.Main", "class_path": "local/a:local/b", "java_version": "8"])
    #expect(old.command.arguments == ["-Xmx192m", "-cp", "local/a:local/b", "org.Main"])
    // What is not below the usual directories is laid in.
    #expect(old.root?.entries.last == ChrootEntry("/opt/jdk8"))
    #expect(throws: DriverError.self) { try sandbox(["class": "x", "java_version": "21"]) }
    #expect(throws: DriverError.self) { try sandbox(["args": ["x"]]) }
  }

  @Test(arguments: [(64, 32), (128, 64), (256, 192), (4096, 3072)])
  func theHeapIsAPartOfTheMemory(_ memory: Int, _ heap: Int) throws {
    #expect(try sandbox(["class": "x"], memory: memory << 20).command.arguments.first == "-Xmx\(heap)m")
  }

  @Test func aHeapThatTheJobChoosesStays() throws {
    for option in ["-Xmx10m", "-XX:MaxRAMPercentage=50", "-XX:MaxHeapSize=1g"] {
      #expect(try sandbox(["class": "x", "jvm_options": [.string(option)]]).command.arguments == [option, "x"])
      let told = try sandbox(["class": "x"], environment: ["JAVA_TOOL_OPTIONS=-Da=b \(option)"])
      #expect(told.command.arguments == ["x"])
    }
  }
}
