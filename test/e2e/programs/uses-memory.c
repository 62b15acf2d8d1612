/*
 * Uses as many MB as its first argument says, and says "using" once it does; then it waits. The second argument says
 * who uses them: self; child: a grandchild, below a child that does nothing; left: a child that has lost its parent,
 * but is still of its group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void use(const char *megabytes)
{
    size_t size = (size_t)atoi(megabytes) << 20;
    /* volatile: memory that nobody reads would not be used at all. */
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
            /* The one in between stays, or goes. */
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
