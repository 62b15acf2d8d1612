/*
 * Descriptors 0, 1 and 2 in a root without /dev. Where one of them is closed, Node opens /dev/null in its place, and
 * aborts if there is none. So a descriptor takes the place that can be neither read nor written (open(2), O_PATH): a
 * program that inherits it gets EBADF, as with a closed one.
 */
#include "entry.h"

#include <fcntl.h>

#include "kernel-calls.h"

enum { FIRST_PRIVATE = 3 };

void fill_standard_streams(void) {
  for (int fd = 0; fd < FIRST_PRIVATE; ++fd) {
    if (is_failure(kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0)) &&
        is_failure(kernel_call(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0, 0))) {
      kernel_call(SYS_openat, AT_FDCWD, (long)"/", O_PATH, 0, 0, 0);
    }
  }
}
