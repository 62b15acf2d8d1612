/*
 * flood LINES BYTES TAG [GATE]: writes that many lines of BYTES bytes as fast as its standard output takes them, then
 * waits for a signal. A line has its number in the period, TAG and the text of a web server's log (line_text in
 * ../lines.ts makes the same). The writes are large and end within a line, as those of a program with a buffer do.
 * With GATE, `drain` decides when it begins: flood writes a byte to the FIFO GATE-ready when it is up, and one to
 * GATE-done after its last line, and begins when GATE-go can be opened.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LINES_A_PERIOD = 2048, PERIOD_BYTES = 256 * 1024, WRITE_BYTES = 64 * 1024 };

static const char TEXT[] = "127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] \"GET /index.html HTTP/1.1\" 200 2326 ";

static int open_gate(const char *gate, const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s-%s", gate, name);
  return open(path, flags | O_CLOEXEC);
}

static void report(const char *gate, const char *name) {
  const int fifo = open_gate(gate, name, O_WRONLY);
  if (fifo < 0 || write(fifo, "!", 1) != 1) {
    perror(gate);
    _exit(1);
  }
  close(fifo);
}

/* Writes one line: the head, the text repeated, and a newline. */
static void fill(char *line, size_t bytes, const char *tag, int number) {
  char head[64];
  const size_t length = (size_t)snprintf(head, sizeof head, "%04d %s ", number, tag);
  for (size_t i = 0; i < bytes - 1; ++i) {
    line[i] = i < length ? head[i] : TEXT[(i - length) % (sizeof TEXT - 1)];
  }
  line[bytes - 1] = '\n';
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 4) {
    return 2;
  }
  const size_t bytes = (size_t)atoll(argv[2]);
  const char *const gate = argc > 4 ? argv[4] : NULL;
  const size_t most = PERIOD_BYTES / bytes;
  const size_t lines = most < LINES_A_PERIOD ? most : (size_t)LINES_A_PERIOD;
  const size_t period = lines * bytes;
  const size_t total = (size_t)atoll(argv[1]) * bytes;
  char *const text = malloc(period + WRITE_BYTES);
  if (text == NULL || bytes < 2) {
    return 1;
  }
  for (size_t i = 0; i < lines; ++i) {
    fill(text + i * bytes, bytes, argv[3], (int)i);
  }
  for (size_t i = 0; i < WRITE_BYTES; ++i) {
    text[period + i] = text[i % period];
  }
  if (gate != NULL) {
    report(gate, "ready");
    if (open_gate(gate, "go", O_RDONLY) < 0) {
      return 1;
    }
  }
  for (size_t sent = 0; sent < total;) {
    const size_t rest = total - sent;
    const ssize_t count = write(STDOUT_FILENO, text + sent % period, rest < WRITE_BYTES ? rest : (size_t)WRITE_BYTES);
    if (count < 0) {
      return 1;
    }
    sent += (size_t)count;
  }
  if (gate != NULL) {
    report(gate, "done");
  }
  for (;;) {
    pause();
  }
}
