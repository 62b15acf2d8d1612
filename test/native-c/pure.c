/* Tests of the C parts that start no process: lines and records compared with simple versions, names, users, pipes. */
#include "check.h"
#include "child.h"
#include "frame.h"
#include "names.h"
#include "record.h"
#include "syscalls.h"
#include "task-room.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A simple version of frame_lines, byte by byte. */
static struct frame_outcome frame_plainly(
    struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  for (size_t i = 0; i < source.length; ++i) {
    if (source.bytes[i] == '\n') {
      const size_t line = i + 1 - outcome.taken;
      if (outcome.written + prefix.length + line > room) {
        break;
      }
      for (size_t k = 0; k < prefix.length; ++k) {
        target[outcome.written++] = prefix.bytes[k];
      }
      for (size_t k = 0; k < line; ++k) {
        target[outcome.written++] = source.bytes[outcome.taken++];
      }
    }
  }
  return outcome;
}

/* Buffers of the exact size, so that ASan detects an access one byte beyond. */
static uint8_t *random_bytes(size_t length) {
  uint8_t *bytes = malloc(length > 0 ? length : 1);
  CHECK(bytes != NULL);
  for (size_t i = 0; i < length; ++i) {
    const long value = random();
    bytes[i] = value % 7 == 0 ? '\n' : (uint8_t)(value >> 8);
  }
  return bytes;
}

static void frame_as_plainly(void) {
  srandom(20240229);
  for (int round = 0; round < 20000; ++round) {
    const size_t length = (size_t)random() % 90, prefix_length = (size_t)random() % 6, room = (size_t)random() % 120;
    uint8_t *source = random_bytes(length), *prefix = random_bytes(prefix_length);
    uint8_t *target = random_bytes(room), *expected = random_bytes(room);
    const struct frame_bytes lines = {source, length}, before = {prefix, prefix_length};
    const struct frame_outcome plain = frame_plainly(lines, before, expected, room);
    const struct frame_outcome outcome = frame_lines(lines, before, target, room);
    CHECK_EQUAL(outcome.taken, plain.taken);
    CHECK_EQUAL(outcome.written, plain.written);
    CHECK(memcmp(target, expected, plain.written) == 0);
    free(source);
    free(prefix);
    free(target);
    free(expected);
  }
}

