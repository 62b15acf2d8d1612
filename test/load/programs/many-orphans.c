/*
 * many-orphans COUNT: creates COUNT processes whose parents exit before them, in batches, prints "left COUNT", then
 * waits for a signal. The orphans of a batch wait for the end of a pipe, so that they cost little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 50 };

/* Makes orphans, and ends before them. */
static void make_batch(int count, const int pipe_ends[2]) {
  close(pipe_ends[1]);
  for (int i = 0; i < count; i++) {
    const pid_t orphan = fork();
    if (orphan == 0) {
      char byte;
      _exit(read(pipe_ends[0], &byte, 1) != 0);
    }
    if (orphan < 0) {
      _exit(1);
    }
  }
  _exit(0);
}

int main(int argc, char **argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 1;
  for (int done = 0; done < count; done += BATCH) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) {
      return 1;
    }
    const pid_t parent = fork();
    if (parent == 0) {
      make_batch(count - done < BATCH ? count - done : BATCH, pipe_ends);
    }
    int status;
    if (parent < 0 || waitpid(parent, &status, 0) != parent || status != 0) {
      return 1;
    }
    close(pipe_ends[0]);
    close(pipe_ends[1]);
  }
  printf("left %d\n", count);
  fflush(stdout);
  for (;;) {
    pause();
  }
}
