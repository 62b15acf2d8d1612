/*
 * The system call clone3, as on a kernel without it: libc then makes each thread and process with clone, which can do
 * all that libc wants. Docker before 20.10.10 answers EPERM to clone3, and libc would take that for the end.
 */
#include <errno.h>
#include <stddef.h>

struct clone_args;

/* Takes the place of the function of that name in libc.a, which src/native does not declare. */
int __clone3(struct clone_args *arguments, size_t size, int (*begin)(void *), void *argument);

int __clone3(struct clone_args *arguments, size_t size, int (*begin)(void *), void *argument) {
  (void)arguments;
  (void)size;
  (void)begin;
  (void)argument;
  errno = ENOSYS;
  return -1;
}
