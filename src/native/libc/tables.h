/*
 * Tables of segments of the joined executable. The build (build/libc/join.ts) fills them in; C reads them.
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

/* For the kernel: Node and the libraries. The header of the file leads to this table. */
extern struct segment_table kernel_table;
/* For the libraries inside: Node, with the thread-local variables of both. */
extern struct segment_table inside_table;
/* For the system's dynamic loader: Node as its linker has made it. */
extern struct segment_table system_table;

#endif
