// What Swift's Glibc module does not show: variadic calls, macros, and system calls without a libc wrapper.
//
// Contract of every function here unless its comment says otherwise: it returns its result (>= 0) or -errno, never
// touches errno for the caller, never prints, keeps no state, allocates nothing and never exits. EINTR is returned to
// the caller except where "retries" is said. Descriptors are created with CLOEXEC.
#pragma once
#include "serai_constants.h"
#include "serai_event.h"
#include "serai_file.h"
#include "serai_init.h"
#include "serai_memory.h"
#include "serai_mount.h"
#include "serai_process.h"
#include "serai_socket.h"
#include "serai_writer.h"
