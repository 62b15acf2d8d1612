/*
 * spawn-many COUNT PROGRAM ARGUMENT: starts PROGRAM that often by posix_spawn, each with a pipe for its input and
 * one for its outputs, then waits for SIGTERM. Then it terminates them all and waits for their ends. The least that a
 * supervisor must do.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int start(char *const argv[], pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int theirs[2];
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  for (int i = 0; i < 2; ++i) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return -1;
    }
    theirs[i] = ends[i];
    posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
  }
  posix_spawn_file_actions_adddup2(&actions, theirs[1], STDERR_FILENO);
  const int error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environ);
  for (int i = 0; i < 2; ++i) {
    close(theirs[i]);
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct rlimit files = {.rlim_cur = 0};
  const int count = argc > 2 ? atoi(argv[1]) : 0;
  pid_t *const pids = calloc((size_t)count + 1, sizeof *pids);
  if (count <= 0 || pids == NULL || getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return 2;
  }
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  for (int i = 0; i < count; ++i) {
    if (start(argv + 2, &pids[i]) != 0) {
      perror(argv[2]);
      return 1;
    }
  }
  /* Blocked only now: the programs inherit the mask. */
  sigprocmask(SIG_BLOCK, &term, NULL);
  int signal = 0;
  sigwait(&term, &signal);
  for (int i = 0; i < count; ++i) {
    kill(pids[i], SIGTERM);
  }
  for (int i = 0; i < count; ++i) {
    waitpid(pids[i], NULL, 0);
  }
  return 0;
}
