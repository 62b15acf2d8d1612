/* Tests of the C parts that start no process: framing compared with a simple version, names, users, pipes. */
#include "check.h"
#include "child.h"
#include "frame.h"
#include "names.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

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

void run_pure_cases(void) {
  RUN(frame_as_plainly);
  RUN(names_are_known);
  RUN(users_are_found);
  RUN(pipes_grow);
}
