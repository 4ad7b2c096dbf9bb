import Testing

@testable import Client

@Suite struct EnvironmentTests {
  @Test func interpolationReplacesKnownNamesAndLeavesTheRest() {
    let interpolate = Interpolation(values: ["node.class": "big", "NOMAD_X": "${node.class}", "attr.os.name": "debian"])
    #expect(interpolate("a ${node.class} b") == "a big b")
    #expect(interpolate("${unknown} ${i} $x ${") == "${unknown} ${i} $x ${")
    #expect(interpolate("${${node.class}}") == "${big}")
    #expect(interpolate("${NOMAD_X}") == "${node.class}", "a value is not interpolated again")
    #expect(interpolate("${attr[\"os.name\"]} ${env[\"NOMAD_X\"]}") == "debian ${node.class}")
    #expect(interpolate("plain") == "plain")
  }

  private var input: TaskEnvironmentInput {
    var input = TaskEnvironmentInput()
    input.allocationID = "0123abcd-0000-4000-8000-000000000001"
    input.allocationName = "hello.example[3]"
    input.allocationIndex = 3
    input.taskName = "hello"
    input.groupName = "example"
    input.jobID = "hello"
    input.jobName = "hello"
    input.datacenter = "dc1"
    input.region = "global"
    input.namespace = "default"
    input.cpuMHz = 100
    input.memoryMB = 64
    input.base = ["PATH": "/bin"]
    return input
  }

  @Test func documentedVariables() {
    let variables = TaskEnvironment(input, node: [:]).variables
    let expected = [
      "NOMAD_ALLOC_DIR": "/alloc", "NOMAD_TASK_DIR": "/local", "NOMAD_SECRETS_DIR": "/secrets",
      "NOMAD_ALLOC_ID": "0123abcd-0000-4000-8000-000000000001", "NOMAD_SHORT_ALLOC_ID": "0123abcd",
      "NOMAD_ALLOC_NAME": "hello.example[3]", "NOMAD_ALLOC_INDEX": "3", "NOMAD_TASK_NAME": "hello",
      "NOMAD_GROUP_NAME": "example", "NOMAD_JOB_ID": "hello", "NOMAD_JOB_NAME": "hello", "NOMAD_DC": "dc1",
      "NOMAD_REGION": "global", "NOMAD_NAMESPACE": "default", "NOMAD_CPU_LIMIT": "100", "NOMAD_MEMORY_LIMIT": "64",
      "PATH": "/bin",
    ]
    #expect(variables == expected)
  }

  @Test func portsOfTheHostNetwork() {
    var input = input
    input.ports = [.init(label: "http-api", hostIP: "192.0.2.1", hostPort: 20001)]
    let variables = TaskEnvironment(input, node: [:]).variables
    for prefix in ["NOMAD_", "NOMAD_HOST_", "NOMAD_ALLOC_"] {
      #expect(variables[prefix + "IP_http_api"] == "192.0.2.1")
      #expect(variables[prefix + "PORT_http_api"] == "20001")
      #expect(variables[prefix + "ADDR_http_api"] == "192.0.2.1:20001")
    }
  }

  @Test func portsOfAnOwnNetworkAreToldFromTheHosts() {
    var input = input
    input.ports = [.init(label: "db", hostIP: "2001:db8::1", hostPort: 20001, to: 5432, allocationIP: "172.26.64.2")]
    let variables = TaskEnvironment(input, node: [:]).variables
    #expect(variables["NOMAD_PORT_db"] == "5432")
    #expect(variables["NOMAD_HOST_PORT_db"] == "20001")
    #expect(variables["NOMAD_ADDR_db"] == "[2001:db8::1]:20001")
    #expect(variables["NOMAD_ALLOC_ADDR_db"] == "172.26.64.2:5432")
  }

  @Test func metaIsGivenInBothCasesAndUserVariablesAreInterpolated() {
    var input = input
    input.meta = ["build-id": "${node.class}-7"]
    input.user = ["GREETING": "hello ${node.unique.name} ${NOMAD_META_build_id} ${HOME}", "1x": "y"]
    let variables = TaskEnvironment(input, node: ["node.class": "big", "node.unique.name": "n1"]).variables
    #expect(variables["NOMAD_META_build_id"] == "big-7")
    #expect(variables["NOMAD_META_BUILD_ID"] == "big-7")
    #expect(variables["GREETING"] == "hello n1 big-7 ${HOME}")
    #expect(variables["_x"] == "y")
  }

  @Test func theBlockIsSortedAndTheIndexIsRead() {
    #expect(TaskEnvironment(input, node: [:]).block.first == "NOMAD_ALLOC_DIR=/alloc")
    #expect(TaskEnvironment.index(ofAllocationNamed: "a.b[12]") == 12)
    #expect(TaskEnvironment.index(ofAllocationNamed: "odd") == 0)
  }
}
