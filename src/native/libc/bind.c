/*
 * The main program of the libraries inside: it does for Node what a dynamic loader does, and starts Node on the stack
 * that the kernel has made.
 */
#include <nss.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../array.h"
#include "node-image.h"
#include "limits.h"

struct word {
  uint64_t *target;
  uint64_t value;
};

struct constant_copy {
  void *target;
  const void *source;
  size_t size;
};

/* Functions of Node that its first instructions name. */
typedef int main_function(int argc, char **argv, char **environment);
typedef void initializer(int argc, char **argv, char **environment);

/* Tables of build/libc/import-table.ts. */
extern const struct word node_words[];
extern const struct word node_words_end[];
extern const struct constant_copy node_copies[];
extern const struct constant_copy node_copies_end[];

extern uint64_t *initial_stack;
extern char **environ;

int start_node_main(main_function *node_main, int argc, char **argv, initializer *initialize, void (*finish)(void));

/*
 * Gives the shared variables of stdio and of the time zone their first values. In other programs, the linker does. It
 * runs before the constructors of the libraries.
 */
static void initialize_shared(void) {
  extern struct _IO_FILE_plus _IO_2_1_stdin_;
  extern struct _IO_FILE_plus _IO_2_1_stdout_;
  extern struct _IO_FILE_plus _IO_2_1_stderr_;
  static const char zone[] = "GMT";
  *(void **)NODE_ADDRESS_stdin = &_IO_2_1_stdin_;
  *(void **)NODE_ADDRESS_stdout = &_IO_2_1_stdout_;
  *(void **)NODE_ADDRESS_stderr = &_IO_2_1_stderr_;
  const char **names = (const char **)NODE_ADDRESS___tzname;
  names[0] = names[1] = zone;
}
__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) = initialize_shared;

/* The variables are those of the libraries; their distance from the thread pointer is the same in every thread. */
static void relocate_thread_words(void) {
#define DECLARE(address, symbol, addend) extern _Thread_local char symbol[];
  NODE_THREAD_WORDS(DECLARE)
#undef DECLARE
#define RELOCATE(address, symbol, addend) \
  *(uint64_t *)(address) = (uint64_t)(symbol) - (uint64_t)__builtin_thread_pointer() + (addend);
  NODE_THREAD_WORDS(RELOCATE)
#undef RELOCATE
}

static void relocate_node(void) {
  for (const struct constant_copy *copy = node_copies; copy < node_copies_end; ++copy) {
    memcpy(copy->target, copy->source, copy->size);
  }
  for (const struct word *word = node_words; word < node_words_end; ++word) {
    *word->target = word->value;
  }
  relocate_thread_words();
  const uint64_t mask = ~((uint64_t)getpagesize() - 1);
  const uint64_t start = NODE_CONSTANTS & mask;
  mprotect((void *)start, (NODE_CONSTANTS_END & mask) - start, PROT_READ);
}

/*
 * Keeps glibc from loading modules of the system for names, which are made for another glibc. A host is looked up in
 * /etc/hosts and by DNS, everything else in files.
 */
static void look_up_in_files(void) {
  static const char *const databases[] = {
      "passwd",   "group",    "shadow", "gshadow", "initgroups", "services",  "protocols",
      "networks", "ethers",   "rpc",    "netgroup", "aliases",    "publickey",
  };
  for (size_t i = 0; i < COUNT(databases); ++i) {
    __nss_configure_lookup(databases[i], "files");
  }
  __nss_configure_lookup("hosts", "files dns");
}

/* Goes to Node's first instruction, with the registers as the kernel sets them. This stack is not used any more. */
_Noreturn static void enter_node(void) {
#if defined __x86_64__
  __asm__ volatile(
      "mov %0, %%rsp\n"
      "xor %%edx, %%edx\n"
      "xor %%ebp, %%ebp\n"
      "jmp *%1"
      :
      : "a"(initial_stack), "c"(NODE_ENTRY)
      : "memory");
#else
  register uint64_t *stack __asm__("x16") = initial_stack;
  register uint64_t entry __asm__("x17") = NODE_ENTRY;
  __asm__ volatile(
      "mov sp, %0\n"
      "mov x0, #0\n"
      "mov x29, #0\n"
      "mov x30, #0\n"
      "br %1"
      :
      : "r"(stack), "r"(entry)
      : "memory");
#endif
  __builtin_unreachable();
}

int main(void) {
  require_limits();
  relocate_node();
  look_up_in_files();
  enter_node();
}

/* Called by Node's first instructions in place of __libc_start_main: libc is up already. */
int start_node_main(main_function *node_main, int argc, char **argv, initializer *initialize, void (*finish)(void)) {
  if (finish != NULL) {
    atexit(finish);
  }
  if (initialize != NULL) {
    initialize(argc, argv, environ);
  }
  exit(node_main(argc, argv, environ));
}
