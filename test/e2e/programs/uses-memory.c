/*
 * uses-memory MEGABYTES WHO: uses that much memory, prints "using", and waits. WHO is the process that uses it. self:
 * the program. child: a grandchild below an idle child. left: a child that has lost its parent but is still in its
 * group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void use(const char *megabytes)
{
    size_t size = (size_t)atoi(megabytes) << 20;
    /* volatile: the compiler may remove writes to memory that is never read. */
    volatile char *memory = malloc(size);

    if (memory == NULL)
        _exit(1);
    for (size_t at = 0; at < size; at += 512)
        memory[at] = 1;
    if (write(STDOUT_FILENO, "using\n", 6) != 6)
        _exit(1);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    if (strcmp(argv[2], "self") == 0 || fork() == 0) {
        if (strcmp(argv[2], "self") != 0) {
            /* The intermediate process stays or exits. */
            if (fork() != 0) {
                if (strcmp(argv[2], "left") == 0)
                    _exit(0);
                for (;;)
                    pause();
            }
        }
        use(argv[1]);
    }
    for (;;)
        pause();
}
