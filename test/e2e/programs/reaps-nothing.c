/*
 * A library to preload. It tells PID 1 that none of its children has ended. It stands for a PID 1 that does not reap,
 * to show that the tests would notice.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
  if (pid == -1 && getpid() == 1) {
    return 0;
  }
  pid_t (*next)(pid_t, int *, int, struct rusage *) =
      (pid_t(*)(pid_t, int *, int, struct rusage *))dlsym(RTLD_NEXT, "wait4");
  return next(pid, status, options, usage);
}
