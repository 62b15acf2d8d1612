/*
 * A small stand-in for Node: a dynamic executable with data of ICU, a compiler, thread-local variables, constants and a
 * text, which lies behind the first two.
 */
__asm__(
    ".section .rodata\n"
    ".globl icudt78_dat, node_text\n"
    ".type icudt78_dat, %object\n"
    ".balign 16\n"
    "icudt78_dat: .incbin \"icu.dat\"\n"
    ".size icudt78_dat, . - icudt78_dat\n"
    ".ascii \"AGFzbQ\"\n"
    ".fill 1500000, 1, 0x41\n"
    "node_text: .ascii \"behind the cut\\n\"\n"
    ".text\n");

__thread int thread_local = 7;
extern char node_text[];
__attribute__((section(".data.rel.ro"))) char *constant = node_text;
/* In the part of the data that stays writable. */
char *variable = node_text;

void node_start(void) {}
