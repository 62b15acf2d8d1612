/*
 * Reading JavaScript values into C, see arguments.h.
 */
#include "arguments.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uchar.h>

struct memory_block {
  struct memory_block *next;
  /* All bytes of the block, with this header. */
  size_t size;
  max_align_t bytes[];
};

static void note_wrong(struct arguments *arguments, const char *name) {
  if (arguments->wrong == NULL) {
    arguments->wrong = name;
  }
}

void *arguments_allocate(struct arguments *arguments, size_t count, size_t size) {
  struct memory_block *block = NULL;
  size_t bytes = 0;
  if (!__builtin_mul_overflow(count, size, &bytes) && !__builtin_add_overflow(bytes, sizeof *block, &bytes)) {
    block = calloc(1, bytes);
  }
  if (block == NULL) {
    /* Without memory for an argument list the supervisor cannot go on. napi_fatal_error prints a stack and aborts. */
    napi_fatal_error("onevisor", NAPI_AUTO_LENGTH, "out of memory", NAPI_AUTO_LENGTH);
  }
  block->next = arguments->blocks;
  block->size = bytes;
  arguments->blocks = block;
  return block->bytes;
}

void arguments_free(struct arguments *arguments) {
  while (arguments->blocks != NULL) {
    struct memory_block *block = arguments->blocks;
    arguments->blocks = block->next;
    /* The variables of programs have secrets, and freed memory keeps its content. */
    explicit_bzero(block, block->size);
    free(block);
  }
}

static napi_value undefined(struct arguments *arguments) {
  napi_value value = NULL;
  napi_get_undefined(arguments->env, &value);
  return value;
}

napi_value read_property(struct arguments *arguments, napi_value object, const char *name) {
  napi_value value = NULL;
  if (napi_get_named_property(arguments->env, object, name, &value) != napi_ok) {
    note_wrong(arguments, name);
    return undefined(arguments);
  }
  return value;
}

napi_valuetype type_of(struct arguments *arguments, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(arguments->env, value, &type);
  return type;
}

bool is_null(struct arguments *arguments, napi_value value) { return type_of(arguments, value) == napi_null; }

static bool is_high(char16_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }

static bool is_low(char16_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

static size_t put_character(char *text, uint32_t character) {
  if (character < 0x80) {
    text[0] = (char)character;
    return 1;
  }
  size_t length = 2;
  unsigned mark = 0xc0;
  if (character >= 0x10000) {
    length = 4;
    mark = 0xf0;
  } else if (character >= 0x800) {
    length = 3;
    mark = 0xe0;
  }
  for (size_t i = length - 1; i > 0; --i) {
    text[i] = (char)(0x80 | (character & 0x3f));
    character >>= 6;
  }
  text[0] = (char)(mark | character);
  return length;
}

/*
 * Encodes UTF-16 as UTF-8 and returns the length. A lone code unit from U+DC80 to U+DCFF becomes the byte that it
 * stands for (files/bytes.ts). Other lone surrogates become U+FFFD. `text` has room for three bytes for each unit.
 */
static size_t encode_units(const char16_t *units, size_t count, char *text) {
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) {
    const char16_t unit = units[i];
    if (is_high(unit) && i + 1 < count && is_low(units[i + 1])) {
      const uint32_t high = (uint32_t)unit - 0xd800;
      const uint32_t low = (uint32_t)units[++i] - 0xdc00;
      length += put_character(text + length, 0x10000 + (high << 10) + low);
    } else if (unit >= 0xdc80 && unit <= 0xdcff) {
      text[length++] = (char)(unit - 0xdc00);
    } else {
      length += put_character(text + length, is_high(unit) || is_low(unit) ? 0xfffd : unit);
    }
  }
  return length;
}

char *read_string(struct arguments *arguments, napi_value value, const char *name) {
  size_t count = 0;
  if (napi_get_value_string_utf16(arguments->env, value, NULL, 0, &count) != napi_ok) {
    note_wrong(arguments, name);
    return NULL;
  }
  char16_t *units = arguments_allocate(arguments, count + 1, sizeof *units);
  napi_get_value_string_utf16(arguments->env, value, units, count + 1, &count);
  char *text = arguments_allocate(arguments, 3 * count + 1, 1);
  const size_t length = encode_units(units, count, text);
  if (strlen(text) != length && arguments->with_nul == NULL) {
    arguments->with_nul = name;
  }
  return text;
}

uint32_t array_length(struct arguments *arguments, napi_value value, const char *name) {
  uint32_t length = 0;
  if (napi_get_array_length(arguments->env, value, &length) != napi_ok) {
    note_wrong(arguments, name);
    return 0;
  }
  return length;
}

napi_value read_element(struct arguments *arguments, napi_value array, uint32_t index, const char *name) {
  napi_value value = NULL;
  if (napi_get_element(arguments->env, array, index, &value) != napi_ok) {
    note_wrong(arguments, name);
    return undefined(arguments);
  }
  return value;
}

struct string_list read_strings(struct arguments *arguments, napi_value value, const char *name) {
  struct string_list list = {NULL, array_length(arguments, value, name)};
  list.strings = arguments_allocate(arguments, list.count + 1, sizeof *list.strings);
  for (uint32_t i = 0; i < list.count; ++i) {
    list.strings[i] = read_string(arguments, read_element(arguments, value, i, name), name);
  }
  return list;
}

bool read_boolean(struct arguments *arguments, napi_value value, const char *name) {
  bool truth = false;
  if (napi_get_value_bool(arguments->env, value, &truth) != napi_ok) {
    note_wrong(arguments, name);
  }
  return truth;
}

int64_t read_integer(struct arguments *arguments, napi_value value, const char *name, struct range range) {
  double number = 0;
  if (napi_get_value_double(arguments->env, value, &number) != napi_ok || !(number >= (double)range.lowest) ||
      !(number <= (double)range.highest) || (double)(int64_t)number != number) {
    note_wrong(arguments, name);
    return range.lowest;
  }
  return (int64_t)number;
}

uint64_t read_amount(struct arguments *arguments, napi_value value, const char *name) {
  double number = 0;
  if (napi_get_value_double(arguments->env, value, &number) != napi_ok || !(number >= 0)) {
    note_wrong(arguments, name);
    return 0;
  }
  /* 2^64 as a double; Infinity is larger. */
  return number >= 18446744073709551616.0 ? (uint64_t)RLIM_INFINITY : (uint64_t)number;
}
