/* The crash guard: calls a native function so that a panic, a hardware fault or an interrupt ends the call
 * and not the process. No Python.h: every way of calling a cell can use it, in any process.
 *
 * What is survived: panics (the cell's own safety checks), SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP in the cell or in
 * plain memory functions that it calls, stack overflow, and SIGINT while the cell's own code runs.
 * What is not: a fault inside the rest of the C library and abort(). Both mean damaged memory or a held lock,
 * and the next malloc would hang; we say so in one line and let the process end as it would have without us.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#include "guard_frames.h"
#include "guard_handlers.h"
#include "guard_limits.h"
#include "guard_text.h"
#include "guard_words.h"

/* What a host wants done when a call of its main thread lasts. It is called from a signal handler, but only while the
 * cell's own code runs: then this thread holds no lock of anybody's but the host's own. */
static void (*volatile on_long)(const struct o_fault *);

EXPORT void o_guard_on_long(void (*function)(const struct o_fault *)) { on_long = function; }

/* ------------------------------------------------------------------------------ hardware faults */

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
#define STACK_REACH ((uint64_t)1 << 20) /* bytes from the stack pointer that a frame's first access may lie */
#define FAULT_SIGNALS (sizeof fault_signals / sizeof fault_signals[0])
static struct sigaction previous[FAULT_SIGNALS];
static volatile sig_atomic_t handed_on[FAULT_SIGNALS];
static pthread_mutex_t handlers_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t libc_low, libc_high;
static uint64_t memory_functions[8];
#define MEMORY_FUNCTION_BYTES 8192

/* A fault in memcpy holds no lock; one in malloc or stdio does. */
static bool holds_locks(uint64_t pc) {
    if (pc < libc_low || pc >= libc_high) return false;
    for (size_t i = 0; i < sizeof memory_functions / sizeof memory_functions[0]; i++) {
        uint64_t f = memory_functions[i];
        if (f != 0 && pc + MEMORY_FUNCTION_BYTES >= f && pc < f + MEMORY_FUNCTION_BYTES) return false;
    }
    return true;
}

/* Not ours: put the previous handler back and let the fault happen again, so that it sees the true registers.
 * If it hands the signal back to us (faulthandler does), the default action ends the process. */
static void hand_on(int signal, const siginfo_t *info) {
    for (size_t i = 0; i < FAULT_SIGNALS; i++) {
        if (fault_signals[i] != signal) continue;
        struct sigaction next = previous[i];
        if (handed_on[i]++ > 0) {
            memset(&next, 0, sizeof next);
            next.sa_handler = SIG_DFL;
        }
        sigaction(signal, &next, NULL);
    }
    if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static void last_words(const struct call *call, const char *how) {
    SAY("project-o: ");
    say_whose(call->text_low);
    say(how, strlen(how));
    SAY("This cannot be survived in-process: the process ends now. What was recorded is safe; run the cell with "
        "--isolate.\n");
    said();
    if (on_long != NULL) on_long(call->fault); /* others run, and pass it on, only without the host's own lock */
    linger();
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    if (walk_out != NULL && info->si_code > 0) siglongjmp(*walk_out, 1);
    struct call *call = innermost;
    if (call != NULL && signal == SIGABRT) {
        last_words(call, " ended in abort(), most often because it damaged the heap. ");
    } else if (call != NULL && info->si_code == SI_TKILL && info->si_pid == getpid() && !call->handed_back) {
        /* faulthandler was enabled since our last look, has had its say, and hands on to us. The fault happens again
         * when we return, and now it is ours. */
        call->handed_back = true;
        return;
    } else if (call != NULL && info->si_code > 0) {
        struct where at = where_of(context);
        if (!holds_locks(at.pc)) {
            if (at.pc == 0) at.pc = 1; /* a call of a null pointer: 0 is for walks that start at a frame */
            /* A pointer that no address can be, and an instruction of the system's own, are told without an address. */
            const bool nowhere = signal == SIGSEGV && info->si_code == SI_KERNEL;
            begin_fault(call, SIGNAL, signal, nowhere ? UINT64_MAX : (uint64_t)info->si_addr);
            add_frame(call, at.pc);
            call->fault->exact = call->fault->frame_count;
            /* A fault right at the stack pointer is the guard page: a push, or a probe of the next frame. */
            if (signal == SIGSEGV && (uint64_t)info->si_addr - (at.sp - STACK_REACH) < 2 * STACK_REACH)
                memcpy(call->fault->message, "stack overflow", sizeof "stack overflow");
            walk_frames(call, at);
            siglongjmp(call->out, 1);
        }
        last_words(call, " faulted inside the C library, most often because it damaged the heap. ");
    }
    hand_on(signal, info);
}

static void install_fault_handlers(void) {
    struct sigaction ours, now;
    /* faulthandler.enable() may have replaced us since the last look; one question is cheaper than a new set. */
    if (installed(SIGSEGV, on_fault, &now)) return;
    pthread_mutex_lock(&handlers_lock);
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_fault;
    /* SA_NODEFER: leaving by siglongjmp then needs no system call to restore the signal mask. */
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&ours.sa_mask);
    for (size_t i = 0; i < FAULT_SIGNALS; i++) {
        if (installed(fault_signals[i], on_fault, &now)) continue;
        previous[i] = now;
        handed_on[i] = 0;
        sigaction(fault_signals[i], &ours, NULL);
    }
    pthread_mutex_unlock(&handlers_lock);
}

