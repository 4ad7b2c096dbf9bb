#define _GNU_SOURCE
#include "serai_process.h"

#include <unistd.h>

pid_t serai_gettid(void) { return gettid(); }
