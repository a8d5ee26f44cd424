#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void sl_progress_start(struct sl_progress *p, int wanted, int64_t size) {
    *p = (struct sl_progress){.size = size};
    p->shown = wanted && isatty(STDERR_FILENO);
    p->started_s = p->last_s = now_s();
}

void sl_progress_tick(struct sl_progress *p, uint64_t bytes, uint64_t packets) {
    if (!p->shown)
        return;
    double now = now_s();
    if (now - p->last_s < 0.5)
        return;
    double rate = (double)bytes / (now - p->started_s);
    p->last_s = now;
    p->drawn = 1;
    if (p->size > 0 && rate > 0)
        fprintf(stderr, "\r\033[K%.1f of %.1f MB (%.0f %%), %.1f MB/s, %.0f s left, %llu packets",
                (double)bytes / 1e6, (double)p->size / 1e6, 100 * (double)bytes / (double)p->size,
                rate / 1e6, ((double)p->size - (double)bytes) / rate, (unsigned long long)packets);
    else
        fprintf(stderr, "\r\033[K%.1f MB, %.1f MB/s, %llu packets", (double)bytes / 1e6, rate / 1e6,
                (unsigned long long)packets);
    fflush(stderr);
}

void sl_progress_clear(struct sl_progress *p) {
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = 0;
}
