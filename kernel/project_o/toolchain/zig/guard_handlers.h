/* Signal handlers that others have installed: whose is there now, and how it is called. */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static bool installed(int signal, void (*ours)(int, siginfo_t *, void *), struct sigaction *now) {
    return sigaction(signal, NULL, now) == 0 && (now->sa_flags & SA_SIGINFO) && now->sa_sigaction == ours;
}

static bool is_function(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static void hand_over(const struct sigaction *next, int signal, siginfo_t *info, void *context) {
    if (!is_function(next)) return;
    if (next->sa_flags & SA_SIGINFO) next->sa_sigaction(signal, info, context);
    else next->sa_handler(signal);
}
