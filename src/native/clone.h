/*
 * A child that runs in our memory until its exec, on a stack of its own, while our thread waits (CLONE_VM,
 * CLONE_VFORK).
 */
#ifndef ONEVISOR_CLONE_H
#define ONEVISOR_CLONE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The function of the child. It must not return. */
typedef int child_function(void *argument);

/*
 * Makes such a child. `has_default_handlers` is set before the child runs: true if the kernel gives it the default of
 * each signal that we catch, and only ignored signals are left. Returns the pid, or -1 with errno.
 */
pid_t clone_in_our_memory(child_function *run, void *argument, void *stack, size_t size, bool *has_default_handlers);

#endif
