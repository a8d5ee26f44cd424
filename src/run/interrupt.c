#include "interrupt.h"

#include "../types.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_S = 2, EXIT_INTERRUPTED = 130 };

static volatile sig_atomic_t interrupted;
static char at[64];

static void say(const char *text) {
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void give_up(int signal) {
    say("\nsluice: interrupted, but ");
    say(at[0] ? at : "the program");
    say(signal == SIGALRM ? " did not return within 2 s" : " was not given the time to return");
    say(": its result is lost\n");
    _exit(EXIT_INTERRUPTED);
}

void sl_interrupt_end(const char *why, int status) {
    say("sluice: ");
    say(at[0] ? at : "the program");
    say(": ");
    say(why);
    say("\n");
    _exit(status);
}

static void on_interrupt(int signal) {
    if (interrupted)
        give_up(signal);
    interrupted = 1;
    alarm(GRACE_S);
}

void sl_interrupt_install(void) {
    struct sigaction act = {.sa_handler = on_interrupt}; /* without SA_RESTART: waits end */

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    act.sa_handler = give_up;
    sigaction(SIGALRM, &act, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is met as EPIPE, where it is written to */
}

int sl_interrupt_pending(void) {
    return interrupted;
}

int sl_interrupted(void) {
    if (interrupted)
        alarm(0);
    return interrupted;
}

void sl_interrupt_at(const char *recipe) {
    size_t length = strlen(recipe), most = sizeof at - 1;

    strncpy(at, recipe + (length > most ? length - most : 0), most);
}
