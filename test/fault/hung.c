/*
 * A file system that hangs on order, in the protocol of fuse(4): `hung MOUNTPOINT`. Its orders are lines on stdin:
 * `hang` (requests are not taken any more) and `answer`. Each is answered by `ok`. The mount ends with the process.
 *
 * The root has an executable script `program`, a directory `directory`, and for everyone files `log`, `watched` and
 * `log0` to `log9`.
 * Written bytes are counted, not kept. The kernel may cache nothing, so each access asks this process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char script[] = "#!/bin/sh\nexec sleep 86406\n";

struct node {
  const char *name;
  uint32_t mode;
  uint64_t size;
};

/* The number of a node is its index + 1; FUSE_ROOT_ID is 1. */
static struct node nodes[] = {
    {"/", S_IFDIR | 0755, 0},
    {"program", S_IFREG | 0755, sizeof script - 1},
    {"directory", S_IFDIR | 0755, 0},
    {"log", S_IFREG | 0666, 0},
    {"watched", S_IFREG | 0666, 0},
    {"log0", S_IFREG | 0666, 0},
    {"log1", S_IFREG | 0666, 0},
    {"log2", S_IFREG | 0666, 0},
    {"log3", S_IFREG | 0666, 0},
    {"log4", S_IFREG | 0666, 0},
    {"log5", S_IFREG | 0666, 0},
    {"log6", S_IFREG | 0666, 0},
    {"log7", S_IFREG | 0666, 0},
    {"log8", S_IFREG | 0666, 0},
    {"log9", S_IFREG | 0666, 0},
};

enum { NODES = sizeof nodes / sizeof nodes[0], REQUEST_BYTES = 1 << 20 };

static int device;
static _Alignas(8) char request[REQUEST_BYTES];

static void die(const char *what) {
  fprintf(stderr, "hung: %s: %s\n", what, strerror(errno));
  exit(70);
}

static void reply(uint64_t unique, int error, const void *data, size_t size) {
  struct fuse_out_header header = {.len = (uint32_t)(sizeof header + size), .error = -error, .unique = unique};
  const struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)data, size}};
  /* ENOENT: the request was interrupted. */
  if (writev(device, parts, size == 0 ? 1 : 2) < 0 && errno != ENOENT && errno != ENODEV) {
    die("reply");
  }
}

static struct fuse_attr attributes_of(uint64_t number) {
  const struct node *node = &nodes[number - 1];
  return (struct fuse_attr){
      .ino = number, .size = node->size, .mode = node->mode, .nlink = 1, .blksize = 4096, .mtime = node->size};
}

static void look_up(const struct fuse_in_header *header, const char *name) {
  for (uint64_t number = 2; number <= NODES; ++number) {
    if (header->nodeid == FUSE_ROOT_ID && strcmp(nodes[number - 1].name, name) == 0) {
      const struct fuse_entry_out entry = {.nodeid = number, .attr = attributes_of(number)};
      reply(header->unique, 0, &entry, sizeof entry);
      return;
    }
  }
  reply(header->unique, ENOENT, NULL, 0);
}

static void list(const struct fuse_in_header *header, const struct fuse_read_in *wanted) {
  _Alignas(8) char entries[1024];
  size_t size = 0;
  for (uint64_t number = wanted->offset + 2; header->nodeid == FUSE_ROOT_ID && number <= NODES; ++number) {
    const char *name = nodes[number - 1].name;
    struct fuse_dirent *entry = (struct fuse_dirent *)(entries + size);
    *entry = (struct fuse_dirent){.ino = number, .off = number - 1, .namelen = (uint32_t)strlen(name)};
    memcpy(entry->name, name, entry->namelen);
    size += FUSE_DIRENT_SIZE(entry);
  }
  reply(header->unique, 0, entries, size < wanted->size ? size : 0);
}

static void answer(const struct fuse_in_header *header, const void *body) {
  const uint64_t unique = header->unique;
  struct node *node = header->nodeid >= 1 && header->nodeid <= NODES ? &nodes[header->nodeid - 1] : &nodes[0];
  switch (header->opcode) {
  case FUSE_INIT: {
    const struct fuse_init_out init = {
        .major = 7, .minor = 31, .max_readahead = 0, .max_background = 64, .max_write = 65536, .time_gran = 1};
    return reply(unique, 0, &init, sizeof init);
  }
  case FUSE_LOOKUP:
    return look_up(header, body);
  case FUSE_SETATTR: {
    const struct fuse_setattr_in *wanted = body;
    node->size = (wanted->valid & FATTR_SIZE) != 0 ? wanted->size : node->size;
  }
  /* fall through */
  case FUSE_GETATTR: {
    const struct fuse_attr_out out = {.attr = attributes_of(header->nodeid)};
    return reply(unique, 0, &out, sizeof out);
  }
  case FUSE_OPEN:
  case FUSE_OPENDIR: {
    /* exec maps the program, which direct input and output do not allow. */
    const struct fuse_open_out out = {.open_flags = header->nodeid == 2 ? 0 : FOPEN_DIRECT_IO};
    return reply(unique, 0, &out, sizeof out);
  }
  case FUSE_READDIR:
    return list(header, body);
  case FUSE_READ: {
    const struct fuse_read_in *wanted = body;
    const size_t left = header->nodeid == 2 && wanted->offset < sizeof script - 1
                            ? sizeof script - 1 - (size_t)wanted->offset
                            : 0;
    return reply(unique, 0, script + (left > 0 ? wanted->offset : 0), left < wanted->size ? left : wanted->size);
  }
  case FUSE_WRITE: {
    const struct fuse_write_in *wanted = body;
    const struct fuse_write_out out = {.size = wanted->size};
    node->size += wanted->size;
    return reply(unique, 0, &out, sizeof out);
  }
  case FUSE_RELEASE:
  case FUSE_RELEASEDIR:
    return reply(unique, 0, NULL, 0);
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
  case FUSE_INTERRUPT:
    return;
  default:
    /* ENOSYS for FUSE_FLUSH: else the kernel lets each close wait, also at the end of a process, and nothing helps. */
    return reply(unique, ENOSYS, NULL, 0);
  }
}

static void take_request(void) {
  const ssize_t length = read(device, request, sizeof request);
  if (length < 0) {
    if (errno == ENODEV) {
      exit(0);
    }
    return;
  }
  answer((const struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: hung MOUNTPOINT\n");
    return 64;
  }
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    die("/dev/fuse");
  }
  char options[128];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
  if (mount("hung", arguments[1], "fuse.hung", 0, options) != 0) {
    die(arguments[1]);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("mounted\n");
  char line[32];
  for (bool is_hung = false;;) {
    struct pollfd watched[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = is_hung ? -1 : device, .events = POLLIN}};
    poll(watched, 2, -1);
    if (watched[0].revents != 0) {
      if (fgets(line, sizeof line, stdin) == NULL) {
        return 0;
      }
      is_hung = strcmp(line, "hang\n") == 0;
      printf("ok\n");
    } else if (watched[1].revents != 0) {
      take_request();
    }
  }
}
