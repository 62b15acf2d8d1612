/*
 * Numbers of the kernel's interface for which glibc has no constant. They are the same on x86-64 and arm64.
 */
#ifndef ONEVISOR_KERNEL_H
#define ONEVISOR_KERNEL_H

/* Highest signal number, and the size of the signal sets that rt_sigprocmask(2) and rt_sigaction(2) take. */
enum { LAST_SIGNAL = 64, KERNEL_SIGSET_BYTES = 8 };

#endif
