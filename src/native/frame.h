/*
 * Framing of log output: whole lines from one buffer to another, with a prefix before each. Pure; keeps nothing.
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
 * Copies the whole lines of source to target, prefix before each, for as long as a line fits in room. The two do not
 * overlap.
 */
struct frame_outcome frame_lines(struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room);

#endif
