// Processes: clone3, pidfds, credentials, limits and the other calls that Swift's importer or libc does not offer.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// gettid(2): declared by glibc only under _GNU_SOURCE, which Swift's importer does not set.
pid_t serai_gettid(void);

/// The name ("ENOENT") and description of an errno value; NULL when glibc knows none.
const char *_Nullable serai_errno_name(int code);
const char *_Nullable serai_errno_text(int code);

/// clone3(2) without CLONE_VM: the child gets a copy of the address space and of the calling thread only, and returns 0.
/// The caller's process must not have another thread that can hold a lock the child needs (malloc's above all).
/// `pidfd` receives the child's descriptor in the parent. `cgroup` >= 0 asks CLONE_INTO_CGROUP (v2, Linux 5.7).
/// exit_signal is SIGCHLD.
int serai_clone(uint64_t namespaces, int cgroup, int *_Nonnull pidfd);
/// clone3(2) with CLONE_PARENT: the new process is a child of the caller's parent and, after setns to a pid namespace,
/// lies in that one. Otherwise as serai_clone.
int serai_clone_sibling(int *_Nonnull pidfd);
/// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).
int serai_pidfd_open(pid_t pid);
int serai_pidfd_signal(int pidfd, int signal);
/// waitid(2) with P_PIDFD, WEXITED | WNOHANG: 1 and the wait(2)-style status when it was reaped, 0 while it runs.
int serai_pidfd_wait(int pidfd, int *_Nonnull status);
/// ioctl PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15): 1 and the wait status of a process that is no child of ours
/// and has been reaped, 0 when it has not exited yet.
int serai_pidfd_exit_status(int pidfd, int *_Nonnull status);
/// waitpid(2) with WNOHANG for any child: pid, 0 when none has exited. Used where no pidfd is held.
pid_t serai_wait_any(int *_Nonnull status);
/// kill(2).
int serai_kill(pid_t pid, int signal);

/// setsid(2), setns(2), unshare(2), sethostname(2), chroot(2).
int serai_setsid(void);
int serai_setns(int fd, int type);
int serai_unshare(uint64_t flags);
int serai_sethostname(const char *_Nonnull name, size_t length);
int serai_chroot(const char *_Nonnull path);

/// A new user namespace, held by a child that shares the caller's memory and runs on a stack of its own until it is
/// killed. Returns the child's pid. Needs CAP_SETUID and CAP_SETGID.
pid_t serai_user_namespace_hold(void *_Nullable *_Nonnull stack);
/// Maps the ids 0 .. count-1 of the namespace that `helper` holds to the caller's from `first` on, and opens it. `proc` is
/// a procfs in which the helper has that number.
int serai_user_namespace_map(int proc, pid_t helper, uint32_t first, uint32_t count);
/// Waits for the end of a helper that was killed, and frees its stack.
void serai_user_namespace_reap(pid_t helper, void *_Nullable stack);
/// setfsuid(2) and setfsgid(2) of this thread; -EPERM when they did not take.
int serai_setfsids(uint32_t uid, uint32_t gid);
/// PR_SET_SECUREBITS.
int serai_secure_bits(unsigned long bits);
/// SIOCSIFFLAGS: IFF_UP on "lo" of the calling thread's network namespace.
int serai_loopback_up(void);

/// landlock_create_ruleset(2) asking for the version: the ABI, or -ENOSYS, -EOPNOTSUPP.
int serai_landlock_abi(void);
/// landlock_create_ruleset(2). `scoped` is ignored by kernels before ABI 6 only when it is 0.
int serai_landlock_create(uint64_t file_access, uint64_t scoped);
/// landlock_add_rule(2) with LANDLOCK_RULE_PATH_BENEATH for the object open at `fd`.
int serai_landlock_allow(int ruleset, int fd, uint64_t access);
/// landlock_restrict_self(2).
int serai_landlock_restrict(int ruleset);

/// bpf(2): loads a BPF_PROG_TYPE_CGROUP_DEVICE program of `count` 8-byte instructions; a descriptor.
int serai_bpf_load_device(const void *_Nonnull instructions, uint32_t count);
/// bpf(2): BPF_PROG_ATTACH to the cgroup v2 directory `cgroup` with BPF_F_ALLOW_MULTI; with `replaced` >= 0 in place of
/// that program.
int serai_bpf_attach_device(int cgroup, int program, int replaced);

