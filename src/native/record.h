/*
 * Records of log output: a JSON or logfmt record for each line. Both formats escape a message alike. Pure.
 */
#ifndef ONEVISOR_RECORD_H
#define ONEVISOR_RECORD_H

#include <stdbool.h>

#include "frame.h"

/* Bytes before and after the quoted message of each record. */
struct record_form {
  struct frame_bytes head;
  struct frame_bytes tail;
};

/*
 * Writes a record for each whole line of source until a line might not fit in `room`, or, with `stops_at_object`, until
 * a line begins with a brace: it may be a JSON object. A carriage return before the newline belongs to the end of the
 * line. The source must be UTF-8. The buffers must not overlap.
 */
struct frame_outcome record_lines(
    struct frame_bytes source, const struct record_form *form, bool stops_at_object, uint8_t *target, size_t room);

/* Writes one record of all bytes, newlines too. Takes nothing if the record might not fit. */
struct frame_outcome record_text(
    struct frame_bytes source, const struct record_form *form, uint8_t *target, size_t room);

#endif
