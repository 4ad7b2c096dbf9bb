/// Every command of this module.
enum CommandRegistry {
  static let commands: [Command] = [
    jobRun, jobPlan, jobValidate, jobInspect, jobStop, jobInit, jobEval, jobStatus, jobWhy, jobAllocs, jobDeployments,
    jobHistory, jobRevert, jobPromote, jobDispatch, jobPeriodicForce, jobScale, jobScalingEvents, jobTagApply,
    jobTagUnset, jobRestart, scalingPolicyList, scalingPolicyInfo,
    allocStatus, allocLogs, allocFS, allocStop, allocRestart, allocSignal, allocExec,
    nodeStatus, nodeEligibility, nodeDrain, nodeMetaRead, nodeMetaApply,
    nodePoolList, nodePoolInfo, nodePoolNodes, nodePoolJobs, nodePoolApply, nodePoolDelete,
    evalStatus, evalList, evalDelete, variableList, variableGet, variableInit, variablePut, variablePurge, variableLock,
    systemReconcileSummaries,
    deploymentList, deploymentStatus, deploymentFail, deploymentPause, deploymentResume, deploymentPromote,
    deploymentUnblock,
    namespaceList, namespaceStatus, namespaceApply, namespaceDelete,
    serverMembers, serverJoin, serverForceLeave, agentInfo, systemGC, operatorSchedulerGetConfig,
    operatorSchedulerSetConfig,
    operatorRaftListPeers, operatorRaftRemovePeer, operatorRaftTransferLeadership,
    operatorRaftRecover, operatorSnapshotSave, operatorSnapshotRestore, operatorSnapshotInspect, operatorSnapshotState,
    operatorSnapshotAgent,
    operatorAutopilotGetConfig, operatorAutopilotSetConfig, operatorAutopilotHealth,
    gossipKeyringGenerate, gossipKeyringList, gossipKeyringInstall, gossipKeyringUse, gossipKeyringRemove,
    tlsCACreate, tlsCAInfo, tlsCertCreate, tlsCertInfo,
    status, version, completion,
  ]
}
