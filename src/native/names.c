/*
 * Tables of names. glibc's own function for error names, strerrorname_np, is newer than glibc 2.28.
 */
#include "names.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "array.h"

static const char *const error_names[] = {
#define E(name) [name] = #name
    E(EPERM),        E(ENOENT),          E(ESRCH),         E(EINTR),        E(EIO),           E(ENXIO),
    E(E2BIG),        E(ENOEXEC),         E(EBADF),         E(ECHILD),       E(EAGAIN),        E(ENOMEM),
    E(EACCES),       E(EFAULT),          E(ENOTBLK),       E(EBUSY),        E(EEXIST),        E(EXDEV),
    E(ENODEV),       E(ENOTDIR),         E(EISDIR),        E(EINVAL),       E(ENFILE),        E(EMFILE),
    E(ENOTTY),       E(ETXTBSY),         E(EFBIG),         E(ENOSPC),       E(ESPIPE),        E(EROFS),
    E(EMLINK),       E(EPIPE),           E(EDOM),          E(ERANGE),       E(EDEADLK),       E(ENAMETOOLONG),
    E(ENOLCK),       E(ENOSYS),          E(ENOTEMPTY),     E(ELOOP),        E(ENODATA),       E(ETIME),
    E(ENOLINK),      E(EPROTO),          E(EBADMSG),       E(EOVERFLOW),    E(ELIBACC),       E(ELIBBAD),
    E(ELIBMAX),      E(EILSEQ),          E(EUSERS),        E(ENOTSOCK),     E(EOPNOTSUPP),    E(EDESTADDRREQ),
    E(EMSGSIZE),     E(EPROTOTYPE),      E(EPROTONOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE),  E(EADDRNOTAVAIL),
    E(ENETUNREACH),  E(ENOBUFS),         E(ENOTCONN),      E(ECONNREFUSED), E(ECONNRESET),    E(ETIMEDOUT),
    E(EHOSTUNREACH), E(EALREADY),        E(EINPROGRESS),   E(ESTALE),       E(EDQUOT),        E(ENOMEDIUM),
    E(ECANCELED),    E(ENOKEY),          E(EKEYEXPIRED),   E(EKEYREVOKED),  E(EKEYREJECTED),  E(EREMOTEIO),
    E(EUCLEAN),
#undef E
};

const char *error_name(int error) {
  if (error < 0 || (size_t)error >= COUNT(error_names) || error_names[error] == NULL) {
    return "UNKNOWN";
  }
  return error_names[error];
}

/* core/resource-limits.ts names the resources that have an option; test/process/limits.test.ts compares the two. */
static const struct {
  const char *name;
  int number;
} limits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},     {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},   {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},   {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

int limit_number(const char *name) {
  for (size_t i = 0; i < COUNT(limits); ++i) {
    if (strcmp(limits[i].name, name) == 0) {
      return limits[i].number;
    }
  }
  return -1;
}
