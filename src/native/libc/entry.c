/*
 * The first instructions of the process. They choose the libraries that it runs with: by default those inside the
 * executable, with ONEVISOR_LIBC=system those of the system. No libc is up: there are no thread-local variables, no
 * errno and no functions of libc, also none that the compiler would call by itself.
 */
#include "entry.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

#include "kernel-calls.h"
#include "node-image.h"
#include "tables.h"

/*
 * Filled in by the build. The values are there so that the compiler takes them for no zeros; the section becomes
 * read-only before Node starts.
 */
#define FILLED_IN __attribute__((section(".data.rel.ro.tables")))
struct segment_table inside_table FILLED_IN = {.count = 1};
struct segment_table system_table FILLED_IN = {.count = 1};

/* The stack as the kernel has left it: argc, argv, environment, auxiliary vector. */
uint64_t *initial_stack;

/* Entry point of the static libc inside. */
extern char _start[];
/* Ends the process with 0. It takes the place of Node while the libraries of the system are tried. */
extern char end_trial[];

/* Calls choose_start with the stack of the kernel, then goes to the address that it returns, with the same stack. */
#if defined __x86_64__
__asm__(
    ".globl enter_process, end_trial\n"
    ".type enter_process, @function\n"
    "enter_process:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rbx\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call choose_start\n"
    "  mov %rbx, %rsp\n"
    /* A function for atexit(3), of which there is none. */
    "  xor %edx, %edx\n"
    "  jmp *%rax\n"
    "end_trial:\n"
    "  xor %edi, %edi\n"
    "  mov $231, %eax\n"
    "  syscall\n");
#else
__asm__(
    ".globl enter_process, end_trial\n"
    ".type enter_process, %function\n"
    "enter_process:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x19, sp\n"
    "  mov x0, sp\n"
    "  bl choose_start\n"
    "  mov x16, x0\n"
    "  mov x0, #0\n"
    "  mov sp, x19\n"
    "  br x16\n"
    "end_trial:\n"
    "  mov x0, #0\n"
    "  mov x8, #94\n"
    "  svc #0\n");
#endif

uint64_t choose_start(uint64_t *stack);

/* The reason why the libraries of the system cannot be used; longer texts are cut. */
enum { REASON_BYTES = 512 };

/* Exit codes: as for a wrong configuration, and as dynamic loaders do. */
enum { WRONG_VALUE = 2, NO_LIBRARIES = 127 };

_Noreturn static void end_with_line(const char *line, const char *end, int code) {
  kernel_call(SYS_write, 2, (long)line, end - line, 0, 0, 0);
  for (;;) {
    kernel_call(SYS_exit_group, code, 0, 0, 0, 0, 0);
  }
}

_Noreturn static void refuse_value(void) {
  static const char line[] =
      "onevisor: cannot use the value of ONEVISOR_LIBC: write system, or leave the variable out\n";
  end_with_line(line, line + sizeof line - 1, WRONG_VALUE);
}

_Noreturn static void refuse_system(const char *reason, uint64_t reason_bytes) {
  static const char start[] = "onevisor: cannot use the system's libraries (ONEVISOR_LIBC=system): ";
  static const char advice[] = "; without ONEVISOR_LIBC, those inside the executable are used\n";
  char line[sizeof start + REASON_BYTES + sizeof advice];
  char *end = append(line, start, sizeof start - 1);
  end = append(end, reason, reason_bytes < REASON_BYTES ? reason_bytes : REASON_BYTES);
  end = append(end, advice, sizeof advice - 1);
  end_with_line(line, end, NO_LIBRARIES);
}

/* Facts that the kernel gives to a new process. */
struct start {
  char **environment;
  Elf64_auxv_t *facts;
  uint64_t page_size;
};

static struct start read_start(uint64_t *stack) {
  const uint64_t argc = stack[0];
  struct start start = {.environment = (char **)(stack + 1 + argc + 1), .page_size = 4096};
  char **end = start.environment;
  while (*end != NULL) {
    ++end;
  }
  start.facts = (Elf64_auxv_t *)(end + 1);
  for (const Elf64_auxv_t *fact = start.facts; fact->a_type != AT_NULL; ++fact) {
    if (fact->a_type == AT_PAGESZ) {
      start.page_size = fact->a_un.a_val;
    }
  }
  return start;
}

/* Tells the libraries which executable they start: Node, not the file with all of it. */
static void describe_node(Elf64_auxv_t *facts, const struct segment_table *table, uint64_t base, uint64_t entry) {
  for (Elf64_auxv_t *fact = facts; fact->a_type != AT_NULL; ++fact) {
    switch (fact->a_type) {
      case AT_PHDR: fact->a_un.a_val = (uint64_t)table->segments; break;
      case AT_PHNUM: fact->a_un.a_val = table->count; break;
      case AT_BASE: fact->a_un.a_val = base; break;
      case AT_ENTRY: fact->a_un.a_val = entry; break;
      default: break;
    }
  }
}

