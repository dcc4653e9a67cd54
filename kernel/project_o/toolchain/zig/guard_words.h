/* Last words: which cell it was, where nothing can be saved. Nothing here allocates or locks. */

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Keep in step with limits.py. */
#define NAMES_KEPT 512
#define NAME_BYTES 64
#define WORDS_BYTES 1024
#define LINGER_NANOSECONDS 300000000

/* In a Jupyter kernel the descriptor 2 is a pipe that a thread of this very process reads for the notebook. */
static volatile int terminal = -1;

EXPORT void o_guard_terminal(int descriptor) { terminal = descriptor; }

static void write_all(int descriptor, const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(descriptor, text, length);
        if (written <= 0) return;
        text += written;
        length -= (size_t)written;
    }
}

/* All of it is written at once, or what others write at this moment comes in between. */
static char words[WORDS_BYTES];
static size_t words_length;

static void say(const char *text, size_t length) {
    if (length > WORDS_BYTES - words_length) length = WORDS_BYTES - words_length;
    memcpy(words + words_length, text, length);
    words_length += length;
}

static void said(void) {
    write_all(2, words, words_length);
    if (terminal >= 0) write_all(terminal, words, words_length);
    words_length = 0;
}
#define SAY(literal) say(literal, sizeof(literal) - 1)

/* The newest libraries, by where their code lies; of several at one place the newest is the one that is there. */
static struct { uint64_t low, high; char name[NAME_BYTES]; } names[NAMES_KEPT];
static uint32_t names_told;

EXPORT void o_guard_name(const uint64_t text[2], const char *name) {
    uint32_t slot = __atomic_fetch_add(&names_told, 1, __ATOMIC_RELAXED) % NAMES_KEPT;
    names[slot].low = names[slot].high = 0;
    strncpy(names[slot].name, name, NAME_BYTES - 1);
    names[slot].low = text[0];
    names[slot].high = text[1];
}

static void say_whose(uint64_t pc) {
    for (uint32_t back = 1; back <= NAMES_KEPT; back++) {
        uint32_t slot = (names_told - back) % NAMES_KEPT;
        if (pc < names[slot].low || pc >= names[slot].high) continue;
        SAY("the cell ");
        say(names[slot].name, strnlen(names[slot].name, NAME_BYTES));
        return;
    }
    SAY("a native function");
}

/* Time for others to pass on what was said, before the process ends. In a sandbox, where no library has a name, nobody
 * does. */
static void linger(void) {
    if (names_told == 0) return;
    struct timespec rest = {.tv_nsec = LINGER_NANOSECONDS};
    while (nanosleep(&rest, &rest) != 0) {}
}
