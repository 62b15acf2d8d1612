/*
 * told FIFO: writes "MILLISECONDS PID" of the monotonic clock to FIFO when it is up, and once more from its handler of
 * SIGTERM. It ends a second later, so that its reader does not lose the second line.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int fifo = -1;

static void stamp(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char line[64];
  const long long milliseconds = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  const int length =
      snprintf(line, sizeof line, "%lld.%06ld %d\n", milliseconds, now.tv_nsec % 1000000, (int)getpid());
  if (write(fifo, line, (size_t)length) != length) {
    _exit(1);
  }
}

static void end(int signal) {
  (void)signal;
  stamp();
  sleep(1);
  _exit(0);
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  fifo = argc > 1 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;
  if (fifo < 0) {
    return 1;
  }
  signal(SIGTERM, end);
  stamp();
  for (;;) {
    pause();
  }
}
