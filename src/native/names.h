/*
 * Names of errors and resource limits.
 */
#ifndef ONEVISOR_NAMES_H
#define ONEVISOR_NAMES_H

/* The name of an errno, such as ENOENT; "UNKNOWN" for an errno that is not in the table. */
const char *error_name(int error);

/* The RLIMIT_* number of a name in lower case without the prefix, such as nofile; -1 if no resource has the name. */
int limit_number(const char *name);

#endif
