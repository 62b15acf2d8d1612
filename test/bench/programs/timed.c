/*
 * timed pipe|terminal COMMAND ARGUMENT...: runs a command with a pipe, or a terminal of 200 by 50, as its output. Reads
 * and drops the output. Prints the milliseconds from the fork to the end of the command, and its wait status.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* Opens a pseudo terminal: ends[0] is read, ends[1] is the terminal. */
static int open_terminal(int ends[2]) {
  const struct winsize size = {.ws_row = 50, .ws_col = 200};
  ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ends[0] < 0 || grantpt(ends[0]) != 0 || unlockpt(ends[0]) != 0) {
    return -1;
  }
  ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
  return ends[1] < 0 ? -1 : ioctl(ends[1], TIOCSWINSZ, &size);
}

int main(int argc, char **argv) {
  int ends[2];
  if (argc < 3) {
    return 2;
  }
  const int is_terminal = strcmp(argv[1], "terminal") == 0;
  if ((is_terminal ? open_terminal(ends) : pipe2(ends, O_CLOEXEC)) != 0) {
    perror(argv[1]);
    return 1;
  }
  const double began = now_ms();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  close(ends[1]);
  char bytes[65536];
  /* The end of a terminal is EIO. */
  while (read(ends[0], bytes, sizeof bytes) > 0) {
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    perror("waitpid");
    return 1;
  }
  printf("%.3f %d\n", now_ms() - began, status);
  return 0;
}