/* A simple version of one record. Returns its end. */
static uint8_t *record_plainly(const uint8_t *line, size_t length, const struct record_form *form, uint8_t *to) {
  static const char plain[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
  for (size_t i = 0; i < form->head.length; ++i) {
    *to++ = form->head.bytes[i];
  }
  *to++ = '"';
  for (size_t i = 0; i < length; ++i) {
    const char *known = line[i] == 0 ? NULL : strchr(plain, line[i]);
    if (known != NULL) {
      *to++ = '\\';
      *to++ = (uint8_t)letters[known - plain];
    } else if (line[i] < 0x20) {
      to += sprintf((char *)to, "\\u%04x", line[i]);
    } else {
      *to++ = line[i];
    }
  }
  *to++ = '"';
  for (size_t i = 0; i < form->tail.length; ++i) {
    *to++ = form->tail.bytes[i];
  }
  return to;
}

/* Bytes of a record that takes `length` bytes. */
static size_t most_of(const struct record_form *form, size_t length) {
  return form->head.length + form->tail.length + 2 + 6 * length;
}

/* A simple version of record_lines. */
static struct frame_outcome records_plainly(
    struct frame_bytes source, const struct record_form *form, bool stops, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  for (size_t i = 0; i < source.length; ++i) {
    if (source.bytes[i] == '\n') {
      const uint8_t *line = source.bytes + outcome.taken;
      size_t length = i - outcome.taken, first = 0;
      length -= length > 0 && line[length - 1] == '\r';
      while (first < length && strchr(" \t\r", line[first]) != NULL && line[first] != 0) {
        ++first;
      }
      const bool is_object = stops && first < length && line[first] == '{';
      if (is_object || outcome.written + most_of(form, length) > room) {
        break;
      }
      outcome.written = (size_t)(record_plainly(line, length, form, target + outcome.written) - target);
      outcome.taken = i + 1;
    }
  }
  return outcome;
}

/* Bytes of which many need an escape, or stand next to those that do in the words of the quick version. */
static uint8_t *record_bytes(size_t length) {
  static const uint8_t often[] = {'\n', '\r', '"', '\\', '{', ' ', '\t', 0, 0x1f, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80};
  uint8_t *bytes = random_bytes(length);
  const long share = random() % 10;
  for (size_t i = 0; i < length; ++i) {
    bytes[i] = random() % 10 < share ? often[(size_t)random() % sizeof often] : (uint8_t)(random() >> 8);
  }
  return bytes;
}

static void records_as_plainly(void) {
  srandom(20261130);
  for (int round = 0; round < 40000; ++round) {
    const size_t length = (size_t)random() % 90, room = (size_t)random() % 400;
    uint8_t *source = record_bytes(length), *head = random_bytes(3), *tail = random_bytes(2);
    uint8_t *target = random_bytes(room), *expected = random_bytes(room + 1);
    const struct record_form form = {{head, 3}, {tail, 2}};
    const struct frame_bytes bytes = {source, length};
    const bool stops = round % 2 == 0;
    const struct frame_outcome plain = records_plainly(bytes, &form, stops, expected, room);
    const struct frame_outcome outcome = record_lines(bytes, &form, stops, target, room);
    CHECK_EQUAL(outcome.taken, plain.taken);
    CHECK_EQUAL(outcome.written, plain.written);
    CHECK(memcmp(target, expected, plain.written) == 0);
    const struct frame_outcome text = record_text(bytes, &form, target, room);
    CHECK_EQUAL(text.taken, most_of(&form, length) > room ? 0 : length);
    if (text.taken == length && most_of(&form, length) <= room) {
      CHECK_EQUAL(text.written, (size_t)(record_plainly(source, length, &form, expected) - expected));
      CHECK(memcmp(target, expected, text.written) == 0);
    }
    free(source);
    free(head);
    free(tail);
    free(target);
    free(expected);
  }
}

static void names_are_known(void) {
  CHECK_EQUAL(limit_number("nofile"), RLIMIT_NOFILE);
  CHECK_EQUAL(limit_number("NOFILE"), -1);
  CHECK(strcmp(error_name(ENOENT), "ENOENT") == 0);
  CHECK(strcmp(error_name(9999), "UNKNOWN") == 0);
  CHECK(strcmp(error_name(-1), "UNKNOWN") == 0);
  for (int stage = 0; stage < STAGE_COUNT; ++stage) {
    CHECK(child_stage_names[stage].name != NULL && child_stage_names[stage].syscall != NULL);
  }
}

static void users_are_found(void) {
  struct sys_user user;
  CHECK_EQUAL(sys_find_user("root", 0, &user), 1);
  CHECK_EQUAL(user.entry.pw_uid, 0);
  free(user.memory);
  CHECK_EQUAL(sys_find_user(NULL, 0, &user), 1);
  CHECK(strcmp(user.entry.pw_name, "root") == 0);
  free(user.memory);
  CHECK_EQUAL(sys_find_user("nobody-of-that-name", 0, &user), 0);
  struct sys_group group;
  CHECK_EQUAL(sys_find_group(NULL, 0, &group), 1);
  free(group.memory);
  CHECK_EQUAL(sys_find_group("nogroup-of-that-name", 0, &group), 0);
  gid_t *groups = NULL;
  const int count = sys_groups_of("root", 77, &groups);
  CHECK(count >= 1);
  CHECK_EQUAL(groups[0], 77);
  free(groups);
}

static void pipes_grow(void) {
  int ends[2];
  CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
  const int size = sys_pipe_size(ends[0]);
  CHECK(size > 0);
  CHECK_EQUAL(sys_grow_pipe(ends[0], 2 * size), 2 * size);
  CHECK_EQUAL(sys_grow_pipe(ends[0], 0x7fffffff), 2 * size);
  CHECK_EQUAL(sys_grow_pipe(1000, 4096), -EBADF);
}

/* Writes a file below the working directory, with its directories. */
static void put(const char *path, const char *text) {
  char folder[256];
  snprintf(folder, sizeof folder, "%s", path);
  for (char *slash = strchr(folder, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(folder, 0755);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  fputs(text, file);
  fclose(file);
}

static void limits_of_tasks_are_read(void) {
  char folder[] = "/tmp/onevisor-room-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  CHECK(chdir(folder) == 0);
  struct rlimit ample;
  CHECK(getrlimit(RLIMIT_NPROC, &ample) == 0);
  ample.rlim_cur = ample.rlim_max;
  const struct rlimit low = {4095, ample.rlim_max};
  CHECK(setrlimit(RLIMIT_NPROC, &ample) == 0);
  const struct task_files files = {"own", "v2", "v1"};
  CHECK(!sys_has_task_room(&files, 100)); /* without /proc */
  put("own", "0::/a/b\n");
  CHECK(!sys_has_task_room(&files, 100)); /* without cgroupfs */
  put("v2/cgroup.procs", "");
  CHECK(sys_has_task_room(&files, 100)); /* no controller */
  put("v2/a/b/pids.max", "max\n");
  CHECK(sys_has_task_room(&files, 100));
  put("v2/a/pids.max", "300\n");
  CHECK(!sys_has_task_room(&files, 100)); /* a limit without a count */
  put("v2/a/pids.current", "200\n");
  CHECK(sys_has_task_room(&files, 100));
  CHECK(!sys_has_task_room(&files, 101));
  put("own", "0::/on/the/host\n");
  CHECK(sys_has_task_room(&files, 101));
  put("v2/pids.max", "20\n");
  put("v2/pids.current", "1\n");
  CHECK(!sys_has_task_room(&files, 101)); /* the mount is the group of the container */
  put("own", "5:cpu,pids:/x\n4:pidsx,spid:/y\n0::/a\n");
  CHECK(!sys_has_task_room(&files, 10));
  put("v1/cgroup.procs", "");
  CHECK(sys_has_task_room(&files, 10)); /* version 1 has the controller */
  put("v1/x/pids.max", "9\n");
  put("v1/x/pids.current", "0\n");
  CHECK(!sys_has_task_room(&files, 10));
  CHECK(sys_has_task_room(&files, 9));
  put("own", "nonsense");
  CHECK(!sys_has_task_room(&files, 9));
  put("own", "4:cpu:/\n");
  CHECK(!sys_has_task_room(&files, 9));
  put("own", "5:pids:/x\n");
  CHECK(setrlimit(RLIMIT_NPROC, &low) == 0);
  CHECK(!sys_has_task_room(&files, 9));
  static char long_text[10000];
  memset(long_text, 'x', sizeof long_text - 1);
  put("own", long_text);
  CHECK(setrlimit(RLIMIT_NPROC, &ample) == 0);
  CHECK(!sys_has_task_room(&files, 9));
  const char *const made[] = {"v2/a/b/pids.max", "v2/a/b", "v2/a/pids.max", "v2/a/pids.current", "v2/a", "v2/pids.max",
      "v2/pids.current", "v2/cgroup.procs", "v2", "v1/x/pids.max", "v1/x/pids.current", "v1/x", "v1/cgroup.procs",
      "v1", "own", folder};
  for (size_t i = 0; i < sizeof made / sizeof made[0]; ++i) {
    CHECK(remove(made[i]) == 0);
  }
}

void run_pure_cases(void) {
  RUN(frame_as_plainly);
  RUN(records_as_plainly);
  RUN(names_are_known);
  RUN(users_are_found);
  RUN(pipes_grow);
  RUN(limits_of_tasks_are_read);
}
