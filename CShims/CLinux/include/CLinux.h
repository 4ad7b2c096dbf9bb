// What Swift's Glibc module does not show: variadic calls, macros, and system calls without a libc wrapper.
// Every function returns its result or -errno; none prints, keeps state or exits.
#pragma once
#include "serai_process.h"