/* ------------------------------------------------------------------------------ panics */

/* What o_set_panic of a cell receives. Returns only if there is nothing to leave, and then never: it aborts. */
EXPORT void o_guard_panic(const char *message, size_t length, uintptr_t return_address) {
    struct call *call = innermost;
    if (call == NULL) {
        SAY("project-o: a native panic in ");
        say_whose(return_address);
        SAY(" outside a guarded call, in a thread that native code started: ");
        say(message, length < MESSAGE_BYTES ? length : MESSAGE_BYTES);
        SAY("\nproject-o: this cannot be survived in-process: the process ends now.\n");
        said();
        linger();
        return; /* the cell traps */
    }
    begin_fault(call, PANIC, 0, 0);
    if (length >= MESSAGE_BYTES) length = MESSAGE_BYTES - 1;
    memcpy(call->fault->message, message, length);
    call->fault->message[length] = 0;
    add_frame(call, return_address);
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    walk_frames(call, (struct where){.sp = here, .fp = here});
    siglongjmp(call->out, 1);
}

/* ------------------------------------------------------------------------------ interrupts */

/* A jump is safe only out of the cell's own code: out of malloc it would leave a lock held. Anywhere else we
 * look again after a fifth of a millisecond. Python code that the cell calls back runs outside the cell's text, so the
 * same test protects it.
 *
 * Our handler stays between the calls, because installing it costs ten times what a call does. While no call is under
 * way it hands each interrupt on to whose handler it replaced, and remembers that one came: before an endless loop
 * begins somebody has to look at what an interpreter only keeps in a flag.
 *
 * The timer has a signal of its own: SIGURG does nothing where nobody handles it. */
static struct {
    timer_t timer;
    bool has_timer;
    volatile sig_atomic_t pending, unseen; /* came while a call was under way; came, or may have come, while none was */
    struct sigaction next, next_urgent;
} interrupt;

static void look_again(long nanoseconds) {
    struct itimerspec soon = {.it_value = {.tv_sec = 0, .tv_nsec = nanoseconds}};
    if (interrupt.has_timer) timer_settime(interrupt.timer, 0, &soon, NULL);
}

static void try_interrupt(struct call *call, void *context) {
    struct where at = where_of(context);
    if (!in_text(call, at.pc)) {
        look_again(INTERRUPT_RETRY_NANOSECONDS);
        return;
    }
    interrupt.pending = 0;
    look_again(0);
    leave_interrupted(call, at);
}

