// swift-tools-version: 6.1
import PackageDescription

// The layers and what each module is for: Sources/README.md. A test (Tests/LayoutTests) reads the import lines and
// fails when a module imports what its row there does not allow; the dependencies below only tell SwiftPM the build order.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [String]) -> Target {
  .testTarget(name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, swiftSettings: strict)
}

func library(_ name: String, _ package: String) -> Target {
  .systemLibrary(name: name, path: "CShims/\(name)", pkgConfig: package)
}

let shims: [Target] = [
  .target(name: "CLinux", path: "CShims/CLinux"),
  .systemLibrary(name: "CNet", path: "CShims/CNet"),
  library("CSeccomp", "libseccomp"),
  library("CCap", "libcap"),
  library("CNetlink", "libnl-route-3.0"),
  library("CSQLite", "sqlite3"),
  .target(name: "CMicrohttpd", path: "CShims/CMicrohttpd"),
  .target(name: "CCurl", path: "CShims/CCurl"),
  .target(name: "CGnuTLS", path: "CShims/CGnuTLS"),
  library("CZ", "zlib"),
  .target(name: "CArchive", path: "CShims/CArchive"),
  .target(name: "CYAML", path: "CShims/CYAML"),
  .target(name: "CCrypt", path: "CShims/CCrypt"),
]

let modules: [Target] = [
  module("Linux", ["CLinux"]),
  module("Log", ["Linux"]),
  module("Isolation", ["Linux", "Codec", "CSeccomp", "CCap"]),
  module("BaseEncoding"),
  module("Digests", ["CGnuTLS", "CCrypt"]),
  module("YAML", ["CYAML"]),
  module("Codec", ["BaseEncoding"]),
  module("Cron"),
  module("Raft"),
  module("RegularExpression"),
  module("HCL", ["BaseEncoding", "Digests", "RegularExpression", "YAML"]),
  module("TemplateEngine", ["BaseEncoding", "Digests", "RegularExpression", "YAML"]),
  module("FilterExpression", ["Codec", "RegularExpression"]),
  module("Model", ["Codec", "Cron"]),
  module("Gossip"),
  module("TLS", ["CGnuTLS"]),
  module("Supervisor", ["Linux", "Isolation", "Codec"]),
  module("HCLSchema", ["HCL", "Codec"]),
  module("Jobspec", ["HCL", "HCLSchema", "Model", "Codec"]),
  module("State", ["Model", "Codec"]),
  module("Scheduler", ["Codec", "Model", "State", "RegularExpression"]),
  module("Replica", ["Codec", "Cron", "Model", "Raft", "Scheduler", "State"]),
  module("Transport", ["Linux", "Codec", "TLS", "CNet"]),
  module("Storage", ["Linux", "Codec", "CSQLite"]),
  module(
    "HTTP", ["BaseEncoding", "Digests", "Linux", "Codec", "TLS", "CMicrohttpd", "CCurl", "CGnuTLS", "CNet", "CZ"]),
  module(
    "Server",
    [
      "Linux", "Log", "Codec", "Cron", "Model", "Raft", "State", "Scheduler", "Replica", "Storage", "Transport",
      "Jobspec",
    ]
  ),
  module("Artifact", ["BaseEncoding", "Digests", "Linux", "HTTP", "CArchive"]),
  module("Membership", ["Linux", "Log", "Codec", "Model", "Gossip", "TLS", "Transport", "CNet"]),
  module("Drivers", ["Linux", "Isolation", "Supervisor", "Codec", "Model"]),
  module("Devices", ["Linux", "Codec", "Model"]),
  module(
    "Client",
    [
      "Linux", "Log", "Codec", "TemplateEngine", "Model", "Isolation", "Supervisor", "Drivers", "Devices", "Artifact",
      "Storage", "Transport",
    ]),
  module(
    "API",
    [
      "Linux", "Log", "HCL", "Codec", "FilterExpression", "Model", "Jobspec", "HTTP", "Transport", "Gossip",
      "Membership",
      "Server", "Client",
      "State", "Scheduler",
    ]),
  module(
    "Agent",
    [
      "Linux", "Log", "Codec", "HCL", "HCLSchema", "Model", "TLS", "HTTP", "Transport", "Membership", "Storage",
      "Artifact", "Replica", "Server",
      "Client", "API",
    ]),
  module(
    "CommandLine",
    ["Linux", "TLS", "Codec", "Model", "HCL", "HCLSchema", "Jobspec", "HTTP", "TemplateEngine", "Server"]),
]

let executables: [Target] = [
  .executableTarget(name: "serai", dependencies: ["Agent", "CommandLine"], swiftSettings: strict),
  .executableTarget(name: "serai-supervisor", dependencies: ["Supervisor"], swiftSettings: strict),
]

