/*
 * Records of log output. Most bytes of a message stay as they are, so eight of them are looked at and copied at a time.
 */
#include "record.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");

/* Most bytes that one byte of a message becomes: \u001b. And those of the quotes. */
enum { MOST_ESCAPED = 6, QUOTES = 2, WORD = sizeof(uint64_t) };

/* The same byte in each byte of a word, and the highest bit of each byte. */
static const uint64_t EACH = 0x0101010101010101U;
static const uint64_t HIGHEST = 0x8080808080808080U;

/*
 * Returns a word with the highest bit of each byte that must be escaped. Bytes above the first such byte may be marked
 * too, since a subtraction borrows from them: only the lowest mark is exact.
 */
static inline uint64_t marks_of(uint64_t word) {
  const uint64_t quote = word ^ (EACH * '"');
  const uint64_t slash = word ^ (EACH * '\\');
  return (((quote - EACH) & ~quote) | ((slash - EACH) & ~slash) | ((word - EACH * 0x20) & ~word)) & HIGHEST;
}

/* Writes the escape of a byte, and returns its end. */
static inline uint8_t *escape_byte(uint8_t byte, uint8_t *to) {
  static const char digits[] = "0123456789abcdef";
  /* Characters after the backslash; the others are `u` and four digits. */
  static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
  const char letter = byte < sizeof letters ? letters[byte] : (char)byte;
  *to++ = '\\';
  if (letter != 0) {
    *to++ = (uint8_t)letter;
    return to;
  }
  memcpy(to, "u00", 3);
  to[3] = (uint8_t)digits[byte >> 4];
  to[4] = (uint8_t)digits[byte & 15];
  return to + 5;
}

/* Writes the escaped message, and returns its end. There is room for MOST_ESCAPED times its length. */
static uint8_t *escape(const uint8_t *from, size_t length, uint8_t *to) {
  while (length >= WORD) {
    uint64_t word;
    memcpy(&word, from, WORD);
    memcpy(to, &word, WORD);
    const uint64_t marks = marks_of(word);
    if (marks == 0) {
      from += WORD;
      to += WORD;
      length -= WORD;
      continue;
    }
    const size_t plain = (size_t)__builtin_ctzll(marks) / 8;
    to = escape_byte(from[plain], to + plain);
    from += plain + 1;
    length -= plain + 1;
  }
  for (; length > 0; --length, ++from) {
    if (*from < 0x20 || *from == '"' || *from == '\\') {
      to = escape_byte(*from, to);
    } else {
      *to++ = *from;
    }
  }
  return to;
}

static inline uint8_t *copy(uint8_t *to, struct frame_bytes bytes) {
  memcpy(to, bytes.bytes, bytes.length);
  return to + bytes.length;
}

/* Returns the bytes that a record of `length` bytes may need. */
static inline size_t most_bytes(const struct record_form *form, size_t length) {
  return form->head.length + form->tail.length + QUOTES + MOST_ESCAPED * length;
}

/* Writes a record, and returns its end. */
static inline uint8_t *write_record(
    const struct record_form *form, const uint8_t *message, size_t length, uint8_t *target) {
  uint8_t *to = copy(target, form->head);
  *to++ = '"';
  to = escape(message, length, to);
  *to++ = '"';
  return copy(to, form->tail);
}

/* True if the first character besides white space of JSON is a brace. */
static bool begins_with_brace(const uint8_t *line, size_t length) {
  for (size_t at = 0; at < length; ++at) {
    if (line[at] != ' ' && line[at] != '\t' && line[at] != '\r') {
      return line[at] == '{';
    }
  }
  return false;
}

struct frame_outcome record_lines(
    struct frame_bytes source, const struct record_form *form, bool stops_at_object, uint8_t *target, size_t room) {
  struct frame_outcome outcome = {0, 0};
  while (outcome.taken < source.length) {
    const uint8_t *line = source.bytes + outcome.taken;
    const uint8_t *newline = memchr(line, '\n', source.length - outcome.taken);
    if (newline == NULL) {
      break;
    }
    size_t length = (size_t)(newline - line);
    const size_t taken = length + 1;
    if (length > 0 && line[length - 1] == '\r') {
      --length;
    }
    if (most_bytes(form, length) > room - outcome.written || (stops_at_object && begins_with_brace(line, length))) {
      break;
    }
    outcome.written = (size_t)(write_record(form, line, length, target + outcome.written) - target);
    outcome.taken += taken;
  }
  return outcome;
}

struct frame_outcome record_text(
    struct frame_bytes source, const struct record_form *form, uint8_t *target, size_t room) {
  if (most_bytes(form, source.length) > room) {
    return (struct frame_outcome){0, 0};
  }
  const uint8_t *end = write_record(form, source.bytes, source.length, target);
  return (struct frame_outcome){source.length, (size_t)(end - target)};
}
