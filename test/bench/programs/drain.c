/*
 * drain MODE LINES PROGRAMS GATE FEEDER|- COMMAND ARGUMENT...: runs a relay, opens the gate for its PROGRAMS floods at
 * once (see flood.c), and measures from then on. MODE `lines` reads the relay's standard output until LINES lines have
 * come, `keep` also writes them to GATE-output, and `done` waits until all floods have written their last line, prints
 * "done", and waits for a line on its standard input. With a FEEDER (a shell command), its output is the relay's
 * standard input. Prints one line of JSON: what came, the time, and the processor time of the relay; with a feeder,
 * that of the relay's children too. Fails after two minutes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1024 * 1024, PATIENCE_SECONDS = 120, QUIET_MS = 200 };

static char buffer[READ_BYTES];

/* The default action would be enough, but the message says what was awaited. */
static void give_up(int signal) {
  (void)signal;
  static const char said[] = "drain: the lines did not come within two minutes\n";
  if (write(STDERR_FILENO, said, sizeof said - 1) < 0) {
    _exit(4);
  }
  _exit(3);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static ssize_t read_file(const char *path, char *text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  const ssize_t length = read(fd, text, size - 1);
  close(fd);
  text[length < 0 ? 0 : length] = '\0';
  return length;
}

/* Processor time of all threads of a process, without its children, to the nanosecond. */
static double process_ms(pid_t pid) {
  char path[300];
  char text[128];
  double sum = 0;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *const tasks = opendir(path);
  const struct dirent *task = NULL;
  while (tasks != NULL && (task = readdir(tasks)) != NULL) {
    double nanoseconds = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
    if (read_file(path, text, sizeof text) > 0 && sscanf(text, "%lf", &nanoseconds) == 1) {
      sum += nanoseconds / 1e6;
    }
  }
  if (tasks != NULL) {
    closedir(tasks);
  }
  return sum;
}

/* The same with all children, for a relay of several processes. */
static double relay_ms(pid_t pid, int with_children) {
  double sum = process_ms(pid);
  char path[96];
  char text[1024];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
  if (with_children && read_file(path, text, sizeof text) > 0) {
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
      sum += process_ms((pid_t)atoi(word));
    }
  }
  return sum;
}

static pid_t run(char **command, int in, int out) {
  const pid_t pid = fork();
  if (pid != 0) {
    return pid;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* A group of its own, so that the children of a relay end with it. */
  setpgid(0, 0);
  if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(out, STDOUT_FILENO) < 0) {
    _exit(126);
  }
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

static int open_gate(const char *gate, const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s-%s", gate, name);
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) {
    perror(path);
    _exit(1);
  }
  return fd;
}

/* Reads from both until `bytes` bytes came from the FIFO and the other has been quiet. Drops what it reads. */
static void await_bytes(int fifo, int output, long long bytes, int quiet_ms) {
  for (;;) {
    struct pollfd both[] = {{.fd = fifo, .events = POLLIN}, {.fd = output, .events = POLLIN}};
    const int count = poll(both, 2, bytes > 0 ? -1 : quiet_ms);
    if (count == 0) {
      return;
    }
    if (both[0].revents != 0) {
      const ssize_t came = read(fifo, buffer, sizeof buffer);
      bytes -= came > 0 ? came : 0;
      if (bytes <= 0 && quiet_ms == 0) {
        return;
      }
    }
    if (both[1].revents & POLLIN) {
      const ssize_t came = read(output, buffer, sizeof buffer);
      (void)came;
    } else if (both[1].revents != 0) {
      fprintf(stderr, "drain: the relay ended early\n");
      _exit(1);
    }
  }
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 7) {
    return 2;
  }
  const char *const mode = argv[1];
  const long long wanted = atoll(argv[2]);
  const long long programs = atoll(argv[3]);
  const char *const gate = argv[4];
  const int has_feeder = strcmp(argv[5], "-") != 0;
  int feed[2] = {-1, -1};
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0 || (has_feeder && pipe2(feed, O_CLOEXEC) != 0)) {
    return 1;
  }
  const int ready = open_gate(gate, "ready", O_RDWR);
  const int done = open_gate(gate, "done", O_RDWR);
  const int kept = strcmp(mode, "keep") == 0 ? open_gate(gate, "output", O_WRONLY | O_CREAT | O_TRUNC) : -1;
  const pid_t command = run(argv + 6, feed[0], output[1]);
  pid_t feeder = -1;
  if (has_feeder) {
    char *feeding[] = {"/bin/sh", "-c", argv[5], NULL};
    feeder = run(feeding, -1, feed[1]);
    close(feed[0]);
    close(feed[1]);
  }
  close(output[1]);
  signal(SIGALRM, give_up);
  alarm(PATIENCE_SECONDS);
  await_bytes(ready, output[0], programs, QUIET_MS);

  const double first_cpu_ms = relay_ms(command, has_feeder);
  const double first_ms = now_ms();
  const int go = open_gate(gate, "go", O_WRONLY);
  long long lines = 0;
  long long bytes = 0;
  if (strcmp(mode, "done") == 0) {
    await_bytes(done, output[0], programs, 0);
    /* A file gets the rest of the pipe, and a compressed file its end. The bench sees when. */
    char line[16];
    puts("done");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
      return 1;
    }
  } else {
    while (lines < wanted) {
      const ssize_t count = read(output[0], buffer, sizeof buffer);
      if (count <= 0) {
        break;
      }
      bytes += count;
      uint32_t newlines = 0;
      for (ssize_t i = 0; i < count; ++i) {
        newlines += buffer[i] == '\n';
      }
      lines += newlines;
      if (kept >= 0 && write(kept, buffer, (size_t)count) != count) {
        return 1;
      }
    }
  }
  const double last_ms = now_ms();
  const double last_cpu_ms = relay_ms(command, has_feeder);
  close(go);
  printf("{\"lines\": %lld, \"bytes\": %lld, ", lines, bytes);
  printf("\"wallMs\": %.3f, \"cpuMs\": %.3f}\n", last_ms - first_ms, last_cpu_ms - first_cpu_ms);
  fflush(stdout);
  kill(-command, SIGKILL);
  kill(command, SIGKILL);
  waitpid(command, NULL, 0);
  if (feeder > 0) {
    kill(-feeder, SIGKILL);
    waitpid(feeder, NULL, 0);
  }
  return strcmp(mode, "done") == 0 || lines >= wanted ? 0 : 1;
}
