/* Where the code lies that an address belongs to. */

#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct search { uint64_t address, low, high, base; };

static int find_text(struct dl_phdr_info *info, size_t size, void *data) {
    struct search *search = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uint64_t low = info->dlpi_addr + part->p_vaddr, high = low + part->p_memsz;
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        if (search->address < low || search->address >= high) continue;
        *search = (struct search){search->address, low, high, info->dlpi_addr};
        return 1;
    }
    return 0;
}

/* The address range of the code that `function` belongs to; -3 if nothing that is loaded contains it. */
EXPORT int32_t o_guard_text(void *function, uint64_t text[2]) {
    struct search search = {.address = (uint64_t)function};
    if (dl_iterate_phdr(find_text, &search) == 0) return -3;
    text[0] = search.low;
    text[1] = search.high;
    return 0;
}
