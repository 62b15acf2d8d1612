/*
 * stamp FIFO [COMMAND ARGUMENT...]: writes "MILLISECONDS PID" of the monotonic clock to FIFO, then executes the
 * command. Without one it waits for a signal and keeps FIFO open, so that its reader sees when all of them are gone. It
 * dies with its parent: a bench that is interrupted leaves nothing behind. Under the name `run`, which runit and s6
 * execute with arguments of their own, it takes none, and the FIFO is that of STAMP_FIFO.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  /* Before the FIFO, which may wait for a reader that is gone. The parent may be gone already. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == 1) {
    return 1;
  }
  const char *const slash = strrchr(argv[0], '/');
  const int is_run = strcmp(slash == NULL ? argv[0] : slash + 1, "run") == 0;
  const char *const path = is_run ? getenv("STAMP_FIFO") : argv[1];
  const int fifo = path == NULL ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (fifo < 0) {
    perror("stamp");
    return 1;
  }
  char line[64];
  const long long milliseconds = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  const long rest = now.tv_nsec % 1000000;
  const int length = snprintf(line, sizeof line, "%lld.%06ld %d\n", milliseconds, rest, (int)getpid());
  if (write(fifo, line, (size_t)length) != length) {
    return 1;
  }
  if (argc > 2 && !is_run) {
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
  }
  for (;;) {
    pause();
  }
}
