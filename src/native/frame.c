/*
 * Framing of log output. Most output of programs passes through here, so memchr and memcpy do the work.
 */
#include "frame.h"

#include <stdbool.h>
#include <string.h>

/* A copy of a constant size compiles to a few moves; memcpy of a variable size first has to choose a method. */
enum { CHUNK = 32, SHORT_PREFIX = 64, SHORT_LINE = 512 };

/* Copies `length` bytes, rounded up to whole chunks. Both buffers must have that room. */
static inline void copy_chunks(uint8_t *to, const uint8_t *from, size_t length) {
  for (size_t at = 0; at < length; at += CHUNK) {
    memcpy(to + at, from + at, CHUNK);
  }
}

struct frame_outcome frame_lines(struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  uint8_t padded[SHORT_PREFIX] = {0};
  const bool is_short = prefix.length <= sizeof padded;
  /* Node gives an empty buffer as NULL, which memcpy and memchr may not get, even with the length 0. */
  if (source.length == 0) {
    return outcome;
  }
  if (prefix.length == 0) {
    prefix.bytes = padded;
  }
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
    const bool has_room = left >= length + CHUNK && space >= prefix.length + length + SHORT_PREFIX + CHUNK;
    if (is_short && length < SHORT_LINE && has_room) {
      /* The line overwrites the surplus bytes of the prefix. The next line overwrites those of the line. */
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

/* GCC's vectors: 16 bytes at a time, on every architecture. A lane of `matches` is -1 for a newline. */
typedef uint8_t lanes __attribute__((vector_size(16)));
/* A lane counts up to 255 newlines before it overflows. */
enum { LANES = sizeof(lanes), MOST_ROUNDS = 255 };

size_t count_newlines(struct frame_bytes source) {
  const uint8_t *at = source.bytes;
  size_t left = source.length;
  size_t count = 0;
  while (left >= LANES) {
    const size_t rounds = left / LANES < MOST_ROUNDS ? left / LANES : MOST_ROUNDS;
    lanes counts = {0};
    for (size_t i = 0; i < rounds; ++i) {
      lanes block;
      memcpy(&block, at, sizeof block);
      counts -= (lanes)(block == '\n');
      at += LANES;
    }
    left -= rounds * LANES;
    for (size_t i = 0; i < LANES; ++i) {
      count += counts[i];
    }
  }
  for (; left > 0; --left) {
    count += *at++ == '\n';
  }
  return count;
}
