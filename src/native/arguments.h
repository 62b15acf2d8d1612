/*
 * Reading JavaScript values into C. The first value of a wrong kind is noted by its name, and a harmless value is
 * returned in its place. So a caller checks only once, at the end. arguments_free frees all memory of the arguments.
 */
#ifndef ONEVISOR_ARGUMENTS_H
#define ONEVISOR_ARGUMENTS_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arguments {
  napi_env env;
  struct memory_block *blocks;
  const char *wrong;    /* name of the first value of a wrong kind; NULL if there is none */
  const char *with_nul; /* name of the first string with a NUL, which a C string cannot hold; NULL if there is none */
};

/* Limits of a number, both included. */
struct range {
  int64_t lowest;
  int64_t highest;
};

struct string_list {
  char **strings; /* ends with NULL */
  size_t count;
};

void *arguments_allocate(struct arguments *arguments, size_t count, size_t size);
void arguments_free(struct arguments *arguments);

napi_value read_property(struct arguments *arguments, napi_value object, const char *name);
bool is_null(struct arguments *arguments, napi_value value);
napi_valuetype type_of(struct arguments *arguments, napi_value value);
char *read_string(struct arguments *arguments, napi_value value, const char *name);
struct string_list read_strings(struct arguments *arguments, napi_value value, const char *name);
bool read_boolean(struct arguments *arguments, napi_value value, const char *name);
/* A whole number within `range`. */
int64_t read_integer(struct arguments *arguments, napi_value value, const char *name, struct range range);
/* A number of 0 or more; RLIM_INFINITY for Infinity. */
uint64_t read_amount(struct arguments *arguments, napi_value value, const char *name);
uint32_t array_length(struct arguments *arguments, napi_value value, const char *name);
napi_value read_element(struct arguments *arguments, napi_value array, uint32_t index, const char *name);

#endif
