/// Every command of this module.
enum CommandRegistry {
  static let commands: [Command] = [
    jobRun, jobPlan, jobValidate, jobInspect, jobStop, jobInit, jobEval, jobStatus, jobWhy, jobAllocs, jobDeployments,
    jobHistory,
    jobRevert, jobPromote,
    allocStatus, allocLogs, allocFS, allocStop, allocRestart, allocSignal, allocExec,
    nodeStatus, nodeEligibility, nodePoolList, nodePoolInfo, nodePoolNodes, nodePoolJobs, nodePoolApply, nodePoolDelete,
    evalStatus, evalList,
    deploymentList, deploymentStatus, deploymentFail, deploymentPause, deploymentResume, deploymentPromote,
    namespaceList, namespaceStatus, namespaceApply, namespaceDelete,
    serverMembers, agentInfo, systemGC, operatorSchedulerGetConfig, operatorSchedulerSetConfig,
    status, version, completion,
  ]
}