/// Programs and parts that tests and benchmarks drive; nothing of them is installed.
let testPrograms: [Target] = [
  .target(
    name: "Simulation", dependencies: ["Codec", "Model", "Raft", "Replica", "Scheduler", "State"],
    path: "Tests/Simulation", swiftSettings: strict),
  .executableTarget(
    name: "serai-sim", dependencies: ["Simulation"], path: "Tests/serai-sim", swiftSettings: strict),
  .target(name: "HCLOracleProtocol", dependencies: ["HCL"], path: "Tests/HCLOracleProtocol", swiftSettings: strict),
  .executableTarget(
    name: "serai-hcl", dependencies: ["HCLOracleProtocol"], path: "Tests/serai-hcl", swiftSettings: strict),
  .executableTarget(
    name: "codec-bench", dependencies: ["Codec", "Model"], path: "Tests/Benchmarks/codec", swiftSettings: strict),
  .executableTarget(
    name: "serai-bench",
    dependencies: [
      "Codec", "Drivers", "HTTP", "Isolation", "Linux", "Model", "Scheduler", "State", "Supervisor", "Transport",
    ],
    path: "Tests/Benchmarks/serai-bench", swiftSettings: strict),
  .executableTarget(
    name: "net-bench", dependencies: ["HTTP", "Transport"], path: "Tests/NetBench", swiftSettings: strict),
  .executableTarget(
    name: "isolation-bench", dependencies: ["Supervisor", "Isolation", "Linux"], path: "Tests/isolation-bench",
    exclude: ["stamp.c"], swiftSettings: strict),
  .executableTarget(
    name: "serai-device-test", dependencies: ["Devices", "Model", "Codec", "Linux"], path: "Tests/serai-device-test",
    swiftSettings: strict),
  .executableTarget(name: "serai-hcldec", dependencies: ["HCL"], path: "Tests/serai-hcldec", swiftSettings: strict),
  .target(
    name: "TemplateOracleProtocol", dependencies: ["TemplateEngine"], path: "Tests/TemplateOracleProtocol",
    swiftSettings: strict),
  .executableTarget(
    name: "serai-template", dependencies: ["TemplateEngine", "TemplateOracleProtocol"], path: "Tests/serai-template",
    swiftSettings: strict),
  .executableTarget(
    name: "serai-scheduler-bench", dependencies: ["Scheduler", "State", "Storage", "Model", "Codec"],
    path: "Tests/serai-scheduler-bench", swiftSettings: strict),
]

let testTargets: [Target] = [
  tests("RaftTests", ["Raft", "Simulation"]),
  tests("ReplicaTests", ["Replica", "Raft", "State", "Scheduler", "Model", "Codec"]),
  tests("LayoutTests", []),
  tests(
    "IntegrationTests", ["HTTP", "Codec", "Model", "Linux", "serai", "serai-supervisor", "serai-device-test"]),
  tests("LogTests", ["Log"]),
  tests("BaseEncodingTests", ["BaseEncoding"]),
  tests("DigestsTests", ["BaseEncoding", "Digests"]),
  tests("YAMLTests", ["YAML"]),
  tests("GossipTests", ["Gossip"]),
  tests("TLSTests", ["TLS"]),
  tests("MembershipTests", ["Membership", "Gossip", "Model", "Codec", "Linux", "Log"]),
  tests("CommandLineTests", ["CommandLine", "HTTP", "Codec", "Model"]),
  tests("LinuxTests", ["Linux"]),
  tests("IsolationTests", ["Isolation", "Linux"]),
  tests("SupervisorTests", ["Supervisor", "Isolation", "Linux", "serai-supervisor"]),
  tests("CodecTests", ["Codec"]),
  tests("ArtifactTests", ["Artifact", "Digests", "HTTP", "Linux"]),
  tests("DriversTests", ["Drivers", "Isolation", "Linux", "Supervisor", "Codec", "Model"]),
  tests(
    "ClientTests",
    [
      "Client", "Drivers", "Isolation", "Linux", "Log", "Model", "Codec", "Storage", "Supervisor", "Transport",
      "serai-supervisor",
    ]),
  tests("DevicesTests", ["Devices", "Model", "Codec", "Linux", "serai-device-test"]),
  tests("StorageTests", ["Storage", "Linux", "Codec"]),
  tests("StateTests", ["State", "Model", "Codec"]),
  tests("ModelTests", ["Model", "Codec"]),
  tests("HTTPTests", ["HTTP", "Linux", "TLS", "CNet", "CZ"]),
  tests("TransportTests", ["Transport", "Linux", "TLS", "CNet"]),
  tests("RegularExpressionTests", ["RegularExpression"]),
  tests("CronTests", ["Cron"]),
  tests("FilterExpressionTests", ["FilterExpression", "Codec"]),
  tests("HCLTests", ["HCL", "HCLOracleProtocol", "serai-hcldec"]),
  tests("JobspecTests", ["Jobspec", "HCL", "HCLSchema", "Codec", "Model"]),
  tests("TemplateEngineTests", ["TemplateEngine", "TemplateOracleProtocol"]),
  tests("SchedulerTests", ["Scheduler", "State", "Model", "Codec"]),
  tests(
    "ServerTests",
    ["Server", "Replica", "Raft", "Linux", "Log", "HCL", "Jobspec", "Model", "Codec", "State", "Transport"]),
  tests("APITests", ["API", "Server", "Client", "Linux", "Log", "HTTP", "Model", "Codec", "State", "Transport"]),
  tests("AgentTests", ["Agent", "HCL", "HCLSchema", "Linux", "Log", "Model", "Codec", "Server"]),
]

let package = Package(
  name: "serai",
  products: [
    .executable(name: "serai", targets: ["serai"]),
    .executable(name: "serai-supervisor", targets: ["serai-supervisor"]),
  ],
  targets: shims + modules + executables + testPrograms + testTargets
)
