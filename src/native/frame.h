/*
 * Framing of log output: copies whole lines and writes a prefix before each line. Pure.
 */
#ifndef ONEVISOR_FRAME_H
#define ONEVISOR_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct frame_bytes {
  const uint8_t *bytes;
  size_t length;
};

struct frame_outcome {
  size_t taken;
  size_t written;
};

/*
 * Copies the whole lines of source to target, with the prefix before each line, until a line does not fit in `room`.
 * The buffers must not overlap.
 */
struct frame_outcome frame_lines(struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room);

/* Counts the newlines. The compiler makes vector instructions of it, several times as quick as memchr for each line. */
size_t count_newlines(struct frame_bytes source);

#endif
