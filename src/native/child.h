/*
 * The plan of a new process, which the child carries out between clone and exec, and the names of the stages that can
 * fail. The child never allocates memory and never looks anything up.
 */
#ifndef ONEVISOR_CHILD_H
#define ONEVISOR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Each stage, its name in SpawnStage of addon.ts, and the system call that fails there. */
#define CHILD_STAGES(X)                     \
  X(STAGE_PIPE, "pipe", "pipe2")            \
  X(STAGE_PTY, "pty", "ioctl")              \
  X(STAGE_FORK, "fork", "clone")            \
  X(STAGE_GROUP, "group", "setpgid")        \
  X(STAGE_TERMINAL, "terminal", "tcsetpgrp") \
  X(STAGE_STDIO, "stdio", "dup2")           \
  X(STAGE_LIMITS, "limits", "prlimit")      \
  X(STAGE_NICE, "nice", "setpriority")      \
  X(STAGE_OOM, "oom", "write")              \
  X(STAGE_GROUPS, "groups", "setgroups")    \
  X(STAGE_GID, "gid", "setresgid")          \
  X(STAGE_UID, "uid", "setresuid")          \
  X(STAGE_CAPABILITIES, "capabilities", "capset") \
  X(STAGE_CGROUP, "cgroup", "write")        \
  X(STAGE_PRIVILEGES, "privileges", "prctl") \
  X(STAGE_DIRECTORY, "directory", "chdir")  \
  X(STAGE_DESCRIPTORS, "descriptors", "dup2") \
  X(STAGE_EXEC, "exec", "execve")

enum child_stage {
#define CHILD_STAGE_ENUM(stage, name, call) stage,
  CHILD_STAGES(CHILD_STAGE_ENUM)
#undef CHILD_STAGE_ENUM
  STAGE_COUNT
};

struct child_stage_name {
  const char *name;
  const char *syscall;
};

extern const struct child_stage_name child_stage_names[STAGE_COUNT];

enum child_leadership { LEADER_OF_GROUP, LEADER_OF_SESSION, LEADER_IN_FOREGROUND, LEADER_OF_NOTHING };

struct child_move {
  int from;
  int to;
};

/* Most digits of a pid. */
enum { PID_DIGITS = 10 };

struct child_limit {
  int resource;
  struct rlimit value;
};

/* Sets of capabilities (capabilities(7)), with one bit each. */
struct child_capabilities {
  uint64_t dropped; /* from the bounding set */
  uint64_t kept;    /* permitted and effective; no others are */
  uint64_t ambient; /* also inheritable and ambient, so that a program of another user than root has them */
};

struct child_failure {
  int32_t stage;
  int32_t error; /* an errno; 0: no failure */
};

/*
 * The parent writes the plan before the clone. The child may overwrite `moves`, and notes its failure. After the clone
 * the parent reads the failure only.
 */
struct child_plan {
  const char *file;
  char *const *argv;
  char *const *envp;
  const char *directory; /* NULL: stay */
  int umask;             /* -1: keep */
  char *pid_digits;      /* room for PID_DIGITS in a string of envp, where the child writes its pid; NULL: none */
  bool has_uid, has_gid, has_groups, has_nice;
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
  const struct child_limit *limits;
  size_t limit_count;
  int nice;
  const char *oom_score_adj; /* decimal text; NULL: keep */
  int death_signal;          /* 0: none */
  int cgroup;                /* descriptor of a file cgroup.procs, which moves the child there; -1: none */
  const struct child_capabilities *capabilities; /* NULL: keep */
  bool no_new_privileges;
  enum child_leadership leadership;
  struct child_move *moves; /* standard streams first, then further descriptors; no two have the same `to` */
  size_t move_count;
  pid_t parent;
  uint64_t ignored;          /* signals that we ignore: bit n-1 stands for signal n */
  bool has_default_handlers; /* the kernel has set all other signals to their defaults */
  struct child_failure failure; /* written by the child if it could not execute the program */
};

/*
 * Entry point of the new process: executes plan->file, or notes a failure in plan->failure and exits with 127.
 * The caller has blocked all signals. The child shares the parent's memory (CLONE_VM), but not its descriptors and
 * signal dispositions.
 */
int child_main(void *plan);

#endif
