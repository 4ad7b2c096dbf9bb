#define _GNU_SOURCE
#include "serai_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Two single-producer single-consumer rings: jobs to the thread, results back. A job sits in one of them or in the
// thread's hand, and submit refuses when SLOTS are unfinished, so the rings cannot overflow.
struct ring {
  _Atomic uint32_t head, tail;
  struct serai_writer_job slots[SERAI_WRITER_SLOTS];
};
static struct ring todo, done;
static uint32_t unfinished;
static int wake_thread = -1, wake_loop = -1;

static int push(struct ring *ring, const struct serai_writer_job *job) {
  uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  ring->slots[tail % SERAI_WRITER_SLOTS] = *job;
  atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
  return 0;
}
static int pop(struct ring *ring, struct serai_writer_job *job) {
  uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
  if (head == atomic_load_explicit(&ring->tail, memory_order_acquire)) return 0;
  *job = ring->slots[head % SERAI_WRITER_SLOTS];
  atomic_store_explicit(&ring->head, head + 1, memory_order_release);
  return 1;
}
static void ring_bell(int fd) {
  uint64_t one = 1;
  ssize_t ignored = write(fd, &one, sizeof one);
  (void)ignored;
}

// Moves what is in the pipe, and what the task writes meanwhile, up to job->count: a task that writes without a pause then
// costs a turn of the event loop for every job and not for every pipe full. splice moves pages without copying; a file system that cannot take
// them (EINVAL) gets a copy through a small buffer.
static int32_t move(const struct serai_writer_job *job) {
  int64_t offset = job->offset;
  if (job->file < 0) {
    char discard[16384];
    ssize_t r = read(job->pipe, discard, sizeof discard);
    return r < 0 ? -errno : (int32_t)r;
  }
  ssize_t r;
  uint32_t moved = 0;
  do {
    r = splice(job->pipe, NULL, job->file, &offset, job->count - moved, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (r > 0) moved += (uint32_t)r;
  } while ((r > 0 && moved < job->count) || (r < 0 && errno == EINTR));
  // What stopped it shows again at the next job's beginning.
  if (moved > 0) return (int32_t)moved;
  if (r >= 0 || errno != EINVAL) return r < 0 ? -errno : (int32_t)r;
  char copy[16384];
  size_t want = job->count < sizeof copy ? job->count : sizeof copy;
  do r = read(job->pipe, copy, want);
  while (r < 0 && errno == EINTR);
  if (r <= 0) return r < 0 ? -errno : 0;
  for (ssize_t written = 0; written < r;) {
    ssize_t w = pwrite(job->file, copy + written, (size_t)(r - written), job->offset + written);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return written > 0 ? (int32_t)written : -errno;
    written += w;
  }
  return (int32_t)r;
}

static void *writer_main(void *ignored) {
  (void)ignored;
  for (;;) {
    struct serai_writer_job job;
    while (pop(&todo, &job)) {
      job.result = move(&job);
      push(&done, &job);
      ring_bell(wake_loop);
    }
    uint64_t count;
    if (read(wake_thread, &count, sizeof count) < 0 && errno != EINTR) return NULL;
  }
}

int serai_writer_start(void) {
  if (wake_loop >= 0) return -EALREADY;
  wake_thread = eventfd(0, EFD_CLOEXEC);
  if (wake_thread < 0) return -errno;
  wake_loop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_loop < 0) {
    int error = errno;
    close(wake_thread);
    return -error;
  }
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  // Signals belong to the event loop's signalfd: the new thread starts with all of them blocked.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int r = pthread_create(&thread, &attributes, writer_main, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return r ? -r : wake_loop;
}

int serai_writer_submit(const struct serai_writer_job *job) {
  if (unfinished >= SERAI_WRITER_SLOTS) return -EAGAIN;
  unfinished++;
  push(&todo, job);
  ring_bell(wake_thread);
  return 0;
}

int serai_writer_take(struct serai_writer_job *job) {
  if (!pop(&done, job)) return 0;
  unfinished--;
  return 1;
}
