/* launch REPORT COMMAND [ARGUMENT]...
 *
 * Runs a command and writes to the file REPORT, as numbers with blanks between: wall time, user
 * time and system time in seconds, and maximum resident memory in bytes. Exits as the command does;
 * 127 where it cannot be run, 128 + signal where one ended it.
 *
 * It is a program of its own because Linux counts what a process held before exec: started from
 * Python, a command would never seem smaller than Python. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: launch REPORT COMMAND [ARGUMENT]...\n", stderr);
        return 2;
    }
    double start_s = now_s();
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever gives up on us gives up on the command */
        execvp(argv[2], argv + 2);
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        fprintf(stderr, "launch: %s\n", strerror(errno));
        return 126;
    }
    double wall_s = now_s() - start_s;
    FILE *report = fopen(argv[1], "w");
    if (!report ||
        fprintf(report, "%.9f %.6f %.6f %ld\n", wall_s, seconds(usage.ru_utime),
                seconds(usage.ru_stime), usage.ru_maxrss * 1024L) < 0 ||
        fclose(report)) {
        fprintf(stderr, "launch: cannot write %s: %s\n", argv[1], strerror(errno));
        return 126;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
