// Process identity calls that Glibc's Swift overlay lacks.
#pragma once
#include <sys/types.h>

/// gettid(2): declared by glibc only under _GNU_SOURCE, which Swift's importer does not set.
pid_t serai_gettid(void);
