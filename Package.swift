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
  library("CSeccomp", "libseccomp"),
  library("CCap", "libcap"),
  library("CNetlink", "libnl-route-3.0"),
  library("CSQLite", "sqlite3"),
  library("CMicrohttpd", "libmicrohttpd"),
  library("CCurl", "libcurl"),
  library("CGnuTLS", "gnutls"),
  library("CArchive", "libarchive"),
]

let modules: [Target] = [
  module("Linux", ["CLinux"]),
  module("Log", ["Linux"]),
  module("Isolation", ["Linux", "CSeccomp", "CCap"]),
  module("Codec"),
  module("RegularExpression"),
  module("HCL", ["RegularExpression"]),
  module("TemplateEngine"),
  module("Model", ["Codec"]),
  module("Supervisor", ["Linux", "Isolation", "Codec"]),
  module("Jobspec", ["HCL", "Model", "Codec"]),
  module("State", ["Model", "Codec"]),
  module("Scheduler", ["Model", "State"]),
  module("Transport", ["Linux", "Codec"]),
  module("Storage", ["Linux", "Codec", "CSQLite"]),
  module("HTTP", ["Linux", "Codec", "CMicrohttpd", "CCurl"]),
  module("Server", ["Linux", "Log", "Codec", "Model", "State", "Scheduler", "Storage", "Transport", "Jobspec"]),
  module("Drivers", ["Linux", "Isolation", "Supervisor", "Codec", "Model"]),
  module("Client", ["Linux", "Log", "Codec", "Model", "Isolation", "Supervisor", "Drivers", "Storage", "Transport"]),
  module("API", ["Log", "Codec", "Model", "Jobspec", "HTTP", "Transport", "Server", "Client", "State", "Scheduler"]),
  module("Agent", ["Linux", "Log", "Codec", "HCL", "Model", "HTTP", "Transport", "Storage", "Server", "Client", "API"]),
  module("CommandLine", ["Linux", "Codec", "Model", "HCL", "Jobspec", "HTTP", "TemplateEngine"]),
]

let executables: [Target] = [
  .executableTarget(name: "serai", dependencies: ["Agent", "CommandLine"], swiftSettings: strict),
  .executableTarget(name: "serai-supervisor", dependencies: ["Supervisor"], swiftSettings: strict),
]

/// Programs that tests drive; nothing of them is installed.
let testPrograms: [Target] = [
  .target(name: "HCLOracleProtocol", dependencies: ["HCL"], path: "Tests/HCLOracleProtocol", swiftSettings: strict),
  .executableTarget(name: "serai-hcl", dependencies: ["HCLOracleProtocol"], path: "Tests/serai-hcl", swiftSettings: strict),
  .executableTarget(name: "serai-hcldec", dependencies: ["HCL"], path: "Tests/serai-hcldec", swiftSettings: strict),
]

let testTargets: [Target] = [
  tests("LayoutTests", []),
  tests("LinuxTests", ["Linux"]),
  tests("CodecTests", ["Codec"]),
  tests("RegularExpressionTests", ["RegularExpression"]),
  tests("HCLTests", ["HCL", "HCLOracleProtocol", "serai-hcldec"]),
]

let package = Package(
  name: "serai",
  products: [
    .executable(name: "serai", targets: ["serai"]),
    .executable(name: "serai-supervisor", targets: ["serai-supervisor"]),
  ],
  targets: shims + modules + executables + testPrograms + testTargets
)
