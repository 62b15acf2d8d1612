/*
 * ask SOCKET COUNT FILE: sends the request in FILE to a Unix socket COUNT times, each over a connection of its own, and
 * reads every answer to its end without looking at it. Prints the milliseconds, the bytes of all answers, and how often
 * the first answer has "<name>statename</name>".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 16 * 1024 * 1024 };

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Reads an answer into `into`, and returns its length; -1 if it does not fit or fails. */
static ssize_t exchange(const struct sockaddr_un *address, const char *request, size_t length, char *into) {
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0 || connect(client, (const struct sockaddr *)address, sizeof *address) != 0 ||
      write(client, request, length) != (ssize_t)length) {
    return -1;
  }
  size_t sum = 0;
  ssize_t count = 0;
  while (sum < ANSWER_BYTES && (count = read(client, into + sum, ANSWER_BYTES - sum)) > 0) {
    sum += (size_t)count;
  }
  close(client);
  return count == 0 ? (ssize_t)sum : -1;
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  static char request[4096];
  char *const answer = malloc(ANSWER_BYTES);
  if (argc < 4 || answer == NULL || strlen(argv[1]) >= sizeof address.sun_path) {
    return 2;
  }
  strcpy(address.sun_path, argv[1]);
  const int file = open(argv[3], O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? -1 : read(file, request, sizeof request);
  if (length <= 0) {
    return 1;
  }
  static const char mark[] = "<name>statename</name>";
  long long bytes = 0;
  int seen = 0;
  double began = 0;
  /* The answer before the first one that counts is compared. */
  for (int round = -1; round < atoi(argv[2]); ++round) {
    const ssize_t came = exchange(&address, request, (size_t)length, answer);
    if (came <= 0) {
      perror(argv[1]);
      return 1;
    }
    if (round >= 0) {
      bytes += came;
      continue;
    }
    for (char *at = answer; (at = memmem(at, (size_t)(answer + came - at), mark, sizeof mark - 1)) != NULL; ++at) {
      ++seen;
    }
    began = now_ms();
  }
  printf("%.3f %lld %d\n", now_ms() - began, bytes, seen);
  return 0;
}
