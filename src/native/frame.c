/*
 * Framing of log output. It runs once for every byte that a program writes, so it is all memchr and memcpy.
 */
#include "frame.h"

#include <string.h>

struct frame_outcome frame_lines(struct frame_bytes source, struct frame_bytes prefix, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  for (;;) {
    const uint8_t *line = source.bytes + outcome.taken;
    const uint8_t *newline = memchr(line, '\n', source.length - outcome.taken);
    if (newline == NULL) {
      return outcome;
    }
    const size_t length = (size_t)(newline - line) + 1;
    if (length + prefix.length > room - outcome.written) {
      return outcome;
    }
    memcpy(target + outcome.written, prefix.bytes, prefix.length);
    memcpy(target + outcome.written + prefix.length, line, length);
    outcome.taken += length;
    outcome.written += prefix.length + length;
  }
}
