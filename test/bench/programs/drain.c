/*
 * drain LINES FEEDER|- COMMAND ARGUMENT...: runs the command with its standard output in a pipe and reads until LINES
 * lines have come. With a feeder, `FEEDER LINES` runs too, and its output is the command's standard input. Prints one
 * line of JSON: what came, the time from the first byte to the last, and the processor time of the command meanwhile.
 * Fails after a minute with what came until then.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1024 * 1024, PATIENCE_SECONDS = 60 };

static volatile sig_atomic_t is_late;

/* Again and again, since one signal could come just before the read that it is to end. */
static void note_alarm(int signal) {
  (void)signal;
  is_late = 1;
  alarm(1);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* User and system time of all threads of a process, without its children. */
static double cpu_ms(pid_t pid) {
  char path[64];
  char text[1024] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  const char *after_name = length > 0 ? strrchr(text, ')') : NULL;
  unsigned long user = 0;
  unsigned long system = 0;
  const char *const format = " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
  if (after_name == NULL || sscanf(after_name + 1, format, &user, &system) != 2) {
    return -1;
  }
  return (double)(user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static pid_t run(char **command, int in, int out) {
  const pid_t pid = fork();
  if (pid != 0) {
    return pid;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(out, STDOUT_FILENO) < 0) {
    _exit(126);
  }
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 4) {
    return 2;
  }
  const long long wanted = atoll(argv[1]);
  int feed[2] = {-1, -1};
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0 || (strcmp(argv[2], "-") != 0 && pipe2(feed, O_CLOEXEC) != 0)) {
    return 1;
  }
  const pid_t command = run(argv + 3, feed[0], output[1]);
  pid_t feeder = -1;
  if (feed[1] >= 0) {
    char *feeding[] = {argv[2], argv[1], NULL};
    feeder = run(feeding, -1, feed[1]);
    close(feed[0]);
    close(feed[1]);
  }
  close(output[1]);
  /* Without SA_RESTART: it ends a read that waits. */
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = note_alarm}, NULL);
  alarm(PATIENCE_SECONDS);

  static char buffer[READ_BYTES];
  long long lines = 0;
  long long bytes = 0;
  double first_ms = 0;
  double first_cpu_ms = 0;
  while (lines < wanted && !is_late) {
    const ssize_t count = read(output[0], buffer, sizeof buffer);
    if (count <= 0) {
      break;
    }
    if (bytes == 0) {
      first_ms = now_ms();
      first_cpu_ms = cpu_ms(command);
    }
    bytes += count;
    uint32_t newlines = 0;
    for (ssize_t i = 0; i < count; ++i) {
      newlines += buffer[i] == '\n';
    }
    lines += newlines;
  }
  const double last_ms = now_ms();
  const double last_cpu_ms = cpu_ms(command);
  printf("{\"lines\": %lld, \"bytes\": %lld, ", lines, bytes);
  printf("\"wallMs\": %.3f, \"cpuMs\": %.0f}\n", last_ms - first_ms, last_cpu_ms - first_cpu_ms);
  kill(command, SIGKILL);
  waitpid(command, NULL, 0);
  if (feeder > 0) {
    kill(feeder, SIGKILL);
    waitpid(feeder, NULL, 0);
  }
  return lines == wanted ? 0 : 1;
}
