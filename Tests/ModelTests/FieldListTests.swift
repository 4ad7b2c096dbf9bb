import Codec
import FoundationEssentials
import Model
import Testing

/// Every type of the model keeps the rules for field lists and survives each format.
struct FieldListTests {
  static let types: [any Record.Type] = [
    Action.self, Affinity.self, AgentHealth.self, AgentHealthResponse.self, AgentMember.self, AgentMembers.self,
    AgentSelf.self, AllocDeploymentStatus.self, AllocFileInfo.self, AllocMetric.self, AllocNetworkStatus.self,
    AllocResourceUsage.self, AllocState.self, AllocStopResponse.self, AllocatedCpuResources.self,
    AllocatedDeviceResource.self, AllocatedMemoryResources.self, AllocatedResources.self,
    AllocatedSharedResources.self, AllocatedTaskResources.self, Allocation.self, AllocationClientUpdate.self,
    AllocationDataRequest.self,
    AutopilotConfiguration.self, ServerHealth.self, OperatorHealth.self, RaftConfiguration.self,
    AllocationListStub.self, CNIConfig.self, CSIMountOptions.self, ChangeScript.self,
    CheckRestart.self,
    CheckResult.self, Constraint.self, Consul.self, ConsulConnect.self, ConsulExposeConfig.self,
    ConsulExposePath.self, ConsulGateway.self, ConsulGatewayBindAddress.self, ConsulGatewayProxy.self,
    ConsulGatewayTLSConfig.self, ConsulGatewayTLSSDSConfig.self, ConsulHTTPHeaderModifiers.self,
    ConsulIngressConfigEntry.self, ConsulIngressListener.self, ConsulIngressService.self,
    ConsulLinkedService.self, ConsulMeshConfigEntry.self, ConsulMeshGateway.self, ConsulProxy.self,
    ConsulSidecarService.self, ConsulTerminatingConfigEntry.self, ConsulTransparentProxy.self,
    ConsulUpstream.self, CpuStats.self, DNSConfig.self, Deployment.self, DeploymentAllocHealthRequest.self,
    DeploymentPauseRequest.self, DeploymentPromoteRequest.self, DeploymentState.self,
    DeploymentUpdateResponse.self, DesiredTransition.self, DesiredUpdates.self, DeviceAttribute.self,
    DisconnectStrategy.self, DispatchPayloadConfig.self, DrainMetadata.self, DrainSpec.self, DrainStrategy.self,
    DriverInfo.self, EphemeralDisk.self, EvalOptions.self, Evaluation.self, EvaluationStub.self, FieldDiff.self,
    ExecHandshake.self, ExecInput.self, ExecOutput.self, ExecResult.self, ExecStreamData.self, ExecTerminalSize.self,
    FuzzyMatch.self, FuzzySearchRequest.self, FuzzySearchResponse.self, GaugeValue.self, HostCPUStats.self,
    HostDiskStats.self, HostMemoryStats.self, HostNetworkInfo.self, HostStats.self, HostVolumeInfo.self,
    Job.self, JobChildrenSummary.self, JobDiff.self, JobDispatchRequest.self, JobDispatchResponse.self,
    JobEvaluateRequest.self, JobListStub.self, JobPlanRequest.self, JobPlanResponse.self,
    JobRegisterRequest.self, JobRegisterResponse.self, JobRevertRequest.self, JobScaleStatus.self,
    JobStabilityRequest.self, JobStabilityResponse.self, JobSubmission.self, JobSummary.self,
    JobTagRequest.self, JobTask.self, JobUI.self, JobUILink.self, JobValidateRequest.self,
    JobValidateResponse.self, JobVersionTag.self, JobVersionsResponse.self, JobsParseRequest.self,
    JoinResponse.self, KeyringRequest.self, KeyringResponse.self,
    LogConfig.self, MemoryStats.self, MetricsSummary.self, MigrateStrategy.self, Multiregion.self,
    MultiregionRegion.self, MultiregionStrategy.self, NUMAResource.self, Namespace.self,
    NamespaceCapabilities.self, NamespaceNodePoolConfiguration.self, NetworkResource.self, Node.self,
    NodeAllocationsMessage.self, NodeCpuResources.self, NodeDevice.self, NodeDeviceLocality.self,
    NodeDeviceResource.self, NodeDiskResources.self, NodeEmitEventsRequest.self, NodeEmitEventsResponse.self,
    NodeEvent.self, NodeHeartbeatResponse.self, NodeListStub.self, NodeMemoryResources.self, NodeMetadata.self,
    NodeMetadataRequest.self,
    NodeNetworkAddress.self, NodeNetworkResource.self, NodePool.self, NodePoolSchedulerConfiguration.self,
    NodeRegisterRequest.self, NodeReservedCpuResources.self, NodeReservedDiskResources.self,
    NodeProcessorResources.self, ProcessorTopology.self, ProcessorCore.self, JobWhyResponse.self, JobWhyGroup.self,
    JobWhyRelaxation.self, JobWhyRequirement.self, NodeReservedMemoryResources.self, NodeReservedNetworkResources.self,
    NodeReservedResources.self,
    NodeResources.self, NodeScoreMeta.self, NodeServerInfo.self, NodeUpdateAllocationsRequest.self,
    NodeUpdateAllocationsResponse.self, NodeUpdateDrainRequest.self, NodeUpdateEligibilityRequest.self,
    NodeUpdateResponse.self, NodeUpdateStatusRequest.self, NodeWatchAllocationsRequest.self, ObjectDiff.self,
    ParameterizedJobConfig.self, PeriodicConfig.self, PeriodicForceResponse.self, PlanAnnotations.self,
    PointValue.self, Port.self, PortMapping.self, PreemptionConfig.self, RequestedDevice.self,
    RescheduleEvent.self, ReschedulePolicy.self, RescheduleTracker.self, ResourceUsage.self, Resources.self,
    RestartPolicy.self, SampledValue.self, ScalingEvent.self, ScalingPolicy.self, ScalingPolicyListStub.self,
    ScalingRequest.self, SchedulerConfiguration.self, SchedulerConfigurationResponse.self,
    SchedulerSetConfigurationResponse.self, SearchRequest.self, SearchResponse.self, Service.self,
    ServiceCheck.self, ServiceRegistration.self, ServiceRegistrationListStub.self, ServiceRegistrationStub.self,
    ServiceWeights.self, SidecarTask.self, Spread.self, SpreadTarget.self, StreamFrame.self, TaskArtifact.self,
    TaskCSIPluginConfig.self, TaskDiff.self, TaskEvent.self, TaskGroup.self, TaskGroupDiff.self,
    TaskGroupScaleStatus.self, TaskGroupSummary.self, TaskLifecycle.self, TaskResourceUsage.self,
    TaskSchedule.self, TaskScheduleCron.self, TaskSecret.self, TaskState.self, Template.self,
    UpdateStrategy.self, Variable.self, VariableLock.self, VariableMetadata.self, Vault.self, VolumeMount.self,
    VolumeRequest.self,
    WaitConfig.self,
    WorkloadIdentity.self,
  ]

