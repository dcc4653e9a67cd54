/* o.h: the C interface of every native library that Project O loads, number 1.
 *
 * A library is made from a cell, or from a module: a folder with a module.json. Both come out of `project_o` with the
 * functions below, so that any program can use one: dlopen it, ask who it is, make a context, call its functions.
 *
 *     void *library = dlopen("counter.so", RTLD_NOW | RTLD_LOCAL);
 *     o_init_fn init = (o_init_fn)dlsym(library, "o_init");
 *     o_call_fn add = (o_call_fn)dlsym(library, "o_counter_add");
 *     void *counter;
 *     if (init(&counter) != O_OK) return 1;
 *     uint64_t args[2] = {o_pointer(counter), 5}, ret[3];
 *     if (add(args, ret) == O_OK) printf("%llu\n", (unsigned long long)ret[0]);
 *
 * Every library has its own copy of these symbols: load it with RTLD_LOCAL and look them up in its handle.
 */

#ifndef PROJECT_O_H
#define PROJECT_O_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define O_ABI_NUMBER 1

/* ------------------------------------------------------------------------------ status */

/* What every function that can fail returns. */
enum o_status {
    O_OK = 0,
    O_ERROR = -1,             /* what went wrong has a name, see o_get_last_error */
    O_NULL_POINTER = -2,      /* a pointer that must be there is not */
    O_INVALID_PARAMETER = -3, /* a context that is none of this library's; or the module's own error InvalidParameter */
    O_TIMEOUT = -4            /* the module's own error Timeout */
};

/* ------------------------------------------------------------------------------ who it is */

typedef struct o_version {
    uint32_t major, minor, patch;
    const char *git_hash; /* the tree of the module's folder as git names it, 40 hexadecimal digits; "" for a cell */
} o_version;

typedef const char *(*o_get_name_fn)(void);                   /* o_get_name: "counter"; "cell" for a cell */
typedef const char *(*o_get_version_fn)(void);                /* o_get_version: "1.2.3" */
typedef const o_version *(*o_get_version_struct_fn)(void);    /* o_get_version_struct */

/* o_describe: the functions as JSON, the same bytes as the constant o_description, which can be read from the file.
 *
 *     {"functions": [{"name": "add", "parameters": [TYPE, ...], "result": TYPE}, ...], "skipped": [[NAME, WHY], ...]}
 *
 * TYPE is {"kind": K} with K one of
 *     void, bool, int, float     with "bits" and "signed"
 *     slice, matrix              with "child", the element, and "const": true where it is not written
 *     view                       the same, with its dimensions as "length"
 *     array                      with "child" and "length"
 *     struct, tuple              with "name" and "fields": [[NAME, TYPE], ...]
 *     enum                       with "name", "bits", "signed", the names as "fields", their values as "numbers"
 *     optional, error_union      with "child"
 *     context                    the state, always the first parameter, with "const": true where it is only looked at
 *
 * More keys and kinds may come: leave out what you do not know. */
typedef const char *(*o_describe_fn)(void);

/* All text that the functions above give lives as long as the library. */

/* ------------------------------------------------------------------------------ contexts */

/* o_init: make a context, a state of its own where the module has one. O_NULL_POINTER; O_ERROR where the module cannot.
 * Whoever made it gives it back to o_shutdown of the library that holds it: the one that made it, or the last one
 * that took it over. */
typedef int32_t (*o_init_fn)(void **context);
typedef int32_t (*o_shutdown_fn)(void *context);

/* o_get_last_error: the name of the error that a function of this library returned last (Rust: in this thread), "" where
 * there was none. It may be asked without a context. Copy it before the next call. */
typedef const char *(*o_get_last_error_fn)(void *context);

/* Hot reload, optional: o_can_reload and o_reload.
 *
 * A new build takes over a context that another build of the same module has made: load both, let no call be under way,
 * see that both say 1 to o_can_reload and that their constants `o_state_layout` are the same text, and call o_reload of
 * the new one. With O_OK the context is the new build's, and the old one may be unloaded, unless the layout says
 * "pointers": true: then the state may point to the old one's code or constants. With anything else it is
 * still the old one's. */
typedef int32_t (*o_can_reload_fn)(void);
typedef int32_t (*o_reload_fn)(void *context);

/* ------------------------------------------------------------------------------ calls */

/* Each function that the description names is `o_MODULE_NAME`, `o_cell_NAME` for a cell, of this one type.
 *
 * `args` are its arguments, one after the other, as cells of 64 bits:
 *     context                    its address
 *     bool, int, enum            two's complement; above 64 bits two cells, the low word first
 *     float                      the bits of the value as a double
 *     slice                      address, length in elements
 *     matrix                     address, rows, columns, elements from one row to the next
 *     view                       address of the first element, the extents, the strides in elements
 *     array                      its address
 *     struct, tuple              the cells of the fields
 *     optional                   1 and the cells of the payload, or 0 and as many zeros
 *
 * `ret` has room for the cells of the result, at least two, and one more. With O_OK it holds the result, an array by
 * value as one cell for each element, everything else as above; and behind it the handle of the memory that the call
 * allocated for it. Copy what the result points to, then give the handle to o_free of the same library. With O_ERROR,
 * O_INVALID_PARAMETER and O_TIMEOUT the first two cells are the address and the length of the error's name, which is
 * constant or stays until this thread's next call; nothing is left to free. With O_NULL_POINTER they are not written.
 *
 * Arrays are aligned as their elements are. What is passed belongs to the caller, and the library keeps none of it. */
typedef int32_t (*o_call_fn)(const uint64_t *args, uint64_t *ret);

/* o_free: release the memory of one result. 0 is allowed and does nothing. */
typedef void (*o_free_fn)(uint64_t handle);

/* o_set_panic: who is told when a safety check of the language fails: message, its length, and the address it came from
 * or 0. The function leaves the call, by longjmp; if it returns, a library in Zig traps and one in Rust returns O_ERROR. */
typedef void (*o_on_panic_fn)(const char *message, size_t length, uintptr_t return_address);
typedef void (*o_set_panic_fn)(o_on_panic_fn on_panic);

/* ------------------------------------------------------------------------------ cells */

static inline uint64_t o_pointer(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

static inline uint64_t o_from_double(double value) {
    uint64_t cell;
    memcpy(&cell, &value, sizeof cell);
    return cell;
}

static inline double o_to_double(uint64_t cell) {
    double value;
    memcpy(&value, &cell, sizeof value);
    return value;
}

#ifdef __cplusplus
}
#endif

#endif
