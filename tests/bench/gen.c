/* Writes large synthetic captures for the benchmarks. See README.md beside this file. */

#include "gen_flow.h"
#include "gen_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH_S       INT64_C(1767225600) /* 2026-01-01 00:00:00 UTC */
#define SNAPLEN_WHOLE 262144
#define BUFFER_BYTES  ((size_t)4 << 20)
#define RECORD_MAX    (32 + GEN_FRAME_MAX + 8)

struct options {
    struct gen_plan plan;
    enum gen_size_mix mix;
    uint32_t snaplen, duration_s;
    bool pcapng, nano;
    const char *output;
};

struct output {
    int fd;
    const char *name;
    uint8_t *buffer;
    size_t used;
};

static const char usage[] =
    "usage: gen [OPTION]...\n"
    "Write a synthetic capture of many interleaved flows; the same options give the same bytes.\n"
    "  --packets N     exactly so many packets (default 1000000)\n"
    "  --flows N       exactly so many five-tuples (default a tenth of the packets)\n"
    "  --live N        flows alive at a time, about (default a tenth of the flows)\n"
    "  --size-mix M    small, imix or full (default small)\n"
    "  --snaplen N     bytes kept of each packet, 0: all (default 0)\n"
    "  --seed N        default 1\n"
    "  --duration S    seconds of capture time, about (default 600)\n"
    "  --v6 P          percent of the flows over IPv6 (default 20)\n"
    "  --format F      pcap or pcapng (default pcap)\n"
    "  --nano          time stamps in nanoseconds\n"
    "  -o FILE         default - : standard output\n";

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("gen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || value < least || value > most) {
        fail("--%s: %s is not a number from %llu to %llu", option, text, (unsigned long long)least,
             (unsigned long long)most);
    }
    return value;
}

/* Index of text in names, which ends with NULL. */
static int choice(const char *option, const char *text, const char *const *names) {
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    fail("--%s: unknown value %s; see --help", option, text);
}