  @Test func theListAboveIsComplete() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Model")
    var names: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: sources.path) where file.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
      for line in text.split(separator: "\n") where line.hasPrefix("public struct ") && line.contains(": Record") {
        names.insert(String(line.dropFirst("public struct ".count).prefix { $0 != ":" }))
      }
    }
    #expect(names == Set(Self.types.map { String(describing: $0) }))
  }

  @Test func rules() {
    func check<R: Record>(_ type: R.Type) { #expect(FieldListCheck(type).problems == [], "\(type)") }
    for type in Self.types { check(type) }
  }

  @Test func formats() throws {
    func check<R: Record>(_ type: R.Type) throws {
      var value = R()
      var filler = Filler()
      value.visit(&filler)
      let json = JSON.encode(value)
      let read = try JSON.decode(type, from: json)
      #expect(JSON.encode(read) == json, "\(type)")
      let binary = Binary.encode(value)
      let back = try Binary.decode(type, from: binary)
      #expect(Binary.encode(back) == binary, "\(type)")
      if !filler.partial {
        #expect(read == value, "\(type)")
        #expect(back == value, "\(type)")
      }
      #expect(filler.count > 0 || type == ConsulMeshConfigEntry.self, "\(type)")
    }
    for type in Self.types { try check(type) }
  }
}

/// Gives every field a value that is not zero: the first of a few JSON texts that the field takes.
struct Filler: FieldVisitor {
  private static let texts = [
    "7", "true", #""text""#, #""0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3""#, #""2017-07-25T23:36:26.106431265Z""#,
    #""Zm9v""#, #"["a","b"]"#, "[7,8]", #"["0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3"]"#, #"{"k":7,"l":8}"#, #"{"k":true}"#,
    #"{"k":"a","l":"b"}"#, #"{"k":["a","b"]}"#, #"{"k":{"l":"m"}}"#, #"{"k":{}}"#, "[{},{}]", #"{"k":[{}]}"#, "{}",
  ]
  var count = 0
  /// Whether a field is not in every format, so that the whole can't come back equal.
  var partial = false

  mutating func field<T: FieldValue>(_ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions) {
    if options.contains(.jsonOnly) || options.contains(.binaryOnly) { partial = true }
    for text in Self.texts {
      guard let candidate = try? JSON.decode(T.self, from: text), candidate != T.zeroValue || text == "{}" else {
        continue
      }
      value = candidate
      count += 1
      return
    }
  }
}