static void on_interrupt(int signal, siginfo_t *info, void *context) {
    int saved_errno = errno;
    struct call *call = innermost;
    if (syscall(SYS_gettid) != getpid()) { /* only the main thread's call is to be interrupted, as in Python */
        syscall(SYS_tgkill, getpid(), getpid(), signal);
    } else if (call != NULL) {
        interrupt.pending = 1;
        call->limited = false;
        try_interrupt(call, context);
    } else {
        interrupt.unseen = 1;
        hand_over(&interrupt.next, signal, info, context);
    }
    errno = saved_errno;
}

/* Without a handler there is nobody who would turn the interrupt into an exception. One that came before ours was
 * there is in its receiver's flags. Whether our handler is there now. */
static bool watch_interrupts(void) {
    struct sigaction ours, now;
    if (installed(SIGINT, on_interrupt, &now)) return true;
    if (!is_function(&now)) return false;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_interrupt;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER; /* no SA_RESTART: what waits is to wake up, as in Python */
    sigemptyset(&ours.sa_mask);
    interrupt.next = now;
    if (sigaction(SIGINT, &ours, NULL) != 0) return false;
    interrupt.unseen = 1;
    return true;
}

static void look_until(int64_t deadline) {
    int64_t left = deadline - monotonic();
    look_again(left > HANDLERS_LOOK_NANOSECONDS ? HANDLERS_LOOK_NANOSECONDS : left > 1 ? (long)left : 1);
}

static void on_timer(int signal, siginfo_t *info, void *context) {
    int saved_errno = errno;
    struct call *call = innermost;
    if (info->si_code == SI_TIMER && info->si_value.sival_ptr == &limit_mark) {
        on_limit(call, context);
    } else if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &interrupt) {
        hand_over(&interrupt.next_urgent, signal, info, context);
    } else if (call != NULL) {
        if (!interrupt.pending && call->deadline != 0 && monotonic() >= call->deadline)
            interrupt.pending = call->limited = true;
        if (interrupt.pending) try_interrupt(call, context);
        watch_interrupts(); /* whoever has replaced our handler since the last look has not been seen */
        if (on_long != NULL && in_text(call, where_of(context).pc)) on_long(call->fault);
        else if (on_long != NULL && !interrupt.pending) look_again(HANDLERS_LOOK_NANOSECONDS);
        if (call->deadline != 0 && !interrupt.pending) look_until(call->deadline);
    }
    errno = saved_errno;
}

static void watch_timers(void) {
    struct sigaction ours, now;
    if (installed(SIGURG, on_timer, &now)) return;
    pthread_mutex_lock(&handlers_lock);
    if (!installed(SIGURG, on_timer, &now)) {
        memset(&ours, 0, sizeof ours);
        ours.sa_sigaction = on_timer;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
        sigemptyset(&ours.sa_mask);
        interrupt.next_urgent = now;
        sigaction(SIGURG, &ours, NULL);
    }
    pthread_mutex_unlock(&handlers_lock);
}

static void prepare_timer(void) {
    watch_timers();
    if (!interrupt.has_timer) interrupt.has_timer = timer_for(getpid(), &interrupt, &interrupt.timer);
}

/* A forked child has no timers, and the thread that forked is its main thread. */
static void begin_child(void) {
    interrupt.has_timer = has_limit_timer = false;
    is_main_thread = true;
}

/* So long may the next call of this thread take. */
EXPORT void o_guard_limit(int64_t nanoseconds) { next_limit = nanoseconds; }

/* Anybody may have replaced our handlers since the last call, and asking costs more than a call: we ask when the coarse
 * clock has moved on, every few milliseconds of calls, and once more while a call lasts. */
static void look_after_handlers(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0) return;
    const int64_t tick = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (tick == looked_at) return;
    looked_at = tick;
    install_fault_handlers();
    if (!is_main_thread || (!watch_interrupts() && on_long == NULL)) return;
    prepare_timer();
    look_again(HANDLERS_LOOK_NANOSECONDS);
}

/* ------------------------------------------------------------------------------ threads and libraries */

