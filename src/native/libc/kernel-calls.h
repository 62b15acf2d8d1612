/*
 * System calls for code that runs before any libc: numbers and one function. Such code is compiled without the
 * protection of the stack, whose value libc has not set yet.
 */
#ifndef ONEVISOR_KERNEL_CALLS_H
#define ONEVISOR_KERNEL_CALLS_H

#include <stdint.h>
#include <sys/syscall.h>

/* Makes a system call with up to six arguments. Returns its result, or -errno. */
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
#if defined __x86_64__
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result = number;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

/* True for the result of a system call that failed. */
static inline int is_failure(long result) { return result < 0 && result > -4096; }

#endif
