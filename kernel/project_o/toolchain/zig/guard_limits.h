/* The limit of a call in a thread that is not the main one: a timer of the thread's own, as long as the call lasts. The
 * main thread has one already, which interrupts need as well. */

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* glibc has the field, but not its name in the manual */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static char limit_mark; /* its address tells the signal of such a timer from others */
THREAD_LOCAL timer_t limit_timer;
THREAD_LOCAL bool has_limit_timer;

static int64_t monotonic(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool timer_for(int thread, void *mark, timer_t *timer) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGURG;
    event.sigev_value.sival_ptr = mark;
    event.sigev_notify_thread_id = thread;
    return timer_create(CLOCK_MONOTONIC, &event, timer) == 0;
}

static void limit_in(int64_t nanoseconds) {
    if (nanoseconds < 1) nanoseconds = 1;
    struct itimerspec soon = {.it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    timer_settime(limit_timer, 0, &soon, NULL);
}

static void begin_limit(int64_t nanoseconds) {
    has_limit_timer = timer_for((int)syscall(SYS_gettid), &limit_mark, &limit_timer);
    if (has_limit_timer) limit_in(nanoseconds);
}

static void end_limit(void) {
    if (!has_limit_timer) return;
    has_limit_timer = false;
    timer_delete(limit_timer);
}

/* The end of a call that runs in its own code, at `at`. */
static void leave_interrupted(struct call *call, struct where at) {
    begin_fault(call, INTERRUPTED, SIGINT, 0);
    if (call->limited) memcpy(call->fault->message, LIMITED, sizeof LIMITED);
    add_frame(call, at.pc);
    call->fault->exact = call->fault->frame_count;
    walk_frames(call, at);
    siglongjmp(call->out, 1);
}

/* A signal that was on its way when its call ended finds another one, or none. */
static void on_limit(struct call *call, const void *context) {
    if (call == NULL || call->deadline == 0 || !has_limit_timer) return;
    int64_t left = call->deadline - monotonic();
    struct where at = where_of(context);
    if (left <= 0 && in_text(call, at.pc)) {
        call->limited = true;
        leave_interrupted(call, at);
    }
    limit_in(left > INTERRUPT_RETRY_NANOSECONDS ? left : INTERRUPT_RETRY_NANOSECONDS);
}
