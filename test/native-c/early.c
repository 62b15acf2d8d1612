/*
 * Tests of the parts that run before any libc: variables that are set aside, and the system's loader in memory.
 */
#include "check.h"
#include "libc/entry.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#define ASIDE "ONEVISOR_SET_ASIDE_"

static void variables_are_set_aside(void) {
  char path[] = "PATH=/bin", debug[] = "NODE_DEBUG=net", mode[] = "NODE_ENV=production", node[] = "NODE=1";
  char tunables[] = "GLIBC_TUNABLES=a=b", arenas[] = "MALLOC_ARENA_MAX=1", preload[] = "LD_PRELOAD=/x", empty[] = "";
  char locale[] = "LOCPATH=", longer[] = "LOCPATHS=1";
  char *environment[] = {path, debug, mode, node, tunables, arenas, preload, empty, locale, longer, NULL};
  set_variables_aside(environment, 0);
  const char *const expected[] = {
      "PATH=/bin", ASIDE "NODE_DEBUG=net", "NODE_ENV=production", "NODE=1", ASIDE "GLIBC_TUNABLES=a=b",
      ASIDE "MALLOC_ARENA_MAX=1", ASIDE "LD_PRELOAD=/x", "", ASIDE "LOCPATH=", "LOCPATHS=1",
  };
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i) {
    if (strcmp(environment[i], expected[i]) != 0) {
      fprintf(stderr, "%s, not %s\n", environment[i], expected[i]);
      _exit(1);
    }
  }
  CHECK(environment[10] == NULL);
  CHECK(environment[0] == path);
}

static void loader_variables_stay_for_the_loader(void) {
  char preload[] = "LD_PRELOAD=/x", options[] = "NODE_OPTIONS=--x";
  char *environment[] = {preload, options, NULL};
  set_variables_aside(environment, 1);
  CHECK(environment[0] == preload);
  CHECK(strcmp(environment[1], ASIDE "NODE_OPTIONS=--x") == 0);
}

static void nothing_to_set_aside(void) {
  char *environment[] = {NULL};
  set_variables_aside(environment, 0);
  CHECK(environment[0] == NULL);
}

/* Memory behind the bytes of the file must be zero: the loader has its variables there. */
static void loader_is_mapped(void) {
  const struct system_loader loader = map_system_loader((uint64_t)getpagesize());
  CHECK(loader.base != 0);
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)loader.base;
  CHECK(memcmp(header->e_ident, ELFMAG, SELFMAG) == 0);
  CHECK_EQUAL(loader.entry, loader.base + header->e_entry);
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(loader.base + header->e_phoff);
  uint64_t zeros = 0;
  for (int i = 0; i < header->e_phnum; ++i) {
    const Elf64_Phdr *segment = &segments[i];
    if (segment->p_type != PT_LOAD) {
      continue;
    }
    const char *bytes = (const char *)loader.base + segment->p_vaddr;
    for (uint64_t k = segment->p_filesz; k < segment->p_memsz; ++k) {
      CHECK_EQUAL(bytes[k], 0);
      ++zeros;
    }
  }
  CHECK(zeros > 0);
}

static void texts(void) {
  char target[8];
  CHECK_EQUAL(length_of(""), 0);
  CHECK_EQUAL(length_of("abc"), 3);
  CHECK(begins_with("abc", "ab") && begins_with("abc", "") && !begins_with("ab", "abc") && !begins_with("", "a"));
  CHECK(append(append(target, "ab", 2), "c", 2) == target + 4);
  CHECK(strcmp(target, "abc") == 0);
}

void run_early_cases(void) {
  RUN(texts);
  RUN(variables_are_set_aside);
  RUN(loader_variables_stay_for_the_loader);
  RUN(nothing_to_set_aside);
  RUN(loader_is_mapped);
}
