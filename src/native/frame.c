/*
 * Framing of log output. It runs once for every byte that a program writes, so it is all memchr and memcpy.
 */
#include "frame.h"

#include <stdbool.h>
#include <string.h>

/* A copy of a constant size is a few moves, where memcpy must first find out what it is asked for. */
enum { CHUNK = 32, SHORT_PREFIX = 64, SHORT_LINE = 512 };

/* Copies `length` bytes and whatever follows them up to a whole chunk: both sides must have that room. */
static inline void copy_chunks(uint8_t *to, const uint8_t *from, size_t length) {
  for (size_t at = 0; at < length; at += CHUNK) {
    memcpy(to + at, from + at, CHUNK);
  }
}

struct frame_outcome frame_lines(struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  uint8_t padded[SHORT_PREFIX] = {0};
  const bool is_short = prefix.length <= sizeof padded;
  if (is_short) {
    memcpy(padded, prefix.bytes, prefix.length);
  }
  for (;;) {
    const uint8_t *line = source.bytes + outcome.taken;
    const size_t left = source.length - outcome.taken;
    const uint8_t *newline = memchr(line, '\n', left);
    if (newline == NULL) {
      return outcome;
    }
    const size_t length = (size_t)(newline - line) + 1;
    const size_t space = room - outcome.written;
    if (length + prefix.length > space) {
      return outcome;
    }
    uint8_t *to = target + outcome.written;
    if (is_short && length < SHORT_LINE && left >= length + CHUNK && space >= prefix.length + length + SHORT_PREFIX + CHUNK) {
      /*
       * What the chunks carry beyond the prefix is overwritten by the line, and beyond the line by the next one or
       * never shown.
       */
      copy_chunks(to, padded, prefix.length);
      copy_chunks(to + prefix.length, line, length);
    } else {
      memcpy(to, prefix.bytes, prefix.length);
      memcpy(to + prefix.length, line, length);
    }
    outcome.taken += length;
    outcome.written += prefix.length + length;
  }
}
