/// Answers of an agent, with the fields that the command line shows; names and shapes are those of Nomad's API documentation.
enum Canned {
  static let evaluation = "0302ca06-1111-4111-8111-000000000001"
  static let allocation = "ef92c6bb-fcd4-54a5-4253-536e33f0d2a1"
  static let node = "09592e86-2222-4222-8222-000000000002"
  static let deployment = "f7b6bd26-3333-4333-8333-000000000003"

  /// 2026-07-23T12:22:08Z, 13m17s before the tests' now.
  static let created = "1784809328000000000"

  static let jobStub = """
    {"ID": "hello", "Name": "hello", "Namespace": "default", "Type": "service", "Priority": 50, "Status": "running",
     "SubmitTime": \(created)}
    """
  static let jobs = "[\(jobStub)]"

  static let job = """
    {"ID": "hello", "Name": "hello", "Namespace": "default", "NodePool": "default", "Type": "service", "Priority": 50,
     "Status": "running", "SubmitTime": \(created), "Datacenters": ["dc1"], "Version": 27,
     "TaskGroups": [{"Name": "example", "Count": 1, "Tasks": [{"Name": "server", "Driver": "exec"}]}]}
    """

  static let summary = """
    {"JobID": "hello", "Summary": {"example": {"Queued": 0, "Starting": 0, "Running": 1, "Failed": 1, "Complete": 13}}}
    """

  static func deployment(_ status: String) -> String {
    """
    {"ID": "\(deployment)", "Namespace": "default", "JobID": "hello", "JobVersion": 27, "Status": "\(status)",
     "StatusDescription": "Deployment completed successfully",
     "TaskGroups": {"example": {"DesiredTotal": 1, "PlacedAllocs": 1, "HealthyAllocs": 1, "UnhealthyAllocs": 0,
       "RequireProgressBy": "2026-07-23T12:32:22Z"}}}
    """
  }

  static let allocationStub = """
    {"ID": "\(allocation)", "EvalID": "\(evaluation)", "Name": "hello.example[0]", "Namespace": "default",
     "NodeID": "\(node)", "NodeName": "client1", "JobID": "hello", "JobVersion": 27, "TaskGroup": "example",
     "DesiredStatus": "run", "ClientStatus": "running", "CreateIndex": 10, "CreateTime": \(created),
     "ModifyTime": 1784809346000000000}
    """

  static let wholeAllocation = """
    {"ID": "\(allocation)", "EvalID": "\(evaluation)", "Name": "hello.example[0]", "Namespace": "default",
     "NodeID": "\(node)", "NodeName": "client1", "JobID": "hello", "Job": \(job), "TaskGroup": "example",
     "DesiredStatus": "run", "ClientStatus": "running", "ClientDescription": "Tasks are running", "CreateIndex": 10,
     "CreateTime": \(created), "ModifyTime": 1784809346000000000, "DeploymentID": "\(deployment)",
     "DeploymentStatus": {"Healthy": true},
     "AllocatedResources": {
       "Tasks": {"server": {"Cpu": {"CpuShares": 100}, "Memory": {"MemoryMB": 128}}},
       "Shared": {"DiskMB": 300, "Ports": [{"Label": "http", "Value": 5678, "To": 0, "HostIP": "172.30.200.189"}],
         "Networks": [{"Mode": "host", "DynamicPorts": [{"Label": "http", "Value": 5678}]}]}},
     "TaskStates": {"server": {"State": "running", "Failed": false, "Restarts": 0, "StartedAt": "2026-07-23T12:22:12Z",
       "Events": [
         {"Type": "Received", "Time": \(created), "DisplayMessage": "Task received by client"},
         {"Type": "Started", "Time": 1784809332000000000, "DisplayMessage": "Task started by client"}]}}}
    """

  static let usage = """
    {"Tasks": {"server": {"ResourceUsage": {"MemoryStats": {"RSS": 806912}, "CpuStats": {"TotalTicks": 2.4}}}}}
    """

  static func evaluation(_ status: String, failed: String = "null", deployment: String = "") -> String {
    """
    {"ID": "\(evaluation)", "Namespace": "default", "JobID": "hello", "Status": "\(status)", "TriggeredBy": "job-register",
     "Type": "service", "Priority": 50, "DeploymentID": "\(deployment)", "FailedTGAllocs": \(failed)}
    """
  }

  static let registered = #"{"EvalID": "\#(evaluation)", "JobModifyIndex": 7, "EvalCreateIndex": 7}"#

  static let jobspec = """
    variable "message" { default = "hello" }
    job "hello" {
      group "example" {
        task "server" {
          driver = "exec"
          config {
            command = "/bin/echo"
            args    = [var.message]
          }
        }
      }
    }
    """
}
