/*
 * A static program for roots that have nothing else: it says who it is and what it has, waits, leaves an orphan, or
 * ends with a code.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
  if (strcmp(task, "terminal") == 0) {
    const int has = isatty(0) && isatty(1) && isatty(2);
    printf("terminal: %s, foreground: %s\n", has ? "yes" : "no", tcgetpgrp(0) == getpgrp() ? "yes" : "no");
    return atoi(argument);
  }
  if (strcmp(task, "filter") == 0) {
    printf("seccomp mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    return 0;
  }
  if (strcmp(task, "orphan") == 0) {
    const pid_t orphan = fork();
    if (orphan == 0) {
      usleep(100 * 1000);
      _exit(0);
    }
    printf("left an orphan with pid %d\n", (int)orphan);
    return 0;
  }
  if (strcmp(task, "collected") == 0) {
    /* A process that has ended and was not collected still has its pid. */
    for (int tries = 0; tries < 1000; ++tries) {
      if (kill(atoi(argument), 0) != 0 && errno == ESRCH) {
        printf("collected\n");
        return 0;
      }
      usleep(10 * 1000);
    }
    return 1;
  }
  code = atoi(argument);
  signal(SIGTERM, end);
  printf("waits\n");
  for (;;) {
    pause();
  }
}
