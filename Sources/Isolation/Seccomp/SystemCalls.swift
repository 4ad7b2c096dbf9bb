/// The lists behind the standard filter. One that is on neither list gets ENOSYS.
enum SystemCalls {
  /// CLONE_NEW* without CLONE_NEWTIME, which shares its bit with the exit signal: NEWCGROUP, NEWUTS, NEWIPC, NEWUSER,
  /// NEWPID, NEWNET, NEWNS.
  static let namespaceFlags: UInt64 = 0x7e02_0000

  /// What programs need, by topic.
  static let allowed: [String] =
    files + descriptors + memory + processes + signals + time + network + events + ids + ipc + information

  private static let files = words(
    """
    access chdir chmod chown chown32 close_range creat faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat
    fchown fchown32 fchownat fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatfs fstatfs64 ftruncate
    futimesat getcwd getdents getdents64 getxattr lchown lgetxattr link linkat listxattr llistxattr lremovexattr
    lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 readahead readlink readlinkat removexattr
    rename renameat renameat2 rmdir setxattr stat statfs statx symlink symlinkat sync sync_file_range syncfs truncate
    umask unlink unlinkat utime utimensat utimes chroot
    """)
  private static let descriptors = words(
    """
    close copy_file_range dup dup2 dup3 fcntl fdatasync fsync io_cancel io_destroy io_getevents io_pgetevents io_setup
    io_submit ioctl lseek memfd_create pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv sendfile
    splice tee write writev
    """)
  private static let memory = words(
    """
    brk get_mempolicy madvise membarrier mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall
    munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages set_mempolicy
    """)
  private static let processes = words(
    """
    arch_prctl capget capset execve execveat exit exit_group fork futex futex_waitv get_robust_list get_thread_area
    getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid ioprio_get ioprio_set kcmp
    landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64 rseq
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
    set_robust_list set_thread_area set_tid_address setpgid setpriority setrlimit setsid vfork wait4 waitid ptrace
    process_vm_readv process_vm_writev
    """)
  private static let signals = words(
    """
    alarm kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4 tgkill tkill
    """)
  private static let time = words(
    """
    adjtimex clock_adjtime clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
    timerfd_settime times
    """)
  private static let network = words(
    """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg
    sendto setsockopt shutdown socketpair
    """)
  private static let events = words(
    """
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll pselect6 select
    """)
  private static let ids = words(
    """
    getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups setregid setresgid
    setresuid setreuid setuid
    """)
  private static let ipc = words(
    """
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget
    semop semtimedop shmat shmctl shmdt shmget
    """)
  private static let information = words("getrandom sysinfo uname ustat")

  /// What 32-bit programs need besides.
  static let allowedIn32Bit = words(
    """
    _llseek _newselect clock_getres_time64 clock_gettime64 clock_nanosleep_time64 fcntl64 fstatat64 ftruncate64
    futex_time64 getegid32 geteuid32 getgid32 getgroups32 getresgid32 getresuid32 getuid32 io_pgetevents_time64
    lstat64 mmap2 mq_timedreceive_time64 mq_timedsend_time64 nice ppoll_time64 pselect6_time64 recvmmsg_time64
    rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 sendfile64 set_thread_area setfsgid32
    setfsuid32 setgid32 setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 sigaction signal sigpending
    sigprocmask sigreturn sigsuspend stat64 statfs64 timer_gettime64 timer_settime64 timerfd_gettime64
    timerfd_settime64 truncate64 ugetrlimit utimensat_time64 waitpid
    """)

  /// Known and refused: EPERM says more than "this kernel has no such call".
  static let refused = words(
    """
    acct add_key bpf create_module delete_module fanotify_init fanotify_mark finit_module fsconfig fsmount fsopen fspick
    get_kernel_syms init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load kexec_load
    keyctl lookup_dcookie mbind memfd_secret migrate_pages modify_ldt mount mount_setattr move_mount move_pages
    name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise
    query_module quotactl quotactl_fd reboot request_key setdomainname sethostname setns settimeofday clock_settime
    stime swapoff swapon sysfs _sysctl syslog umount umount2 unshare uselib userfaultfd vhangup vmsplice
    """)

  /// Newer than libseccomp 2.5's tables; numbers from 424 up are the same on every processor.
  static let newerAllowed: [(name: String, number: Int32)] = [
    ("cachestat", 451), ("fchmodat2", 452), ("map_shadow_stack", 453), ("futex_wake", 454), ("futex_wait", 455),
    ("futex_requeue", 456), ("mseal", 462), ("setxattrat", 463), ("getxattrat", 464), ("listxattrat", 465),
    ("removexattrat", 466),
  ]

  private static func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
}
