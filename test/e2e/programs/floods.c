/*
 * floods GATE RECORDS: waits until the FIFO GATE has a writer, then writes the lines "PID NUMBER", counted from 1, as
 * fast as possible, forever. RECORDS/PID has, as a binary int64, the number of the last line that was certainly
 * written. Each write has whole lines and at most PIPE_BUF bytes. So it happens completely or not at all, even if the
 * program is killed.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LONGEST_LINE = 64 };

int main(int argc, char **argv) {
  if (argc != 3) {
    return 2;
  }
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%d", argv[2], (int)getpid());
  const int record = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (record < 0 || ftruncate(record, sizeof(int64_t)) != 0) {
    perror(path);
    return 1;
  }
  volatile int64_t *written = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, record, 0);
  if (written == MAP_FAILED || open(argv[1], O_RDONLY | O_CLOEXEC) < 0) {
    perror(argv[1]);
    return 1;
  }
  int64_t number = 0;
  char block[PIPE_BUF];
  for (;;) {
    size_t length = 0;
    while (length + LONGEST_LINE <= sizeof block) {
      number++;
      length += (size_t)snprintf(block + length, LONGEST_LINE, "%d %lld\n", (int)getpid(), (long long)number);
    }
    if (write(STDOUT_FILENO, block, length) != (ssize_t)length) {
      return 1;
    }
    *written = number;
  }
}
