/* A program that knows nothing but o.h: it loads the counter and uses all of the interface. */
#include "o.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#define GET(type, name) type name = (type)dlsym(library, #name); if (!name) { puts("no " #name); return 1; }
int main(int count, char **words) {
    if (count != 2) return 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) { puts(dlerror()); return 1; }
    GET(o_get_name_fn, o_get_name) GET(o_get_version_fn, o_get_version) GET(o_describe_fn, o_describe)
    GET(o_get_version_struct_fn, o_get_version_struct) GET(o_init_fn, o_init) GET(o_shutdown_fn, o_shutdown)
    GET(o_get_last_error_fn, o_get_last_error) GET(o_can_reload_fn, o_can_reload) GET(o_reload_fn, o_reload)
    GET(o_call_fn, o_counter_add) GET(o_call_fn, o_counter_add_all) GET(o_call_fn, o_counter_above)
    GET(o_free_fn, o_free)
    const o_version *v = o_get_version_struct();
    printf("%s %s %u.%u.%u %zu\n", o_get_name(), o_get_version(), v->major, v->minor, v->patch, strlen(v->git_hash));
    void *counter = NULL, *other = NULL;
    printf("%d %d %d\n", o_init(NULL), o_init(&counter), o_init(&other));
    uint64_t ret[3], five[2] = {o_pointer(counter), 5};
    uint32_t numbers[3] = {1, 2, 3};
    uint64_t all[3] = {o_pointer(counter), o_pointer(numbers), 3};
    printf("%d %llu\n", o_counter_add(five, ret), (unsigned long long)ret[0]);
    printf("%d %llu\n", o_counter_add_all(all, ret), (unsigned long long)ret[0]);
    o_free(ret[1]);
    uint64_t much[2] = {o_pointer(counter), UINT64_MAX}, none[2] = {0, 1}, wrong[2] = {o_pointer(numbers), 1};
    int status = o_counter_add(much, ret);
    printf("%d %.*s %s\n", status, (int)ret[1], (const char *)ret[0], o_get_last_error(counter));
    _Alignas(8) uint64_t stranger[4] = {0};
    wrong[1] = 1; wrong[0] = o_pointer(stranger);
    printf("%d %d\n", o_counter_add(none, ret), o_counter_add(wrong, ret));
    double values[2] = {1.5, 2.5};
    uint64_t above[3] = {o_pointer(values), 2, o_from_double(2.0)};
    printf("%d %llu\n", o_counter_above(above, ret), (unsigned long long)ret[0]);
    printf("%d %d %d %d\n", o_can_reload(), o_reload(counter), o_reload(NULL), o_reload(stranger));
    printf("%d %d %d\n", o_shutdown(counter), o_shutdown(NULL), o_shutdown(stranger));
    printf("%d %s\n", o_shutdown(other), strstr(o_describe(), "context") ? "described" : "not described");
    return dlclose(library);
}
