import Codec
import HTTP
import Linux
import Testing

/// Driver `java`, with a jar that comes as an artifact.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct JavaJobTests {
  /// The class below, compiled by javac 25 with --release 11 -g:none -proc:none:
  ///
  ///     public class Main {
  ///         public static void main(String[] args) throws Exception {
  ///             System.out.println("args " + String.join("|", args));
  ///             System.out.println("max " + Runtime.getRuntime().maxMemory());
  ///             System.out.println("cpus " + Runtime.getRuntime().availableProcessors());
  ///             System.out.println("user " + System.getProperty("user.name") + " home " + System.getenv("JAVA_HOME"));
  ///             if (args.length > 0 && args[0].equals("eat")) {
  ///                 java.util.ArrayList<byte[]> all = new java.util.ArrayList<>();
  ///                 while (true) {
  ///                     byte[] more = new byte[1 << 20];
  ///                     java.util.Arrays.fill(more, (byte) 1);
  ///                     all.add(more);
  ///                 }
  ///             }
  ///             if (args.length > 0 && args[0].equals("exit")) System.exit(Integer.parseInt(args[1]));
  ///         }
  ///     }
  private static let mainClass = [
    "yv66vgAAADcAfAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEAEGph",
    "dmEvbGFuZy9TeXN0ZW0BAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsIAA4BAAF8CgAQABEHABIMABMAFAEAEGphdmEvbGFu",
    "Zy9TdHJpbmcBAARqb2luAQBFKExqYXZhL2xhbmcvQ2hhclNlcXVlbmNlO1tMamF2YS9sYW5nL0NoYXJTZXF1ZW5jZTspTGphdmEv",
    "bGFuZy9TdHJpbmc7EgAAABYMABcAGAEAF21ha2VDb25jYXRXaXRoQ29uc3RhbnRzAQAmKExqYXZhL2xhbmcvU3RyaW5nOylMamF2",
    "YS9sYW5nL1N0cmluZzsKABoAGwcAHAwAHQAeAQATamF2YS9pby9QcmludFN0cmVhbQEAB3ByaW50bG4BABUoTGphdmEvbGFuZy9T",
    "dHJpbmc7KVYKACAAIQcAIgwAIwAkAQARamF2YS9sYW5nL1J1bnRpbWUBAApnZXRSdW50aW1lAQAVKClMamF2YS9sYW5nL1J1bnRp",
    "bWU7CgAgACYMACcAKAEACW1heE1lbW9yeQEAAygpShIAAQAqDAAXACsBABUoSilMamF2YS9sYW5nL1N0cmluZzsKACAALQwALgAv",
    "AQATYXZhaWxhYmxlUHJvY2Vzc29ycwEAAygpSRIAAgAxDAAXADIBABUoSSlMamF2YS9sYW5nL1N0cmluZzsIADQBAAl1c2VyLm5h",
    "bWUKAAgANgwANwAYAQALZ2V0UHJvcGVydHkIADkBAAlKQVZBX0hPTUUKAAgAOwwAPAAYAQAGZ2V0ZW52EgADAD4MABcAPwEAOChM",
    "amF2YS9sYW5nL1N0cmluZztMamF2YS9sYW5nL1N0cmluZzspTGphdmEvbGFuZy9TdHJpbmc7CABBAQADZWF0CgAQAEMMAEQARQEA",
    "BmVxdWFscwEAFShMamF2YS9sYW5nL09iamVjdDspWgcARwEAE2phdmEvdXRpbC9BcnJheUxpc3QKAEYAAwMAEAAACgBLAEwHAE0M",
    "AE4ATwEAEGphdmEvdXRpbC9BcnJheXMBAARmaWxsAQAGKFtCQilWCgBGAFEMAFIARQEAA2FkZAgAVAEABGV4aXQKAFYAVwcAWAwA",
    "WQBaAQARamF2YS9sYW5nL0ludGVnZXIBAAhwYXJzZUludAEAFShMamF2YS9sYW5nL1N0cmluZzspSQoACABcDABUAF0BAAQoSSlW",
    "BwBfAQAETWFpbgEABENvZGUBAARtYWluAQAWKFtMamF2YS9sYW5nL1N0cmluZzspVgEADVN0YWNrTWFwVGFibGUBAApFeGNlcHRp",
    "b25zBwBmAQATamF2YS9sYW5nL0V4Y2VwdGlvbgEAEEJvb3RzdHJhcE1ldGhvZHMIAGkBAAZhcmdzIAEIAGsBAAVtYXggAQgAbQEA",
    "BmNwdXMgAQgAbwEADXVzZXIgASBob21lIAEPBgBxCgByAHMHAHQMABcAdQEAJGphdmEvbGFuZy9pbnZva2UvU3RyaW5nQ29uY2F0",
    "RmFjdG9yeQEAmChMamF2YS9sYW5nL2ludm9rZS9NZXRob2RIYW5kbGVzJExvb2t1cDtMamF2YS9sYW5nL1N0cmluZztMamF2YS9s",
    "YW5nL2ludm9rZS9NZXRob2RUeXBlO0xqYXZhL2xhbmcvU3RyaW5nO1tMamF2YS9sYW5nL09iamVjdDspTGphdmEvbGFuZy9pbnZv",
    "a2UvQ2FsbFNpdGU7AQAMSW5uZXJDbGFzc2VzBwB4AQAlamF2YS9sYW5nL2ludm9rZS9NZXRob2RIYW5kbGVzJExvb2t1cAcAegEA",
    "HmphdmEvbGFuZy9pbnZva2UvTWV0aG9kSGFuZGxlcwEABkxvb2t1cAAhAF4AAgAAAAAAAgABAAUABgABAGAAAAARAAEAAQAAAAUq",
    "twABsQAAAAAACQBhAGIAAgBgAAAAqwADAAMAAACNsgAHEg0quAAPugAVAAC2ABmyAAe4AB+2ACW6ACkAALYAGbIAB7gAH7YALLoA",
    "MAAAtgAZsgAHEjO4ADUSOLgAOroAPQAAtgAZKr6eACkqAzISQLYAQpkAHrsARlm3AEhMEkm8CE0sBLgASisstgBQV6f/8Cq+ngAX",
    "KgMyElO2AEKZAAwqBDK4AFW4AFuxAAAAAQBjAAAADAAD/ABgBwBG+gASGABkAAAABAABAGUAAgBnAAAAGgAEAHAAAQBoAHAAAQBq",
    "AHAAAQBsAHAAAQBuAHYAAAAKAAEAdwB5AHsAGQ==",
  ].joined()

  private func job(_ name: String, _ config: String, server: FileServer, memory: Int = 256) -> String {
    """
    job "\(name)" {
      type = "batch"
      group "g" {
        restart {
          attempts = 0
        }
        reschedule {
          attempts  = 0
          unlimited = false
        }
        task "app" {
          driver = "java"
          artifact {
            source      = "\(server.address)/app.jar"
            destination = "local/"
          }
          config {
            \(config)
          }
          resources {
            cpu    = 200
            memory = \(memory)
          }
        }
      }
    }

    """
  }

  /// The class in a jar: a zip that python writes.
  static func jar(_ scratch: Scratch) async throws -> [UInt8] {
    let script = """
      import base64, sys, zipfile
      jar = zipfile.ZipFile("app.jar", "w", zipfile.ZIP_DEFLATED)
      jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\\r\\nMain-Class: Main\\r\\n\\r\\n")
      jar.writestr("Main.class", base64.b64decode(sys.argv[1]))
      jar.close()
      """
    let made = try await scratch.run("/usr/bin/python3", ["-c", script, Self.mainClass])
    try #require(made.code == 0, "\(made)")
    return try Files.read("\(scratch.folder)/app.jar")
  }

  @Test func jarsAndClassesRunWithinTheTasksMemory() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, ["/app.jar": try await Self.jar(scratch)])
      let agent = try await Agent.development(scratch)
      let attributes = try await eventually("the node is known") {
        try await agent.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue
      }
      let node = try await agent.get("/v1/node/\(attributes)")
      let version = try #require(node["Attributes"]?["driver.java.version"]?.stringValue)
      try #require(node["Attributes"]?["driver.java.vm"]?.stringValue?.contains("VM") == true)

      try await agent.submit(
        "jar",
        job(
          "jar",
          """
          jar_path    = "local/app.jar"
          jvm_options = ["-Xss512k"]
          args        = ["one", "two words"]
          """, server: server))
      let jar = try await agent.allocation(of: "jar", being: "complete")
      let log = try await agent.log(jar, "app")
      let lines = log.split(separator: "\n").map(String.init)
      try #require(lines.first == "args one|two words", "\(log)")
      let heap = try #require(lines.dropFirst().first.flatMap { Int($0.dropFirst(4)) })
      try #require(heap > 100 << 20 && heap < 256 << 20, "the heap fits into the task's memory: \(heap)")
      try #require(lines.contains { $0.hasPrefix("user nobody home /") })
      try #require(jar.task.messages("Downloading Artifacts").count == 1)

      // By class, on the version that is there; the job's own heap wins.
      try await agent.submit(
        "class",
        job(
          "class",
          """
          class        = "Main"
          class_path   = "local/app.jar"
          jvm_options  = ["-Xmx64m"]
          java_version = "\(version.prefix { $0 != "." })"
          args         = ["exit", "3"]
          """, server: server))
      let failed = try await agent.allocation(of: "class", being: "failed")
      try #require(failed.task.messages("Terminated") == ["Exit Code: 3"], "\(failed.task.messages)")
      let maximum = try await agent.log(failed, "app").split(separator: "\n")[1].dropFirst(4)
      try #require((Int(maximum) ?? 0) <= 64 << 20)
    }
  }

  @Test func moreThanTheTasksMemoryIsAnOOMKill() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, ["/app.jar": try await Self.jar(scratch)])
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "eat",
        job(
          "eat",
          """
          jar_path    = "local/app.jar"
          jvm_options = ["-Xmx1g"]
          args        = ["eat"]
          """, server: server, memory: 128))
      let eaten = try await agent.allocation(of: "eat", being: "failed")
      let message = try #require(eaten.task.messages("Terminated").first)
      try #require(message.contains("OOM Killed") && message.contains("128 MiB"), "\(message)")
    }
  }

  @Test func mistakesAreNamed() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, ["/app.jar": [0]])
      let agent = try await Agent.development(scratch)
      for (name, config, words) in [
        ("both", "class = \"Main\"\njar_path = \"x\"", "give either class or jar_path"),
        ("version", "jar_path = \"x\"\njava_version = \"1234\"", "needs Java 1234"),
      ] {
        try await agent.submit(name, job(name, config, server: server))
        let failed = try await agent.allocation(of: name, being: "failed")
        try #require(failed.task.messages.contains { $0.contains(words) }, "\(failed.task.messages)")
      }
    }
  }
}