/// setgroups(2), setresgid(2), setresuid(2) of this thread (raw calls: the caller has one thread).
int serai_setgroups(size_t count, const uint32_t *_Nullable groups);
int serai_setresgid(uint32_t gid);
int serai_setresuid(uint32_t uid);

/// capget(2)/capset(2) with version 3: bit n is capability n.
int serai_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int serai_capget(uint64_t *_Nonnull effective, uint64_t *_Nonnull permitted, uint64_t *_Nonnull inheritable);
/// prctl(2): PR_CAPBSET_DROP, PR_CAP_AMBIENT_CLEAR_ALL / RAISE, PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE, PR_SET_NAME,
/// PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_SET_SECUREBITS.
int serai_bounding_drop(int capability);
int serai_ambient_clear(void);
int serai_ambient_raise(int capability);
int serai_no_new_privileges(void);
int serai_set_dumpable(int on);
int serai_set_name(const char *_Nonnull name);
int serai_keep_capabilities(int on);
int serai_child_subreaper(int on);

/// prlimit(2) of this process; RLIM_INFINITY is UINT64_MAX.
int serai_setrlimit(int resource, uint64_t soft, uint64_t hard);
int serai_getrlimit(int resource, uint64_t *_Nonnull soft, uint64_t *_Nonnull hard);

/// seccomp(2) SECCOMP_SET_MODE_FILTER with `count` instructions of struct sock_filter (8 bytes each). `log` asks
/// SECCOMP_FILTER_FLAG_LOG: what is not allowed goes to the kernel's audit log (kernel.seccomp.actions_logged).
int serai_seccomp(const void *_Nonnull instructions, uint16_t count, int log);

/// rt_sigprocmask(2): blocks exactly the signals given (bit n-1 is signal n); sets every disposition to default.
int serai_block_signals(uint64_t mask);
void serai_reset_dispositions(void);
/// SIG_IGN and SIG_DFL for SIGPIPE.
void serai_ignore_sigpipe(void);
void serai_default_sigpipe(void);

/// execveat(2) (dirfd with AT_EMPTY_PATH when path is empty) and execve(2): return only on failure.
int serai_execveat(int dirfd, const char *_Nonnull path, char *_Nullable const *_Nonnull argv,
                   char *_Nullable const *_Nonnull envp, int flags);
/// _exit(2).
_Noreturn void serai_exit(int code);

/// Starts a program without copying the caller's address space (posix_spawn(3) with vfork semantics): safe from a
/// process with threads. `streams[0..2]` become 0–2 (-1: /dev/null); `extra[i]` becomes descriptor 3 + i. A new session
/// is begun when `session`. Every signal is unblocked and set to default. Returns the pid or -errno.
int serai_spawn(const char *_Nonnull path, char *_Nullable const *_Nonnull argv, char *_Nullable const *_Nonnull envp,
                const int streams[_Nonnull 3], const int *_Nullable extra, int extra_count, int session);

/// Starts a detached thread with a stack of `stack_bytes`; `body` runs once with `context`.
int serai_thread(size_t stack_bytes, void *_Nullable context, void (*_Nonnull body)(void *_Nullable context));
/// The calling thread's name, as ps and top show it; at most 15 bytes are kept.
void serai_name_thread(const char *_Nonnull name);

/// A counting semaphore of this process, 0 at first (sem_overview(7)). Creating one aborts when there is no memory, as
/// every allocation of a Swift program does.
struct serai_semaphore;
struct serai_semaphore *_Nonnull serai_semaphore_create(void);
void serai_semaphore_destroy(struct serai_semaphore *_Nonnull semaphore);
void serai_semaphore_post(struct serai_semaphore *_Nonnull semaphore);
void serai_semaphore_wait(struct serai_semaphore *_Nonnull semaphore);
/// Waits no longer than until CLOCK_MONOTONIC shows `nanoseconds`; 0 when there was nothing to take by then.
int serai_semaphore_wait_until(struct serai_semaphore *_Nonnull semaphore, int64_t nanoseconds);
