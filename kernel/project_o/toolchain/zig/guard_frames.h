/* What a call that was stopped leaves behind: its kind, and the return addresses on the stack, found through the
 * frame pointers. Nothing here allocates, locks, or trusts what the cell has left on its stack. */

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* Keep in step with abi/guard.py and the numbers in limits.py. */
#define MESSAGE_BYTES 512
#define FRAMES_MAX 64
#define INTERRUPT_RETRY_NANOSECONDS 200000
#define HANDLERS_LOOK_NANOSECONDS 10000000
#define LIMITED "time limit"
#define STATUS_STOPPED (-9)
#define STATUS_LOOK (-8)

enum { PANIC = 1, SIGNAL = 2, INTERRUPTED = 3 };

struct o_fault {
    int32_t kind;
    int32_t signal;
    uint64_t address;          /* what the fault was about: the address that could not be reached */
    uint32_t frame_count;
    uint32_t exact;            /* 1: frames[0] is the instruction itself, all others are return addresses */
    char message[MESSAGE_BYTES];
    uint64_t frames[FRAMES_MAX]; /* offsets from where the library was loaded, innermost first */
};

typedef int32_t (*cell_function)(const uint64_t *, uint64_t *);

/* One guarded call under way. Calls of one thread form a stack. */
struct call {
    sigjmp_buf out;
    struct call *outer;
    struct o_fault *fault;
    uint64_t text_low, text_high;
    bool handed_back; /* a handler in front of ours has handed on a fault of this call */
    int64_t deadline; /* by the monotonic clock, when the call is to be interrupted; 0: never */
    volatile bool limited; /* its deadline has interrupted it, and nobody's Ctrl-C */
};

/* initial-exec: the handlers may not allocate, and another model may do so at the first access of a thread. */
#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))
THREAD_LOCAL struct call *volatile innermost;
THREAD_LOCAL sigjmp_buf *volatile walk_out; /* set while frames are walked: a fault there ends the walk */
THREAD_LOCAL bool thread_is_ready, is_main_thread;
THREAD_LOCAL int64_t next_limit; /* nanoseconds that the next call may take; 0: any number */
THREAD_LOCAL int64_t looked_at; /* the coarse clock, when this thread last made sure of the handlers */

/* ------------------------------------------------------------------------------ frames */

struct where { uint64_t pc, sp, fp, link; };

static struct where where_of(const void *context) {
    const ucontext_t *u = context;
#if defined(__x86_64__)
    const greg_t *r = u->uc_mcontext.gregs;
    return (struct where){(uint64_t)r[REG_RIP], (uint64_t)r[REG_RSP], (uint64_t)r[REG_RBP], 0};
#elif defined(__aarch64__)
    return (struct where){u->uc_mcontext.pc, u->uc_mcontext.sp, u->uc_mcontext.regs[29], u->uc_mcontext.regs[30]};
#else
#error "the guard knows the registers of x86-64 and aarch64"
#endif
}

static bool in_text(const struct call *call, uint64_t pc) { return pc >= call->text_low && pc < call->text_high; }

static void add_frame(struct call *call, uint64_t pc) {
    struct o_fault *fault = call->fault;
    if (in_text(call, pc) && fault->frame_count < FRAMES_MAX) fault->frames[fault->frame_count++] = pc;
}

/* Follow the frame pointers from `at` up to the guard's own frame. Everything between the stack pointer and
 * `call` is this thread's live stack; a frame pointer that the cell has bent is either out of that range or,
 * on a stack of the cell's own, may fault: then the walk ends. */
static void walk_frames(struct call *call, struct where at) {
    sigjmp_buf out;
    if (sigsetjmp(out, 0) == 0) {
        walk_out = &out;
        uint64_t low = at.sp, fp = at.fp;
        /* A function without a frame of its own (memset), or none at all (a wild jump): its caller is named by
         * the link register, or by the top of the stack. */
        if (at.pc != 0 && !in_text(call, at.pc)) add_frame(call, at.link != 0 ? at.link : *(const uint64_t *)at.sp);
        for (int steps = 0; steps < 4 * FRAMES_MAX; steps++) {
            if (fp < low || fp + 16 > (uint64_t)call || (fp & 7) != 0) break;
            const uint64_t *frame = (const uint64_t *)fp;
            add_frame(call, frame[1]);
            low = fp + 16;
            fp = frame[0];
        }
    }
    walk_out = NULL;
}

static void begin_fault(struct call *call, int kind, int signal, uint64_t address) {
    struct o_fault *fault = call->fault;
    fault->kind = kind;
    fault->signal = signal;
    fault->address = address;
    fault->frame_count = 0;
    fault->exact = 0;
    fault->message[0] = 0;
}
