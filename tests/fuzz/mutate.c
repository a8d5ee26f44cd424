/* Runs a fuzz target over damaged copies of files: mutate_NAME COUNT FILE...
 * The copies are the same in every run: random numbers come from their ordinal. The target's crash,
 * or a copy that takes more than HANG_S seconds, ends the program, whose last line names the copy;
 * `ok COUNT` is the last line otherwise. `mutate_NAME -N FILE...` makes only the copy number N, for
 * a debugger. Built with any compiler; no fuzzer is needed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of large files what stands first: a longer one would only take longer. */
enum { SIZE_MAX_KEPT = 6 * 1024, HANG_S = 20, CHANGES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
    uint8_t *data;
    size_t size;
};

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t next(uint64_t *state) {
    uint64_t x = *state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static size_t below(uint64_t *state, size_t n) {
    return (size_t)(next(state) % n);
}

static int load(const char *path, struct seed *s) {
    FILE *file = fopen(path, "rb");

    if (!file || !(s->data = malloc(SIZE_MAX_KEPT))) {
        perror(path);
        return -1;
    }
    s->size = fread(s->data, 1, SIZE_MAX_KEPT, file);
    return fclose(file);
}

/* A number of `width` bytes, or as many as there is room for. */
static void put(uint8_t *to, size_t room, size_t width, uint32_t number, int big_endian) {
    for (size_t i = 0; i < width && i < room; i++)
        to[i] = (uint8_t)(number >> 8 * (big_endian ? width - 1 - i : i));
}

/* Lengths and counts are what hurts: half of the changes write a number that lies at an edge. */
static void change(uint8_t *data, size_t size, uint64_t *state) {
    static const uint32_t edges[] = {0,      1,      0x7f,       0x80,       0xff,      0x7fff,
                                     0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = below(state, size);

    switch (below(state, 4)) {
    case 0:
        data[at] ^= (uint8_t)(1 << below(state, 8));
        break;
    case 1:
        data[at] = (uint8_t)next(state);
        break;
    default:
        put(data + at, size - at, 1u << below(state, 3),
            edges[below(state, sizeof edges / sizeof *edges)], (int)below(state, 2));
    }
}

/* The copy has a block of its own, of exactly its size, so that ASan sees a read one past the end.
 */
static void run_one(const struct seed *seeds, size_t n, uint64_t number) {
    uint64_t state = number;
    const struct seed *s = &seeds[below(&state, n)];
    size_t size = below(&state, 8) && s->size ? s->size : below(&state, s->size + 1);
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy || !s->data)
        abort();
    memcpy(copy, s->data, size);
    for (size_t left = 1 + below(&state, CHANGES_MAX); left && size; left--)
        change(copy, size, &state);
    alarm(HANG_S);
    (void)LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    free(copy);
}

int main(int argc, char **argv) {
    long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

    if (!count) {
        fprintf(stderr, "usage: %s COUNT|-N FILE...\n", argv[0]);
        return 2;
    }
    size_t n = (size_t)argc - 2;
    struct seed *seeds = calloc(n, sizeof *seeds);
    for (size_t i = 0; i < n; i++)
        if (!seeds || load(argv[i + 2], &seeds[i]) < 0)
            abort();
    for (long i = count < 0 ? -count : 1; i <= labs(count); i++) {
        printf("copy %ld\n", i);
        (void)fflush(stdout); /* the number must stand there when the target crashes */
        run_one(seeds, n, (uint64_t)i);
    }
    printf("ok %ld\n", labs(count));
    for (size_t i = 0; i < n; i++)
        free(seeds[i].data);
    free(seeds);
    return 0;
}
