/*
 * clone3(2) takes the handlers of all signals away in one step (Linux 5.5). Older kernels do not know it, and the
 * seccomp profile of Docker answers ENOSYS, because a filter cannot see its flags. Then clone(2) follows, and the child
 * sets 62 signals to their defaults by itself, which is a tenth of a spawn.
 */
#include "clone.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* Flag of clone3 only. */
static const uint64_t CLEAR_HANDLERS = 0x100000000ULL;

/* The first version of struct clone_args (linux/sched.h). */
struct clone3_request {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/* The child has a new stack, so a C function cannot make the call and return in both processes. */
static long enter_clone3(const struct clone3_request *request, child_function *run, void *argument) {
#if defined __x86_64__
  long result = SYS_clone3;
  __asm__ volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "mov %[argument], %%rdi\n"
      "call *%[run]\n"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(request), "S"(sizeof *request), [run] "r"(run), [argument] "r"(argument)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined __aarch64__
  register long number __asm__("x8") = SYS_clone3;
  register long result __asm__("x0") = (long)request;
  register long size __asm__("x1") = sizeof *request;
  __asm__ volatile(
      "svc #0\n"
      "cbnz x0, 1f\n"
      "mov x0, %[argument]\n"
      "blr %[run]\n"
      "brk #0\n"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), [run] "r"(run), [argument] "r"(argument)
      : "memory", "cc");
  return result;
#else
  (void)request;
  (void)run;
  (void)argument;
  return -ENOSYS;
#endif
}

/* True for an error by which a kernel or a filter says that it has no clone3, or not with this flag. */
static bool is_refusal(long error) { return error == ENOSYS || error == EPERM || error == EINVAL || error == E2BIG; }

pid_t clone_in_our_memory(child_function *run, void *argument, void *stack, size_t size, bool *has_default_handlers) {
  static bool lacks_clone3;
  if (!lacks_clone3) {
    const struct clone3_request request = {
        .flags = CLONE_VM | CLONE_VFORK | CLEAR_HANDLERS,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = size,
    };
    *has_default_handlers = true;
    const long result = enter_clone3(&request, run, argument);
    if (result >= 0) {
      return (pid_t)result;
    }
    if (!is_refusal(-result)) {
      errno = (int)-result;
      return -1;
    }
    lacks_clone3 = true;
  }
  *has_default_handlers = false;
  return clone(run, (char *)stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, argument);
}
