// A shared library that is loaded when the first of its functions is called, without a change for the callers: for
// libraries that few runs of the program need and that would cost every run their loading (libarchive brings libxml2 and
// ICU). Included by one C file of a target, which defines LAZY_LIBRARY, LAZY_PACKAGE and LAZY_FUNCTIONS(DO) before and does
// not include the library's own headers, because it gives each function a body of another type:
//
//     call → jump through the function's slot → the library
//                  └ at first: keep the arguments, load the library and fill all slots, jump again
//
// A function that is used and not listed is an error when the program is linked. x86-64, System V calling convention.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LAZY_HIDDEN __attribute__((visibility("hidden")))

// All registers that can hold arguments: seven pushes leave the stack aligned for a call.
#define LAZY_KEEP                                                                                                     \
  "push %rdi\npush %rsi\npush %rdx\npush %rcx\npush %r8\npush %r9\npush %rax\nsub $128, %rsp\n"                       \
  "movups %xmm0, (%rsp)\nmovups %xmm1, 16(%rsp)\nmovups %xmm2, 32(%rsp)\nmovups %xmm3, 48(%rsp)\n"                    \
  "movups %xmm4, 64(%rsp)\nmovups %xmm5, 80(%rsp)\nmovups %xmm6, 96(%rsp)\nmovups %xmm7, 112(%rsp)\n"
#define LAZY_RESTORE                                                                                                  \
  "movups (%rsp), %xmm0\nmovups 16(%rsp), %xmm1\nmovups 32(%rsp), %xmm2\nmovups 48(%rsp), %xmm3\n"                    \
  "movups 64(%rsp), %xmm4\nmovups 80(%rsp), %xmm5\nmovups 96(%rsp), %xmm6\nmovups 112(%rsp), %xmm7\n"                 \
  "add $128, %rsp\npop %rax\npop %r9\npop %r8\npop %rcx\npop %rdx\npop %rsi\npop %rdi\n"

// The names of the assembler are the whole program's: the function's name, which is there once, is in them.
#define LAZY_FUNCTION(name)                                                                                           \
  LAZY_HIDDEN void name(void);                                                                                        \
  LAZY_HIDDEN void lazy_first_##name(void);                                                                           \
  LAZY_HIDDEN void *lazy_slot_##name = (void *)lazy_first_##name;                                                     \
  __attribute__((naked)) void name(void) { __asm__("jmp *lazy_slot_" #name "(%rip)"); }                               \
  __attribute__((naked)) void lazy_first_##name(void) {                                                               \
    __asm__(LAZY_KEEP "call " LAZY_LOADER "\n" LAZY_RESTORE "jmp *lazy_slot_" #name "(%rip)");                        \
  }

#define LAZY_FIND(name)                                                                                               \
  if (!(lazy_slot_##name = dlsym(library, #name))) {                                                                  \
    fprintf(stderr, "serai: " LAZY_LIBRARY " has no " #name ": install a newer " LAZY_PACKAGE "\n");                  \
    abort();                                                                                                          \
  }

static pthread_once_t lazy_once = PTHREAD_ONCE_INIT;
static void *lazy_handle;
LAZY_FUNCTIONS(LAZY_FUNCTION)

static void lazy_load_once(void) {
  // A program that was linked to it would not have started without it.
  void *library = dlopen(LAZY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "serai: %s: install the package " LAZY_PACKAGE "\n", dlerror());
    abort();
  }
  LAZY_FUNCTIONS(LAZY_FIND)
  lazy_handle = library;
}
