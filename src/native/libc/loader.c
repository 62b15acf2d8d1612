/*
 * Maps the system's dynamic loader into memory, as the kernel does for an executable that names one. No libc is up.
 */
#include "entry.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

#include "kernel-calls.h"

#if defined __x86_64__
const char loader_path[] = "/lib64/ld-linux-x86-64.so.2";
#else
const char loader_path[] = "/lib/ld-linux-aarch64.so.1";
#endif

/* The first bytes of the loader's file; its table of segments lies there. */
union head {
  Elf64_Ehdr header;
  char bytes[4096];
};

/* The table of segments in the head of a file; NULL if it is no shared object for 64 bits. */
static const Elf64_Phdr *segments_in(const union head *head, long length) {
  const Elf64_Ehdr *header = &head->header;
  static const char magic[] = ELFMAG "\2\1";
  for (size_t i = 0; i < sizeof magic - 1; ++i) {
    if (length < (long)sizeof *header || header->e_ident[i] != (unsigned char)magic[i]) {
      return NULL;
    }
  }
  const int is_inside = header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr) <= (uint64_t)length;
  return header->e_type == ET_DYN && is_inside ? (const Elf64_Phdr *)(head->bytes + header->e_phoff) : NULL;
}

static int protection_of(const Elf64_Phdr *segment) {
  return ((segment->p_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
         ((segment->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/* Memory behind the bytes of the file is zero: the rest of the last page, and further pages. */
static int map_zeros(uint64_t start, uint64_t end, int protection, uint64_t page_size) {
  const uint64_t page_end = (start + page_size - 1) & ~(page_size - 1);
  for (volatile char *byte = (volatile char *)start; (uint64_t)byte < page_end; ++byte) {
    *byte = 0;
  }
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  return end <= page_end ||
         !is_failure(kernel_call(SYS_mmap, (long)page_end, (long)(end - page_end), protection, flags, -1, 0));
}

static int map_segment(const Elf64_Phdr *segment, uint64_t base, int fd, uint64_t page_size) {
  const uint64_t mask = ~(page_size - 1);
  const uint64_t start = (base + segment->p_vaddr) & mask;
  const uint64_t file_end = base + segment->p_vaddr + segment->p_filesz;
  const int protection = protection_of(segment);
  const long mapped = kernel_call(SYS_mmap, (long)start, (long)(file_end - start), protection,
                                  MAP_PRIVATE | MAP_FIXED, fd, (long)(segment->p_offset & mask));
  const uint64_t end = base + segment->p_vaddr + segment->p_memsz;
  if (is_failure(mapped)) {
    return 0;
  }
  return segment->p_memsz == segment->p_filesz || map_zeros(file_end, end, protection, page_size);
}

static struct system_loader map_file(int fd, uint64_t page_size) {
  const struct system_loader none = {0};
  union head head;
  const long length = kernel_call(SYS_pread64, fd, (long)&head, sizeof head, 0, 0, 0);
  const Elf64_Phdr *segments = segments_in(&head, length);
  if (segments == NULL) {
    return none;
  }
  const Elf64_Phdr *end = segments + head.header.e_phnum;
  uint64_t size = 0;
  for (const Elf64_Phdr *segment = segments; segment < end; ++segment) {
    if (segment->p_type == PT_LOAD) {
      size = segment->p_vaddr + segment->p_memsz;
    }
  }
  const long base = kernel_call(SYS_mmap, 0, (long)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is_failure(base)) {
    return none;
  }
  for (const Elf64_Phdr *segment = segments; segment < end; ++segment) {
    if (segment->p_type == PT_LOAD && !map_segment(segment, (uint64_t)base, fd, page_size)) {
      return none;
    }
  }
  return (struct system_loader){.base = (uint64_t)base, .entry = (uint64_t)base + head.header.e_entry};
}

struct system_loader map_system_loader(uint64_t page_size) {
  const long fd = kernel_call(SYS_openat, AT_FDCWD, (long)loader_path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (is_failure(fd)) {
    return (struct system_loader){0};
  }
  const struct system_loader loader = map_file((int)fd, page_size);
  kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
  return loader;
}
