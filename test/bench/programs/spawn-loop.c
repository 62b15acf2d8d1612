/*
 * spawn-loop COUNT PROGRAM: starts PROGRAM that often by posix_spawn with three pipes, one after the other, and prints
 * for each the microseconds until the call returned. The least that a spawn with pipes costs on this machine.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int start(const char *program, pid_t *pid, int ours[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int theirs[3];
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  for (int i = 0; i < 3; ++i) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return -1;
    }
    theirs[i] = ends[i == 0 ? 0 : 1];
    ours[i] = ends[i == 0 ? 1 : 0];
    posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
  }
  char *const argv[] = {(char *)program, NULL};
  const int error = posix_spawn(pid, program, &actions, &attributes, argv, environ);
  for (int i = 0; i < 3; ++i) {
    close(theirs[i]);
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    return 2;
  }
  for (int i = atoi(argv[1]); i > 0; --i) {
    pid_t pid;
    int ours[3];
    const double began = now_us();
    if (start(argv[2], &pid, ours) != 0) {
      return 1;
    }
    printf("%.1f\n", now_us() - began);
    for (int end = 0; end < 3; ++end) {
      close(ours[end]);
    }
    waitpid(pid, NULL, 0);
  }
  return 0;
}
