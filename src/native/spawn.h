/*
 * The parent's half of a spawn: pipes, the clone, the report. Owns every descriptor made for it, also when it fails.
 * Never decides what is executed, and never keeps a process or a descriptor after a failure.
 */
#ifndef ONEVISOR_SPAWN_H
#define ONEVISOR_SPAWN_H

#include "child.h"

enum spawn_stream_kind { STREAM_PIPE, STREAM_NULL, STREAM_AS_STDOUT, STREAM_DESCRIPTOR };

struct spawn_stream {
  enum spawn_stream_kind kind;
  int fd; /* for STREAM_DESCRIPTOR */
};

struct spawn_order {
  /*
   * All but `moves[0..2]`, `report` and `parent`, which spawn_program fills in; `moves` has room for three more than
   * used.
   */
  struct child_plan plan;
  struct spawn_stream streams[3];
};

struct spawn_result {
  pid_t pid;
  int ends[3]; /* ours; -1 where no pipe was asked for */
};

/* Returns true once the exec has succeeded; else false with `failure`, and nothing is left behind. One thread only. */
bool spawn_program(struct spawn_order *order, struct spawn_result *result, struct child_failure *failure);

#endif
