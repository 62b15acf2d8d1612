/*
 * The system calls that injector.c knows, with the argument that names their target. A call that an architecture lacks
 * is left out.
 */
#ifndef FAULT_CALLS_H
#define FAULT_CALLS_H

#include <string.h>
#include <sys/syscall.h>

enum target_kind { NO_TARGET, BY_PATH, BY_DESCRIPTOR };

struct call {
  const char *name;
  long number;
  enum target_kind kind;
  int argument;
};

#define PATH(call, argument) {#call, SYS_##call, BY_PATH, argument}
#define DESCRIPTOR(call, argument) {#call, SYS_##call, BY_DESCRIPTOR, argument}
#define PLAIN(call) {#call, SYS_##call, NO_TARGET, -1}

static const struct call known_calls[] = {
    PATH(execve, 0), PATH(openat, 1), PATH(chdir, 0), PATH(statx, 1), PATH(newfstatat, 1), PATH(unlinkat, 1),
    PATH(renameat, 1), PATH(renameat2, 1), PATH(mkdirat, 1), PATH(fchmodat, 1), PATH(fchownat, 1), PATH(faccessat, 1),
    PATH(faccessat2, 1), PATH(readlinkat, 1), PATH(inotify_add_watch, 1),
#ifdef SYS_open
    PATH(open, 0), PATH(stat, 0), PATH(lstat, 0), PATH(unlink, 0), PATH(rename, 0), PATH(mkdir, 0), PATH(chmod, 0),
    PATH(chown, 0), PATH(access, 0), PATH(readlink, 0), PATH(rmdir, 0), PLAIN(dup2), PLAIN(fork), PLAIN(vfork),
    DESCRIPTOR(epoll_wait, 0), DESCRIPTOR(poll, 0), PLAIN(eventfd), PLAIN(pipe),
#endif
    DESCRIPTOR(read, 0), DESCRIPTOR(write, 0), DESCRIPTOR(readv, 0), DESCRIPTOR(writev, 0), DESCRIPTOR(pread64, 0),
    DESCRIPTOR(pwrite64, 0), DESCRIPTOR(close, 0), DESCRIPTOR(fcntl, 0), DESCRIPTOR(ioctl, 0), DESCRIPTOR(fstat, 0),
    DESCRIPTOR(ftruncate, 0), DESCRIPTOR(fchown, 0), DESCRIPTOR(fchmod, 0), DESCRIPTOR(lseek, 0),
    DESCRIPTOR(getdents64, 0), DESCRIPTOR(epoll_pwait, 0), DESCRIPTOR(epoll_ctl, 2), DESCRIPTOR(timerfd_settime, 0),
    DESCRIPTOR(accept4, 0), DESCRIPTOR(bind, 0), DESCRIPTOR(listen, 0), DESCRIPTOR(connect, 0),
    DESCRIPTOR(getsockopt, 0), DESCRIPTOR(setsockopt, 0), DESCRIPTOR(recvmsg, 0), DESCRIPTOR(shutdown, 0),
    DESCRIPTOR(dup3, 0), PLAIN(clone), PLAIN(clone3), PLAIN(pipe2), PLAIN(dup), PLAIN(setresuid), PLAIN(setresgid),
    PLAIN(setgroups), PLAIN(setpgid), PLAIN(setsid), PLAIN(prctl), PLAIN(prlimit64), PLAIN(setpriority),
    PLAIN(close_range), PLAIN(capset), PLAIN(wait4), PLAIN(waitid), PLAIN(kill), PLAIN(socket), PLAIN(epoll_create1),
    PLAIN(eventfd2), PLAIN(timerfd_create), PLAIN(inotify_init1), PLAIN(mmap), PLAIN(mprotect), PLAIN(madvise),
    PLAIN(getrandom), PLAIN(rt_sigaction), PLAIN(rt_sigprocmask),
};

enum { KNOWN_CALLS = sizeof known_calls / sizeof known_calls[0] };

#undef PATH
#undef DESCRIPTOR
#undef PLAIN

static inline const struct call *find_call_by_name(const char *name) {
  for (size_t i = 0; i < KNOWN_CALLS; ++i) {
    if (strcmp(known_calls[i].name, name) == 0) {
      return &known_calls[i];
    }
  }
  return NULL;
}

#endif
