/// Every command of this module.
enum CommandRegistry {
  static let commands: [Command] = [
    jobRun, jobPlan, jobValidate, jobInspect, jobStop, jobInit, jobEval, jobStatus, jobAllocs, jobDeployments,
    jobHistory,
    jobRevert, jobPromote,
    allocStatus, allocLogs, allocFS, allocStop, allocRestart, allocSignal,
    nodeStatus, nodeEligibility, nodePoolList, nodePoolInfo, nodePoolNodes, nodePoolJobs, nodePoolApply, nodePoolDelete,
    evalStatus, evalList,
    deploymentList, deploymentStatus, deploymentFail, deploymentPause, deploymentResume, deploymentPromote,
    namespaceList, namespaceStatus, namespaceApply, namespaceDelete,
    serverMembers, serverJoin, serverForceLeave, agentInfo, systemGC, operatorSchedulerGetConfig,
    operatorSchedulerSetConfig,
    gossipKeyringGenerate, gossipKeyringList, gossipKeyringInstall, gossipKeyringUse, gossipKeyringRemove,
    tlsCACreate, tlsCAInfo, tlsCertCreate, tlsCertInfo,
    status, version, completion,
  ]
}
