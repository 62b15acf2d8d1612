/*
 * The parent's half of a spawn: pipes, the clone, and the report of the child. After a failure no process and no
 * descriptor is left.
 */
#ifndef ONEVISOR_SPAWN_H
#define ONEVISOR_SPAWN_H

#include "child.h"

enum spawn_stream_kind { STREAM_PIPE, STREAM_TERMINAL, STREAM_NULL, STREAM_AS_STDOUT, STREAM_DESCRIPTOR };

struct spawn_stream {
  enum spawn_stream_kind kind;
  int fd;                       /* for STREAM_DESCRIPTOR */
  unsigned short columns, rows; /* for STREAM_TERMINAL */
};

struct spawn_order {
  /* spawn_program fills in `moves[0..2]`, `failure` and `parent`; the caller leaves room for these three moves. */
  struct child_plan plan;
  struct spawn_stream streams[3];
};

struct spawn_result {
  pid_t pid;
  int ends[3]; /* our ends of the pipes, or the master of a terminal; -1 for other streams */
};

/*
 * Returns true once the exec has succeeded, otherwise false with `failure`. Only one thread may call this function: all
 * spawns share one stack.
 */
bool spawn_program(struct spawn_order *order, struct spawn_result *result, struct child_failure *failure);

#endif
