/*
 * stamp FIFO [COMMAND ARGUMENT...]: writes "MILLISECONDS PID" of the monotonic clock to FIFO, then executes the
 * command. Without one it waits for a signal and keeps FIFO open, so that its reader sees when all of them are gone. It
 * dies with its parent: a bench that is interrupted leaves nothing behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc < 2) {
    return 2;
  }
  const int fifo = open(argv[1], O_WRONLY | O_CLOEXEC);
  if (fifo < 0) {
    perror(argv[1]);
    return 1;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char line[64];
  const long long milliseconds = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  const long rest = now.tv_nsec % 1000000;
  const int length = snprintf(line, sizeof line, "%lld.%06ld %d\n", milliseconds, rest, (int)getpid());
  if (write(fifo, line, (size_t)length) != length) {
    return 1;
  }
  if (argc > 2) {
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
  }
  for (;;) {
    pause();
  }
}
