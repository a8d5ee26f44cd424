/* Ctrl-C. A signal handler can reach nothing but static data, so this is the one place that has
 * some: a flag, and the name of the recipe at work for the last words. */
#ifndef SL_RUN_INTERRUPT_H
#define SL_RUN_INTERRUPT_H

/* The first SIGINT or SIGTERM sets the flag and gives the program 2 s to notice; then it says
 * which recipe did not return and exits with 130, for a compiled Lua loop cannot be interrupted.
 * A second signal does that at once. */
void sl_interrupt_install(void);
int sl_interrupt_pending(void); /* looks at the flag */
int sl_interrupted(void);       /* looks at the flag, and stops the clock if it is set */
/* Ends the process with a status: "sluice: NAME: why", where the recipe at work cannot be stopped.
 */
_Noreturn void sl_interrupt_end(const char *why, int status);
/* sl_interrupt_at (abi.h): the name is copied, the last 63 bytes of it. */

#endif
