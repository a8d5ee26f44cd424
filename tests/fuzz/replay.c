/* Runs a fuzz target over files instead of a fuzzer's inventions: replay_NAME FILE...
 * Each file that the target survives gives a line `ok FILE`. Built with any compiler. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file, in exactly as many bytes, so that ASan sees a read one past the end. */
static uint8_t *whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long length;

    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0) {
        rewind(file);
        *size = (size_t)length;
        data = malloc(*size ? *size : 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    (void)fclose(file);
    return data;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        size_t size = 0;
        uint8_t *data = whole_file(argv[i], &size);
        if (!data) {
            perror(argv[i]);
            return 1;
        }
        printf("input %s\n", argv[i]);
        (void)fflush(stdout); /* the name must stand there when the target crashes */
        (void)LLVMFuzzerTestOneInput(data, size);
        printf("ok %s\n", argv[i]);
        free(data);
    }
    return 0;
}
