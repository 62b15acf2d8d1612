/* Checks for the C tests. A failed check prints its place and text, and exits with 1. */
#ifndef ONEVISOR_CHECK_H
#define ONEVISOR_CHECK_H

#include <stdio.h>
#include <unistd.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);  \
      _exit(1);                                                                \
    }                                                                          \
  } while (0)

#define CHECK_EQUAL(actual, expected)                                                                               \
  do {                                                                                                              \
    const long actual_value = (long)(actual), expected_value = (long)(expected);                                    \
    if (actual_value != expected_value) {                                                                           \
      fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #actual, actual_value, expected_value);    \
      _exit(1);                                                                                                     \
    }                                                                                                               \
  } while (0)

/* Runs a case in a process of its own, and prints its name. Its failure ends the test program. */
void in_process(const char *name, void (*run)(void));
#define RUN(function) in_process(#function, function)

void run_pure_cases(void);
void run_socket_cases(void);
void run_signal_cases(void);
void run_early_cases(void);

#endif
