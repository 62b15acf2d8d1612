/*
 * A look at how many threads this process may make (pids.max of a cgroup, RLIMIT_NPROC), before Node makes its own.
 * Node would abort, or wait for ever without a word.
 */
#include "threads.h"

#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

/* Those of Node before our first line, and one that it makes at its end. */
enum { NEEDED_THREADS = 3 };

/* As for a wrong configuration. */
enum { EXIT_CODE = 2 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return unused;
}

/* As NO_THREADS in src/startup/pool-threads.ts, for limits that are even lower. */
_Noreturn static void refuse(void) {
  static const char line[] =
      "cannot start: the limit of processes and threads is too low; allow 16 or more (docker run --pids-limit, "
      "pids.max of the cgroup, ulimit -u)\n";
  const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
  (void)written;
  _exit(EXIT_CODE);
}

void require_threads(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  pthread_t threads[NEEDED_THREADS];
  pthread_mutex_lock(&gate);
  for (int i = 0; i < NEEDED_THREADS; ++i) {
    if (pthread_create(&threads[i], &attributes, wait_at_gate, NULL) != 0) {
      refuse();
    }
  }
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < NEEDED_THREADS; ++i) {
    pthread_join(threads[i], NULL);
  }
  pthread_attr_destroy(&attributes);
}
