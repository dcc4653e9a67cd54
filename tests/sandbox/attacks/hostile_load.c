/* Native attacks that run while the library is loaded: before any of its functions is called.
   WAY: 1 a constructor writes, 2 an indirect function writes, 3 a constructor reads and tells. */
typedef unsigned long word;

static word call3(word number, word a, word b, word c, word d) {
    word result;
#if defined(__x86_64__)
    register word r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
#else
    register word x8 __asm__("x8") = number;
    register word x0 __asm__("x0") = a;
    register word x1 __asm__("x1") = b;
    register word x2 __asm__("x2") = c;
    register word x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    result = x0;
#endif
    return result;
}

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, OPENAT = 257 };
#else
enum { READ = 63, WRITE = 64, OPENAT = 56 };
#endif

static int attack(void) {
#if WAY == 3
    char text[200];
    word n = call3(READ, call3(OPENAT, (word)-100, (word)CANARY, 0, 0), (word)text, sizeof text, 0);
    if ((long)n > 0) call3(WRITE, 1, (word)text, n, 0);
#else
    call3(OPENAT, (word)-100, (word)MARK, 0101, 0600);
#endif
    return 0;
}

int o_cell_nothing(word *args, word *ret) {
    (void)args;
    ret[0] = ret[1] = 0;
    return 0;
}

void o_free(word handle) { (void)handle; }

#if WAY == 2
static int plain(void) { return 1; }
static void *resolve(void) {
    attack();
    return (void *)plain;
}
int indirect(void) __attribute__((ifunc("resolve")));
int (*use)(void) = indirect;
#else
__attribute__((constructor)) static void begin(void) { attack(); }
#endif
