/*
 * The objects in memory, as Node and the code that unwinds the stack ask a dynamic loader for them: Node and the
 * libraries inside.
 */
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "node-image.h"
#include "tables.h"

/* Begin and end of the libraries in memory; the linker knows them. */
extern const Elf64_Ehdr __ehdr_start;
extern char _end[];

int __wrap__dl_find_object(void *address, struct dl_find_object *result);
int inside_dladdr(const void *address, Dl_info *info);

enum { OBJECTS = 2 };

static struct dl_phdr_info describe_node(void) {
  return (struct dl_phdr_info){
      .dlpi_name = "",
      .dlpi_phdr = inside_table.segments,
      .dlpi_phnum = (Elf64_Half)inside_table.count,
      .dlpi_adds = OBJECTS,
  };
}

static struct dl_phdr_info describe_libraries(void) {
  return (struct dl_phdr_info){
      .dlpi_name = "[libraries inside]",
      .dlpi_phdr = (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff),
      .dlpi_phnum = __ehdr_start.e_phnum,
      .dlpi_adds = OBJECTS,
  };
}

/* Node comes first: it looks for its single-file program in the first object. */
int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data) {
  struct dl_phdr_info node = describe_node();
  const int result = callback(&node, sizeof node, data);
  if (result != 0) {
    return result;
  }
  struct dl_phdr_info libraries = describe_libraries();
  return callback(&libraries, sizeof libraries, data);
}

static const Elf64_Phdr *find_segment(const struct dl_phdr_info *object, Elf64_Word type, uint64_t address) {
  const Elf64_Phdr *end = object->dlpi_phdr + object->dlpi_phnum;
  for (const Elf64_Phdr *segment = object->dlpi_phdr; segment < end; ++segment) {
    const int is_wanted = type != PT_LOAD || address - segment->p_vaddr < segment->p_memsz;
    if (segment->p_type == type && is_wanted) {
      return segment;
    }
  }
  return NULL;
}

/* Fills in the map that has an address. The tables for unwinding are those of the whole object. */
static int describe_map(const struct dl_phdr_info *object, uint64_t address, struct dl_find_object *result) {
  const Elf64_Phdr *load = find_segment(object, PT_LOAD, address);
  const Elf64_Phdr *frames = find_segment(object, PT_GNU_EH_FRAME, 0);
  if (load == NULL || frames == NULL) {
    return -1;
  }
  *result = (struct dl_find_object){
      .dlfo_map_start = (void *)load->p_vaddr,
      .dlfo_map_end = (void *)(load->p_vaddr + load->p_memsz),
      .dlfo_eh_frame = (void *)frames->p_vaddr,
  };
  return 0;
}

static int is_in_libraries(const void *address) {
  return (const char *)address >= (const char *)&__ehdr_start && (const char *)address < _end;
}

/* Takes the place of _dl_find_object(3), which libgcc asks and which knows one object in a static executable. */
int __wrap__dl_find_object(void *address, struct dl_find_object *result) {
  const struct dl_phdr_info object = is_in_libraries(address) ? describe_libraries() : describe_node();
  return describe_map(&object, (uint64_t)address, result);
}

/* The exported symbol of Node that has an address; NULL for most functions, whose names are not in the executable. */
static const Elf64_Sym *find_symbol(uint64_t address) {
  for (const Elf64_Sym *symbol = (const Elf64_Sym *)NODE_SYMBOLS; symbol < (const Elf64_Sym *)NODE_NAMES; ++symbol) {
    if (symbol->st_shndx != SHN_UNDEF && address - symbol->st_value < symbol->st_size) {
      return symbol;
    }
  }
  return NULL;
}

/*
 * Names what has an address, for the stack traces of Node's crash reports. Node asks only when it is about to end, so
 * the search may be slow.
 */
int inside_dladdr(const void *address, Dl_info *info) {
  if (is_in_libraries(address)) {
    *info = (Dl_info){.dli_fname = "libraries inside", .dli_fbase = (void *)&__ehdr_start};
    return 1;
  }
  const struct dl_phdr_info node = describe_node();
  if (find_segment(&node, PT_LOAD, (uint64_t)address) == NULL) {
    return 0;
  }
  *info = (Dl_info){.dli_fname = "node", .dli_fbase = (void *)NODE_START};
  const Elf64_Sym *symbol = find_symbol((uint64_t)address);
  if (symbol != NULL) {
    info->dli_sname = (const char *)NODE_NAMES + symbol->st_name;
    info->dli_saddr = (void *)symbol->st_value;
  }
  return 1;
}