static void take_option(struct options *options, int letter, const char *name) {
    static const char *const mixes[] = {"small", "imix", "full", NULL};
    static const char *const formats[] = {"pcap", "pcapng", NULL};
    struct gen_plan *plan = &options->plan;
    switch (letter) {
    case 'p':
        plan->packets = number(name, optarg, 1, UINT64_C(100000000000));
        break;
    case 'f':
        plan->flows = (uint32_t)number(name, optarg, 1, UINT32_MAX);
        break;
    case 'l':
        plan->live = (uint32_t)number(name, optarg, 1, UINT32_MAX / 16);
        break;
    case 'm':
        options->mix = (enum gen_size_mix)choice(name, optarg, mixes);
        break;
    case 's':
        options->snaplen = (uint32_t)number(name, optarg, 0, SNAPLEN_WHOLE);
        break;
    case 'r':
        plan->seed = number(name, optarg, 0, UINT64_MAX / 4);
        break;
    case 'd':
        options->duration_s = (uint32_t)number(name, optarg, 1, 100000000);
        break;
    case '6':
        plan->v6_percent = (uint32_t)number(name, optarg, 0, 100);
        break;
    case 't':
        options->pcapng = choice(name, optarg, formats) == 1;
        break;
    case 'n':
        options->nano = true;
        break;
    case 'o':
        options->output = optarg;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void read_options(struct options *options, int argc, char **argv) {
    static const struct option known[] = {{"packets", required_argument, NULL, 'p'},
                                          {"flows", required_argument, NULL, 'f'},
                                          {"live", required_argument, NULL, 'l'},
                                          {"size-mix", required_argument, NULL, 'm'},
                                          {"snaplen", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"v6", required_argument, NULL, '6'},
                                          {"format", required_argument, NULL, 't'},
                                          {"nano", no_argument, NULL, 'n'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter, index = 0;
    while ((letter = getopt_long(argc, argv, "o:h", known, &index)) != -1) {
        take_option(options, letter, known[index].name);
    }
    struct gen_plan *plan = &options->plan;
    if (optind < argc) {
        fail("what is %s? See --help", argv[optind]);
    }
    if (plan->flows == 0) {
        uint64_t tenth = plan->packets / 10 < UINT32_MAX ? plan->packets / 10 : UINT32_MAX;
        plan->flows = tenth ? (uint32_t)tenth : 1;
    }
    if (plan->packets < plan->flows) {
        fail("--packets must be at least --flows");
    }
    if (plan->live == 0) {
        plan->live = plan->flows / 10 ? plan->flows / 10 : 1;
    }
}

static void flush(struct output *output) {
    for (size_t at = 0; at < output->used;) {
        ssize_t written = write(output->fd, output->buffer + at, output->used - at);
        if (written < 0 && errno != EINTR) {
            fail("cannot write %s: %s", output->name, strerror(errno));
        }
        at += written > 0 ? (size_t)written : 0;
    }
    output->used = 0;
}

/* Room for `size` bytes, at most RECORD_MAX, taken as written. */
static uint8_t *reserve(struct output *output, size_t size) {
    if (output->used + size > BUFFER_BYTES) {
        flush(output);
    }
    uint8_t *at = output->buffer + output->used;
    output->used += size;
    return at;
}

static void put_words(struct output *output, const uint32_t *words, size_t count) {
    memcpy(reserve(output, count * sizeof *words), words, count * sizeof *words);
}

/* In the machine's own byte order, which the formats allow. */
static void put_file_header(struct output *output, const struct options *options) {
    uint32_t snaplen = options->snaplen ? options->snaplen : SNAPLEN_WHOLE;
    if (!options->pcapng) {
        uint32_t magic = options->nano ? UINT32_C(0xA1B23C4D) : UINT32_C(0xA1B2C3D4);
        const uint16_t version[2] = {2, 4};
        uint32_t words[6] = {magic, 0, 0, 0, snaplen, 1};
        memcpy(&words[1], version, sizeof version);
        put_words(output, words, 6);
        return;
    }
    const uint16_t version[2] = {1, 0};
    const uint16_t ethernet[2] = {1, 0};
    uint32_t section[7] = {UINT32_C(0x0A0D0D0A), 28, UINT32_C(0x1A2B3C4D), 0, UINT32_MAX,
                           UINT32_MAX,           28};
    memcpy(&section[3], version, sizeof version);
    put_words(output, section, 7);
    const uint16_t resolution_option[2] = {9, 1}; /* if_tsresol, one byte: 10^-value seconds */
    const uint8_t resolution[4] = {options->nano ? 9 : 6, 0, 0, 0};
    uint32_t interface[8] = {1, 32, 0, snaplen, 0, 0, 0, 32};
    memcpy(&interface[2], ethernet, sizeof ethernet);
    memcpy(&interface[4], resolution_option, sizeof resolution_option);
    memcpy(&interface[5], resolution, sizeof resolution);
    put_words(output, interface, 8);
}

/* `time_ns` counts from EPOCH_S. */
static void put_record(struct output *output, const struct options *options, uint64_t time_ns,
                       const uint8_t *frame, uint32_t kept, uint32_t length) {
    uint64_t per_s = options->nano ? 1000000000 : 1000000;
    uint64_t units = time_ns / (1000000000 / per_s);
    if (!options->pcapng) {
        uint32_t header[4] = {(uint32_t)((uint64_t)EPOCH_S + units / per_s),
                              (uint32_t)(units % per_s), kept, length};
        uint8_t *at = reserve(output, sizeof header + kept);
        memcpy(at, header, sizeof header);
        memcpy(at + sizeof header, frame, kept);
        return;
    }
    uint64_t stamp = (uint64_t)EPOCH_S * per_s + units;
    uint32_t padded = (kept + 3) & ~UINT32_C(3);
    uint32_t size = 32 + padded;
    uint32_t header[7] = {6, size, 0, (uint32_t)(stamp >> 32), (uint32_t)stamp, kept, length};
    uint8_t *at = reserve(output, size);
    memset(at + sizeof header + padded - (padded ? 4 : 0), 0, padded ? 4 : 0);
    memcpy(at, header, sizeof header);
    memcpy(at + sizeof header, frame, kept);
    memcpy(at + sizeof header + padded, &size, sizeof size);
}

static void put_packets(struct output *output, const struct options *options,
                        struct gen_schedule *schedule) {
    uint8_t frame[GEN_FRAME_MAX];
    uint32_t limit = options->snaplen ? options->snaplen : GEN_FRAME_MAX;
    double ns_per_tick = options->duration_s * 1e9 / (double)gen_schedule_ticks(schedule);
    uint64_t tick, last_ns = 0;
    struct gen_flow *flow;
    while ((flow = gen_schedule_next(schedule, &tick))) {
        uint32_t length = gen_frame(flow, options->mix, gen_random(schedule), limit, frame);
        uint64_t time_ns = (uint64_t)((double)tick * ns_per_tick);
        last_ns = time_ns > last_ns ? time_ns : last_ns + 1; /* several packets in one tick */
        put_record(output, options, last_ns, frame, length < limit ? length : limit, length);
    }
}

int main(int argc, char **argv) {
    struct options options = {.plan = {.packets = 1000000, .v6_percent = 20, .seed = 1},
                              .duration_s = 600,
                              .output = "-"};
    read_options(&options, argc, argv);
    struct output output = {.fd = STDOUT_FILENO, .name = options.output};
    if (strcmp(options.output, "-") != 0) {
        output.fd = open(options.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (output.fd < 0) {
            fail("cannot write %s: %s", options.output, strerror(errno));
        }
    }
    struct gen_schedule *schedule = gen_schedule_new(&options.plan);
    output.buffer = malloc(BUFFER_BYTES);
    if (!schedule || !output.buffer) {
        fail("not enough memory for %u flows at a time", (unsigned)options.plan.live);
    }
    put_file_header(&output, &options);
    put_packets(&output, &options, schedule);
    flush(&output);
    gen_schedule_free(schedule);
    free(output.buffer);
    if (close(output.fd)) {
        fail("cannot write %s: %s", options.output, strerror(errno));
    }
    return 0;
}
