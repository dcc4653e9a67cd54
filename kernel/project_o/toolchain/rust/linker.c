/* What rustc is told to link with where there is no C compiler: `zig cc`, without the arguments that do harm.
 *
 * A program and not a script, since in a locked build nothing runs but what was named to it, and no shell is.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **given)
{
    static char *const first[] = {"zig", "cc", "-O2", "-fno-sanitize=undefined"};
    const size_t firsts = sizeof first / sizeof *first;
    const char *zig = getenv("O_ZIG");
    char **line = calloc((size_t)count + firsts, sizeof *line);
    size_t length = firsts;

    if (zig == NULL || line == NULL)
        return 127;
    memcpy(line, first, sizeof first);
    for (int k = 1; k < count; k++)
        /* Zig would build an unwinder of its own for it; the one that Rust's shared library brings must be the only one. */
        if (strcmp(given[k], "-lgcc_s") != 0)
            line[length++] = given[k];
    execv(zig, line);
    return 127;
}