static pthread_key_t thread_key;
static size_t alternate_stack_bytes;

static void release_alternate_stack(void *stack) {
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
    munmap(stack, alternate_stack_bytes);
}

/* A stack overflow can only be handled on another stack, and each thread needs its own. */
static void prepare_thread(void) {
    stack_t now;
    thread_is_ready = true;
    is_main_thread = syscall(SYS_gettid) == getpid();
    if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return;
    void *stack = mmap(NULL, alternate_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return;
    stack_t ours = {.ss_sp = stack, .ss_size = alternate_stack_bytes};
    if (sigaltstack(&ours, NULL) != 0 || pthread_setspecific(thread_key, stack) != 0) munmap(stack, alternate_stack_bytes);
}

__attribute__((constructor)) static void prepare_library(void) {
    static const char *const names[] = {"memcpy", "memmove", "memset", "memcmp", "strlen", "memchr", "strcmp", "memrchr"};
    struct search search = {.address = (uint64_t)dlsym(RTLD_DEFAULT, "malloc")};
#ifdef _SC_MINSIGSTKSZ
    long least = sysconf(_SC_MINSIGSTKSZ);
#else
    long least = MINSIGSTKSZ;
#endif
    alternate_stack_bytes = 65536 + 4096 * (size_t)(least > 4096 ? least / 1024 : 4);
    if (dl_iterate_phdr(find_text, &search) != 0) {
        libc_low = search.low;
        libc_high = search.high;
    }
    /* dlsym gives the variant for this processor, which is the one that runs. */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        memory_functions[i] = (uint64_t)dlsym(RTLD_DEFAULT, names[i]);
    pthread_key_create(&thread_key, release_alternate_stack);
    pthread_atfork(NULL, NULL, begin_child);
}

/* ------------------------------------------------------------------------------ the call */

static void make_relative(struct call *call) {
    struct search search = {.address = call->text_low};
    uint64_t base = dl_iterate_phdr(find_text, &search) != 0 ? search.base : 0;
    for (uint32_t i = 0; i < call->fault->frame_count; i++) call->fault->frames[i] -= base;
}

/* The status of `function`, or -9 with `fault` filled, or -8 where nothing was called: an interrupt came before, and
 * the interpreter has to look at its flags now, then call again. `text` is what o_guard_text gave for it. */
EXPORT int32_t o_guard_call(void *function, uint64_t *args, uint64_t *ret, struct o_fault *fault,
                            const uint64_t text[2]) {
    struct call call;
    volatile int32_t status = STATUS_STOPPED;
    call.outer = innermost;
    call.fault = fault;
    call.text_low = text[0];
    call.text_high = text[1];
    call.handed_back = call.limited = false;
    call.deadline = call.outer != NULL ? call.outer->deadline : 0;
    fault->kind = 0;
    if (!thread_is_ready) prepare_thread();
    const bool outermost = call.outer == NULL;
    if (outermost) look_after_handlers();
    if (next_limit != 0) {
        if (outermost) call.deadline = monotonic() + next_limit;
        if (outermost && is_main_thread) {
            prepare_timer();
            look_until(call.deadline);
        } else if (outermost) {
            watch_timers();
            begin_limit(next_limit);
        }
        next_limit = 0;
    }
    if (sigsetjmp(call.out, 0) == 0) {
        innermost = &call;
        /* From here on an interrupt is this call's; one from before is seen now. */
        if (outermost && interrupt.unseen && is_main_thread) {
            interrupt.unseen = 0;
            status = STATUS_LOOK;
        } else {
            status = ((cell_function)function)(args, ret);
        }
    }
    innermost = call.outer;
    if (outermost) end_limit();
    if (outermost && interrupt.pending && is_main_thread) {
        interrupt.pending = 0;
        look_again(0);
        if (!call.limited) raise(SIGINT); /* it came while the call was ending: the interpreter's own handler has it now */
    }
    if (status == STATUS_STOPPED && fault->kind != 0) make_relative(&call);
    return status;
}
