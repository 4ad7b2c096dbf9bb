// The in-task init: PID 1 of a task's pid namespace. It starts the task, hands signals on to it, reaps orphans, leaves
// the task's wait status in a file that outlives every supervisor, and ends with the task's status.
//
// It is freestanding: no libc, no static data, no call out of its section, so that serai_init_image can wrap the bytes
// between the section's bounds into an ELF file. Everything it needs comes on the stack: argv is
// { "serai-init", path, argv of the task… }; descriptors 3 and 4 are described in the header.
#include "serai_init.h"

#include <asm/unistd.h>
#include <elf.h>
#include <errno.h>

#define HERE \
  __attribute__((section("serai_init"), used, noinline, no_stack_protector, no_sanitize("all"), \
                 no_profile_instrument_function, no_instrument_function))
#define INLINE static inline __attribute__((always_inline, no_stack_protector))

#if defined(__x86_64__)
__asm__(
  ".pushsection serai_init,\"ax\",@progbits\n"
  ".globl serai_init_entry\n.hidden serai_init_entry\n.type serai_init_entry,@function\n"
  "serai_init_entry:\n"
  "  xor %ebp, %ebp\n"
  "  mov %rsp, %rdi\n"
  "  and $-16, %rsp\n"
  "  call serai_init_main\n"
  "  ud2\n"
  ".popsection\n");

INLINE long call6(long n, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}
#define MACHINE EM_X86_64
#else
#error "the in-task init needs its entry point and system call sequence for this processor"
#endif

#define SIG_SETMASK_ 2
#define SIGCHLD_ 17
#define SIGKILL_ 9
#define WNOHANG_ 1
#define F_SETFD_ 2
#define PR_SET_DUMPABLE_ 4
#define PR_SET_NAME_ 15

struct report {
  unsigned char kind, step;
  unsigned short reserved;
  int error;
  char object[256];
};

__attribute__((visibility("hidden"))) HERE _Noreturn void serai_init_main(long *stack) {
  long count = stack[0];
  char **argv = (char **)(stack + 1);
  char **envp = argv + count + 1;
  unsigned long all = ~0ul, none = 0;

  // Blocked signals queue up even for PID 1, which otherwise never sees one it has no handler for.
  call6(__NR_rt_sigprocmask, SIG_SETMASK_, (long)&all, 0, 8, 0);
  // The task has our user id: without this it could read our descriptors through /proc/1/fd and trace us.
  call6(__NR_prctl, PR_SET_DUMPABLE_, 0, 0, 0, 0);
  // "serai-init" as numbers: a string would be data outside the section.
  volatile unsigned long name[2];
  name[0] = 0x6e692d6961726573ul;
  name[1] = 0x7469ul;
  call6(__NR_prctl, PR_SET_NAME_, (long)name, 0, 0, 0);
  call6(__NR_fcntl, SERAI_INIT_STATUS_FD, F_SETFD_, 1, 0, 0);
  call6(__NR_fcntl, SERAI_INIT_REPORT_FD, F_SETFD_, 1, 0, 0);

  long child = call6(__NR_clone, SIGCHLD_, 0, 0, 0, 0);
  if (child == 0) {
    call6(__NR_setsid, 0, 0, 0, 0, 0);
    call6(__NR_rt_sigprocmask, SIG_SETMASK_, (long)&none, 0, 8, 0);
    long error = call6(__NR_execve, (long)argv[1], (long)(argv + 2), (long)envp, 0, 0);
    struct report report;
    report.kind = 0;
    report.step = SERAI_INIT_STEP_EXECUTE;
    report.reserved = 0;
    report.error = (int)-error;
    long length = 0;
    for (; length < 255 && argv[1][length]; length++) ((volatile char *)report.object)[length] = argv[1][length];
    call6(__NR_write, SERAI_INIT_REPORT_FD, (long)&report, 8 + length, 0, 0);
    call6(__NR_exit_group, 127, 0, 0, 0, 0);
  }
  if (child < 0) {
    struct report report;
    report.kind = 0;
    report.step = SERAI_INIT_STEP_EXECUTE;
    report.reserved = 0;
    report.error = (int)-child;
    call6(__NR_write, SERAI_INIT_REPORT_FD, (long)&report, 8, 0, 0);
    call6(__NR_exit_group, 127, 0, 0, 0, 0);
  }
  // 1 and 2 stay open: while we live the log pipes have a reader, so a task never gets SIGPIPE from a restart of the
  // supervisor.
  call6(__NR_close, SERAI_INIT_REPORT_FD, 0, 0, 0, 0);
  call6(__NR_close, 0, 0, 0, 0, 0);

  for (;;) {
    long signal = call6(__NR_rt_sigtimedwait, (long)&all, 0, 0, 8, 0);
    if (signal < 0) continue;
    if (signal != SIGCHLD_) {
      call6(__NR_kill, child, signal, 0, 0, 0);
      continue;
    }
    for (;;) {
      int status = 0;
      long pid = call6(__NR_wait4, -1, (long)&status, WNOHANG_, 0, 0);
      if (pid <= 0) break;
      if (pid != child) continue;
      int record[2];
      ((volatile int *)record)[0] = SERAI_INIT_MAGIC;
      ((volatile int *)record)[1] = status;
      call6(__NR_pwrite64, SERAI_INIT_STATUS_FD, (long)record, 8, 0, 0);
      int ended = status & 0x7f;
      call6(__NR_exit_group, ended ? 128 + ended : (status >> 8) & 0xff, 0, 0, 0, 0);
    }
  }
}

extern const uint8_t __start_serai_init[], __stop_serai_init[];
extern const uint8_t serai_init_entry[];

// Not memcpy: this file is compiled without assuming that a libc is there.
static void copy(uint8_t *to, const void *from, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = ((const uint8_t *)from)[i];
}

ssize_t serai_init_image(uint8_t *buffer, size_t capacity) {
  const uint64_t base = 0x10000;
  size_t code = (size_t)(__stop_serai_init - __start_serai_init);
  size_t header = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  size_t start = (header + 15) & ~(size_t)15, total = start + code;
  if (total > capacity) return -ENOSPC;
  for (size_t i = 0; i < start; i++) buffer[i] = 0;
  Elf64_Ehdr file = {
    .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
    .e_type = ET_EXEC,
    .e_machine = MACHINE,
    .e_version = EV_CURRENT,
    .e_entry = base + start + (uint64_t)(serai_init_entry - __start_serai_init),
    .e_phoff = sizeof(Elf64_Ehdr),
    .e_ehsize = sizeof(Elf64_Ehdr),
    .e_phentsize = sizeof(Elf64_Phdr),
    .e_phnum = 2,
  };
  Elf64_Phdr segments[2] = {
    {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base, .p_paddr = base, .p_filesz = total, .p_memsz = total,
     .p_align = 0x1000},
    {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16},
  };
  copy(buffer, &file, sizeof file);
  copy(buffer + sizeof file, segments, sizeof segments);
  copy(buffer + start, __start_serai_init, code);
  return (ssize_t)total;
}
