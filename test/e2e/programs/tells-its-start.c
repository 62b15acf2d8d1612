/* tells-its-start: first writes "started NANOSECONDS PID" (monotonic clock), then waits for a signal. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char line[64];
  const long long now_ns = (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
  const int length = snprintf(line, sizeof line, "started %lld %d\n", now_ns, (int)getpid());
  if (write(STDOUT_FILENO, line, (size_t)length) != length) {
    return 1;
  }
  for (;;) {
    pause();
  }
}
