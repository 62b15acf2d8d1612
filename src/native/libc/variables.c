/*
 * Environment variables that an application sets for its own programs, and that libc or Node would read for us. They
 * get another name before anything reads them; src/startup/set-aside.ts gives programs the right one. No libc is up.
 */
#include "entry.h"

#include <stddef.h>
#include <sys/mman.h>

#include "../array.h"
#include "kernel-calls.h"

/* As SET_ASIDE in src/startup/set-aside.ts. */
static const char prefix[] = "ONEVISOR_SET_ASIDE_";

/* Begins of variables: a name with "=" is one variable, others are families. */
static const char *const set_aside[] = {
    /* Node and what it is made of. */
    "NODE_",
    "UV_",
    "OPENSSL_",
    "SSL_CERT_",
    "ICU_DATA=",
    /* glibc: its allocator, its character sets and locales, its resolver. */
    "GLIBC_TUNABLES=",
    "MALLOC_",
    "LOCPATH=",
    "GCONV_PATH=",
    "NLSPATH=",
    "GETCONF_DIR=",
    "RES_OPTIONS=",
    "LOCALDOMAIN=",
    "HOSTALIASES=",
    "RESOLV_",
};

/* Variables of Node that say nothing to Node itself: plug-ins may read them. */
static const char *const kept[] = {"NODE_ENV="};

static const char loader_family[] = "LD_";

static int begins_with_any(const char *variable, const char *const *starts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (begins_with(variable, starts[i])) {
      return 1;
    }
  }
  return 0;
}

static int must_be_set_aside(const char *variable, int keeps_loader_variables) {
  if (begins_with(variable, loader_family)) {
    return !keeps_loader_variables;
  }
  return begins_with_any(variable, set_aside, COUNT(set_aside)) && !begins_with_any(variable, kept, COUNT(kept));
}

void set_variables_aside(char **environment, int keeps_loader_variables) {
  uint64_t bytes = 0;
  for (char **variable = environment; *variable != NULL; ++variable) {
    if (must_be_set_aside(*variable, keeps_loader_variables)) {
      bytes += sizeof prefix + length_of(*variable);
    }
  }
  if (bytes == 0) {
    return;
  }
  const long memory =
      kernel_call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is_failure(memory)) {
    return;
  }
  char *end = (char *)memory;
  for (char **variable = environment; *variable != NULL; ++variable) {
    if (must_be_set_aside(*variable, keeps_loader_variables)) {
      const char *original = *variable;
      *variable = end;
      end = append(end, prefix, sizeof prefix - 1);
      end = append(end, original, length_of(original) + 1);
    }
  }
}
