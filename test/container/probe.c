/*
 * A static program for roots that have nothing else: it says who it is, waits, leaves an orphan, or ends with a code.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t code;

static void end(int number) {
  (void)number;
  _exit(code);
}

int main(int argc, char **argv) {
  const char *task = argc > 1 ? argv[1] : "";
  const char *argument = argc > 2 ? argv[2] : "0";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(task, "say") == 0) {
    printf("%s: uid %d gid %d\n", argument, (int)getuid(), (int)getgid());
    return 0;
  }
  if (strcmp(task, "variable") == 0) {
    const char *value = getenv(argument);
    printf("%s is %s\n", argument, value == NULL ? "not set" : value);
    return 0;
  }
  if (strcmp(task, "exit") == 0) {
    return atoi(argument);
  }
  if (strcmp(task, "orphan") == 0) {
    if (fork() == 0) {
      usleep(100 * 1000);
      _exit(0);
    }
    printf("left an orphan\n");
    return 0;
  }
  code = atoi(argument);
  signal(SIGTERM, end);
  printf("waits\n");
  for (;;) {
    pause();
  }
}
