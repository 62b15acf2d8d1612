/*
 * Tables of segments of the joined executable. The build (build/libc/join.ts) fills them in; C reads them. The table
 * for the kernel is the end of the file, and not in memory.
 */
#ifndef ONEVISOR_TABLES_H
#define ONEVISOR_TABLES_H

#include <elf.h>
#include <stdint.h>

/* As TABLE_CAPACITY in build/libc/join.ts. */
enum { TABLE_CAPACITY = 40 };

struct segment_table {
  uint64_t count;
  Elf64_Phdr segments[TABLE_CAPACITY];
};

/* For the libraries inside: Node, with the thread-local variables of both. */
extern struct segment_table inside_table;
/* For the system's dynamic loader: Node as its linker has made it. */
extern struct segment_table system_table;

#endif
