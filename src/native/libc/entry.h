/*
 * Parts of the start of the process that run before any libc. See entry.c.
 */
#ifndef ONEVISOR_ENTRY_H
#define ONEVISOR_ENTRY_H

#include <signal.h>
#include <stdint.h>

/* The system's dynamic loader in memory. */
struct system_loader {
  uint64_t base;
  /* 0: there is no loader, or the kernel does not let us map it. */
  uint64_t entry;
};

/* Path of the system's dynamic loader, as executables for this processor name it. */
extern const char loader_path[];

/* Maps the system's dynamic loader as the kernel does. */
struct system_loader map_system_loader(uint64_t page_size);

/*
 * Renames the variables that are for the application's programs only, and would change what libc or Node do for us.
 * `environment` ends with NULL. The variables of a dynamic loader stay if `keeps_loader_variables` is not 0.
 */
void set_variables_aside(char **environment, int keeps_loader_variables);

/* Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed, or a pipe where there is no /dev/null. */
void fill_standard_streams(void);

/* Keeps signals for PID 1 until the addon catches them. */
void hold_early_signals(void);

/* Takes the place of pthread_sigmask(3) for Node. */
int inside_pthread_sigmask(int how, const sigset_t *set, sigset_t *before);

/* Length of a string; the functions of libc are not there yet. */
uint64_t length_of(const char *text);

/* True if `text` begins with `start`. */
int begins_with(const char *text, const char *start);

/* Copies bytes, and returns the end of the copy. */
char *append(char *target, const char *bytes, uint64_t count);

#endif
