/*
 * The limits of processes and threads that can be read, see task-room.h.
 */
#include "task-room.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A user with a limit below this may have nearly as many processes. */
enum { AMPLE_FOR_USER = 4096 };

/* /proc/self/cgroup has a line of some 100 bytes for each of at most 14 hierarchies. */
enum { FILE_BYTES = 8192 };

const struct task_files system_task_files = {"/proc/self/cgroup", "/sys/fs/cgroup", "/sys/fs/cgroup/pids"};

/* Reads a small file as a string. Returns false if there is no such file, or it is too long. */
static bool read_text(const char *path, char *text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const ssize_t length = read(fd, text, size);
  close(fd);
  if (length < 0 || (size_t)length == size) {
    return false;
  }
  text[length] = '\0';
  return true;
}

/* Reads the number in a file of a control group. Returns false without one: there is no limit (`max`), or no file. */
static bool read_number(const char *folder, const char *name, long *number) {
  char path[PATH_MAX];
  char text[32];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || !read_text(path, text, sizeof text)) {
    return false;
  }
  char *end = NULL;
  errno = 0;
  *number = strtol(text, &end, 10);
  return end != text && errno == 0;
}

static bool has_room_in(const char *folder, long tasks) {
  long most = 0;
  long current = 0;
  return !read_number(folder, "pids.max", &most) ||
      (read_number(folder, "pids.current", &current) && most - current >= tasks);
}

/*
 * Looks at a control group and at those above it, up to the mount. A container may see a path of its host, which does
 * not exist here; the mount is its own group then.
 */
static bool has_room_below(const char *mount, const char *group, long tasks) {
  char folder[PATH_MAX];
  if (snprintf(folder, sizeof folder, "%s/cgroup.procs", mount) >= (int)sizeof folder || access(folder, F_OK) != 0 ||
      snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder) {
    return false;
  }
  const size_t shortest = strlen(mount);
  for (;;) {
    if (!has_room_in(folder, tasks)) {
      return false;
    }
    char *slash = strrchr(folder, '/');
    if (slash == NULL || (size_t)(slash - folder) < shortest) {
      return true;
    }
    *slash = '\0';
  }
}

/* True if a list such as `cpu,pids` has the controller `pids`. */
static bool has_pids(const char *list, size_t length) {
  const char *end = list + length;
  while (list < end) {
    const char *comma = memchr(list, ',', (size_t)(end - list));
    const char *stop = comma == NULL ? end : comma;
    if (stop - list == 4 && memcmp(list, "pids", 4) == 0) {
      return true;
    }
    list = stop + 1;
  }
  return false;
}

static bool has_room_in_groups(const struct task_files *files, long tasks) {
  char text[FILE_BYTES];
  if (!read_text(files->own_groups, text, sizeof text)) {
    return false;
  }
  const char *unified = NULL;
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    const char *list = strchr(line, ':');
    const char *group = list == NULL ? NULL : strchr(list + 1, ':');
    if (group == NULL) {
      return false;
    }
    if (has_pids(list + 1, (size_t)(group - list - 1))) {
      return has_room_below(files->pids, group + 1, tasks);
    }
    if (group == list + 1) {
      unified = group + 1;
    }
  }
  return unified != NULL && has_room_below(files->unified, unified, tasks);
}

bool sys_has_task_room(const struct task_files *files, long tasks) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur < AMPLE_FOR_USER) {
    return false;
  }
  return has_room_in_groups(files, tasks);
}
