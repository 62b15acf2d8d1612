/*
 * Limits under which Node could not start. See limits.c.
 */
#ifndef ONEVISOR_LIMITS_H
#define ONEVISOR_LIMITS_H

/* Ends the process with a line unless it may reserve the memory and make the threads that Node takes at its start. */
void require_limits(void);

#endif
