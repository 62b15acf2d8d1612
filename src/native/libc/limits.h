/*
 * Limits under which Node could not start. See limits.c.
 */
#ifndef ONEVISOR_LIMITS_H
#define ONEVISOR_LIMITS_H

/* Ends the process with a line unless it may take the memory, open the files and make the threads of Node's start. */
void require_limits(void);

#endif
