/*
 * flood LINES: writes that many lines of 95 bytes as fast as its standard output takes them, then waits for a signal.
 * The writes are large and end within a line, as those of a program with a buffer do.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LINE_BYTES = 95, LINES_A_PERIOD = 2048, WRITE_BYTES = 64 * 1024 };

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const long long total = (argc > 1 ? atoll(argv[1]) : 0) * LINE_BYTES;
  const long long period = (long long)LINE_BYTES * LINES_A_PERIOD;
  static char text[LINE_BYTES * LINES_A_PERIOD + WRITE_BYTES];
  memset(text, 'x', sizeof text);
  for (size_t at = LINE_BYTES - 1; at < sizeof text; at += LINE_BYTES) {
    text[at] = '\n';
  }
  for (long long sent = 0; sent < total;) {
    const long long rest = total - sent;
    const size_t size = rest < WRITE_BYTES ? (size_t)rest : (size_t)WRITE_BYTES;
    const ssize_t count = write(STDOUT_FILENO, text + sent % period, size);
    if (count < 0) {
      return 1;
    }
    sent += count;
  }
  for (;;) {
    pause();
  }
}
