/*
 * leaves-orphans COUNT: creates COUNT processes whose parents exit before them, prints "left COUNT", then waits for a
 * signal. Each orphan exits when it notices that it was adopted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 1;
  for (int i = 0; i < count; i++) {
    const pid_t parent = fork();
    if (parent < 0) {
      perror("fork");
      return 1;
    }
    if (parent == 0) {
      const pid_t self = getpid();
      const pid_t orphan = fork();
      while (orphan == 0 && getppid() == self) {
        sched_yield();
      }
      _exit(orphan < 0);
    }
    int status;
    if (waitpid(parent, &status, 0) != parent || status != 0) {
      return 1;
    }
  }
  printf("left %d\n", count);
  fflush(stdout);
  for (;;) {
    pause();
  }
}
