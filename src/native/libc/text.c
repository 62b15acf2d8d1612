/*
 * The few functions for texts that code before any libc needs.
 */
#include "entry.h"

uint64_t length_of(const char *text) {
  uint64_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  return length;
}

int begins_with(const char *text, const char *start) {
  while (*start != '\0') {
    if (*text++ != *start++) {
      return 0;
    }
  }
  return 1;
}

char *append(char *target, const char *bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    *target++ = bytes[i];
  }
  return target;
}