/* Text of the dynamic loader about a library that it cannot use. */
struct complaint {
  char text[REASON_BYTES];
  uint64_t length;
};

/* Reads to the end of a pipe; keeps the first line. */
static void read_complaint(int fd, struct complaint *complaint) {
  char piece[REASON_BYTES];
  int is_line_over = 0;
  long got;
  while ((got = kernel_call(SYS_read, fd, (long)piece, sizeof piece, 0, 0, 0)) > 0) {
    for (long i = 0; i < got && !is_line_over; ++i) {
      is_line_over = piece[i] == '\n' || complaint->length == REASON_BYTES;
      if (!is_line_over) {
        complaint->text[complaint->length++] = piece[i];
      }
    }
  }
}

enum trial { CAN_USE, CANNOT_USE, IS_CHILD };

/*
 * Lets a child load the libraries of the system, and ends it where Node would begin. The dynamic loader has rules of
 * its own for what it finds and accepts, and ends the process with a text if something is missing. Returns in the
 * child, too. Without a child, nothing is tried.
 */
static enum trial try_system(struct complaint *complaint) {
  int ends[2];
  if (is_failure(kernel_call(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0))) {
    return CAN_USE;
  }
  const long child = kernel_call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
  if (child == 0) {
    kernel_call(SYS_dup3, ends[1], 2, 0, 0, 0, 0);
    return IS_CHILD;
  }
  kernel_call(SYS_close, ends[1], 0, 0, 0, 0, 0);
  int status = 0;
  if (!is_failure(child)) {
    read_complaint(ends[0], complaint);
    kernel_call(SYS_wait4, child, (long)&status, 0, 0, 0, 0);
  }
  kernel_call(SYS_close, ends[0], 0, 0, 0, 0, 0);
  return status == 0 ? CAN_USE : CANNOT_USE;
}

/* Preloaded libraries of the application are not run twice. */
static void drop_preload(char **environment) {
  for (; *environment != NULL; ++environment) {
    if (begins_with(*environment, "LD_PRELOAD=")) {
      **environment = 'X';
    }
  }
}

static uint64_t choose_system(const struct start *start) {
  struct complaint complaint;
  complaint.length = 0;
  const enum trial trial = try_system(&complaint);
  if (trial == CANNOT_USE) {
    static const char silent[] = "their loader fails";
    if (complaint.length == 0) {
      complaint.length = (uint64_t)(append(complaint.text, silent, sizeof silent - 1) - complaint.text);
    }
    refuse_system(complaint.text, complaint.length);
  }
  if (trial == IS_CHILD) {
    drop_preload(start->environment);
  }
  const struct system_loader loader = map_system_loader(start->page_size);
  if (loader.entry == 0) {
    char reason[REASON_BYTES];
    static const char text[] = "there is no usable ";
    char *end = append(reason, text, sizeof text - 1);
    end = append(end, loader_path, length_of(loader_path));
    if (trial == IS_CHILD) {
      /* The parent makes the sentence. */
      end_with_line(reason, end, NO_LIBRARIES);
    }
    refuse_system(reason, (uint64_t)(end - reason));
  }
  describe_node(start->facts, &system_table, loader.base, trial == IS_CHILD ? (uint64_t)end_trial : NODE_ENTRY);
  return loader.entry;
}

/*
 * Puts zeros where the build has taken the compiler of TypeScript out of Node's JavaScript. It is never used; a plug-in
 * that calls module.stripTypeScriptTypes gets an exception, and would end the process without these pages.
 */
static void fill_absent_pages(void) {
  kernel_call(SYS_mmap, (long)NODE_ABSENT_START, (long)(NODE_ABSENT_END - NODE_ABSENT_START), PROT_READ,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Value of ONEVISOR_LIBC; NULL if it is not set. */
static const char *wanted_libraries(char **environment) {
  static const char name[] = "ONEVISOR_LIBC=";
  for (; *environment != NULL; ++environment) {
    if (begins_with(*environment, name)) {
      return *environment + sizeof name - 1;
    }
  }
  return NULL;
}

__attribute__((used)) uint64_t choose_start(uint64_t *stack) {
  initial_stack = stack;
  const struct start start = read_start(stack);
  const char *wanted = wanted_libraries(start.environment);
  static const char system[] = "system";
  const int is_system = wanted != NULL && begins_with(wanted, system) && wanted[sizeof system - 1] == '\0';
  if (wanted != NULL && *wanted != '\0' && !is_system) {
    refuse_value();
  }
  set_variables_aside(start.environment, is_system);
  fill_absent_pages();
  fill_standard_streams();
  if (is_system) {
    return choose_system(&start);
  }
  hold_early_signals();
  describe_node(start.facts, &inside_table, 0, NODE_ENTRY);
  return (uint64_t)_start;
}
