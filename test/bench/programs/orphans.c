/*
 * orphans COUNT FILE: makes COUNT processes that end as orphans, and waits until the init process has collected all of
 * them. Writes the milliseconds from the first fork to the last collection to FILE. It must run below the init process
 * of a PID namespace, alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 50 };

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Has children that end at once, and ends without collecting them. */
static void leave_orphans(volatile int count) {
  for (; count > 0; --count) {
    /* Cheaper than fork: the time is to be that of the collection. */
    const pid_t child = vfork();
    if (child == 0) {
      _exit(0);
    }
    if (child < 0) {
      _exit(1);
    }
  }
  _exit(0);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    return 2;
  }
  const double began = now_ms();
  for (int rest = atoi(argv[1]); rest > 0; rest -= BATCH) {
    const pid_t parent = fork();
    if (parent == 0) {
      leave_orphans(rest < BATCH ? rest : BATCH);
    }
    int status = 1;
    if (parent < 0 || waitpid(parent, &status, 0) != parent || status != 0) {
      fprintf(stderr, "orphans: cannot fork\n");
      return 1;
    }
  }
  /* Zombies count as processes, the init process and this one do not. */
  while (kill(-1, 0) == 0) {
    const struct timespec pause = {.tv_nsec = 200000};
    nanosleep(&pause, NULL);
  }
  if (errno != ESRCH) {
    perror("kill");
    return 1;
  }
  const double took = now_ms() - began;
  FILE *const file = fopen(argv[2], "w");
  if (file == NULL || fprintf(file, "%.3f\n", took) < 0 || fclose(file) != 0) {
    return 1;
  }
  return 0;
}
