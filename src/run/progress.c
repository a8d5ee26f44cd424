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

int sl_progress_due(struct sl_progress *p) {
    double now;

    if (!p->shown)
        return 0;
    now = now_s();
    if (now - p->last_s < 0.5)
        return 0;
    p->last_s = now;
    return 1;
}

/* The end of the line: what says most where the input lies. All of it fits into 80 columns. */
static void draw_rest(uint64_t packets, const struct sl_traffic *traffic) {
    if (traffic->requests)
        fprintf(stderr, ", %u in flight, %llu retries", traffic->in_flight,
                (unsigned long long)traffic->retries);
    else
        fprintf(stderr, ", %llu packets", (unsigned long long)packets);
}

void sl_progress_draw(struct sl_progress *p, uint64_t bytes, uint64_t packets,
                      const struct sl_traffic *traffic) {
    double done, rate, size = (double)p->size;

    if (bytes < traffic->fetched) /* what was fetched ahead counts */
        bytes = traffic->fetched;
    done = (double)bytes;
    rate = done / (p->last_s - p->started_s);
    p->drawn = 1;
    if (size > 0 && rate > 0)
        fprintf(stderr, "\r\033[K%.1f of %.1f MB (%.0f %%), %.1f MB/s, %.0f s left", done / 1e6,
                size / 1e6, 100 * done / size, rate / 1e6, done < size ? (size - done) / rate : 0);
    else
        fprintf(stderr, "\r\033[K%.1f MB, %.1f MB/s", done / 1e6, rate / 1e6);
    draw_rest(packets, traffic);
    fflush(stderr);
}

void sl_progress_clear(struct sl_progress *p) {
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = 0;
}
