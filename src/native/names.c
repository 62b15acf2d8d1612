/*
 * Names of errors, signals and resource limits. glibc's own functions for these are newer than 2.28, and its strtol
 * carries the symbol version of the glibc it was compiled with, so the few digits are read here.
 */
#include "syscalls.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const error_names[] = {
#define E(name) [name] = #name
    E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM),
    E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE),
    E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE),
    E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENODATA), E(ETIME), E(ENOLINK), E(EPROTO),
    E(EBADMSG), E(EOVERFLOW), E(ELIBACC), E(ELIBBAD), E(ELIBMAX), E(EILSEQ), E(EUSERS), E(ENOTSOCK), E(EOPNOTSUPP),
    E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(EPROTONOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETUNREACH),
    E(ENOBUFS), E(ENOTCONN), E(ECONNREFUSED), E(ECONNRESET), E(ETIMEDOUT), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ESTALE), E(EDQUOT),
    E(ENOMEDIUM), E(ECANCELED), E(ENOKEY), E(EKEYEXPIRED), E(EKEYREVOKED), E(EKEYREJECTED), E(EREMOTEIO), E(EUCLEAN),
#undef E
};

const char *sys_error_name(int error) {
  if (error < 0 || (size_t)error >= COUNT(error_names) || error_names[error] == NULL) {
    return "UNKNOWN";
  }
  return error_names[error];
}

struct named_number {
  const char *name;
  int number;
};

static const struct named_number signals[] = {
    {"HUP", SIGHUP},     {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},   {"ABRT", SIGABRT},
    {"IOT", SIGABRT},    {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},   {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},   {"PIPE", SIGPIPE},     {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},    {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},   {"TTOU", SIGTTOU},
    {"URG", SIGURG},     {"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},       {"POLL", SIGIO},       {"PWR", SIGPWR},   {"SYS", SIGSYS},
};

/* A whole string of at most three digits; -1 for anything else. */
static int parse_small_number(const char *text) {
  int number = 0;
  const size_t length = strlen(text);
  if (length == 0 || length > 3) {
    return -1;
  }
  for (size_t i = 0; i < length; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return -1;
    }
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

/* RTMIN, RTMAX, and offsets from them that stay within the range. */
static int real_time_signal(const char *name) {
  const bool from_lowest = strncasecmp(name, "RTMIN", 5) == 0;
  if (!from_lowest && strncasecmp(name, "RTMAX", 5) != 0) {
    return 0;
  }
  int number = from_lowest ? SIGRTMIN : SIGRTMAX;
  if (name[5] != '\0') {
    const int offset = name[5] == (from_lowest ? '+' : '-') ? parse_small_number(name + 6) : -1;
    if (offset < 0) {
      return 0;
    }
    number += from_lowest ? offset : -offset;
  }
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : 0;
}

int sys_signal_number(const char *name) {
  if (strncasecmp(name, "SIG", 3) == 0) {
    name += 3;
  }
  for (size_t i = 0; i < COUNT(signals); ++i) {
    if (strcasecmp(signals[i].name, name) == 0) {
      return signals[i].number;
    }
  }
  return real_time_signal(name);
}

static const struct named_number limits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},       {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},     {"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},       {"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},   {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
};

int sys_limit_number(const char *name) {
  for (size_t i = 0; i < COUNT(limits); ++i) {
    if (strcmp(limits[i].name, name) == 0) {
      return limits[i].number;
    }
  }
  return -1;
}
