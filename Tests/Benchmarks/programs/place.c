// place NODES COUNT: the least that placing COUNT equal instances of a new job costs: one pass that scores every node, and
// after each placement the new score of the node that took it and a scan for the best. Columns, no checks, no ports, no
// plan, no state. Prints the median of several rounds in nanoseconds.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

// The published score: 20 - 10^free_cpu - 10^free_memory, and the share of instances already there taken off.
static float score(float cpu, float cpu_used, float memory, float memory_used, int own, int count) {
  if (cpu_used + 100 > cpu || memory_used + 128 > memory) return -1e9f;
  float free_cpu = 1 - (cpu_used + 100) / cpu, free_memory = 1 - (memory_used + 128) / memory;
  float fit = 20 - exp2f(3.3219281f * free_cpu) - exp2f(3.3219281f * free_memory);
  return own ? (fit / 18 - (float)(own + 1) / (float)count) / 2 : fit / 18;
}

int main(int arguments, char **argument) {
  if (arguments < 3) return 2;
  int nodes = atoi(argument[1]), count = atoi(argument[2]), rounds = count > 1 ? 15 : 200;
  float *cpu = malloc(sizeof(float) * nodes), *memory = malloc(sizeof(float) * nodes);
  float *cpu_used = malloc(sizeof(float) * nodes), *memory_used = malloc(sizeof(float) * nodes);
  float *scores = malloc(sizeof(float) * nodes);
  int *own = malloc(sizeof(int) * nodes);
  long long times[200], check = 0;
  for (int i = 0; i < nodes; i++) cpu[i] = 16000 + 4000 * (i % 5), memory[i] = 32768 + 8192 * (i % 5);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < nodes; i++) cpu_used[i] = memory_used[i] = 0, own[i] = 0;
    long long began = now();
    for (int i = 0; i < nodes; i++) scores[i] = score(cpu[i], cpu_used[i], memory[i], memory_used[i], own[i], count);
    for (int placed = 0; placed < count; placed++) {
      int best = 0;
      for (int i = 1; i < nodes; i++) best = scores[i] > scores[best] ? i : best;
      cpu_used[best] += 100, memory_used[best] += 128, own[best]++;
      scores[best] = score(cpu[best], cpu_used[best], memory[best], memory_used[best], own[best], count);
      check += best;
    }
    times[round] = now() - began;
  }
  qsort(times, rounds, sizeof *times, ascending);
  fprintf(stderr, check < 0 ? "?" : "");
  printf("%lld\n", times[rounds / 2]);
  return 0;
}
