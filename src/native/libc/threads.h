/*
 * A check of the number of threads that this process may have. See threads.c.
 */
#ifndef ONEVISOR_THREADS_H
#define ONEVISOR_THREADS_H

/* Makes and ends as many threads as Node needs. Ends the process with a line if there cannot be so many. */
void require_threads(void);

#endif
