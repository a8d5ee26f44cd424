/* What a file is known by, whatever its name, and the checksum of files that sluice itself writes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../types.h"

enum { HEAD_BYTES = 65536 };

uint32_t sl_crc32(const char *bytes, size_t size) {
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes, size);
}

/* A pipe is not opened: what is read of it would be missing elsewhere. */
int sl_file_identity(const char *path, uint64_t *size, uint32_t *head) {
    char bytes[HEAD_BYTES];
    struct stat s;
    ssize_t n;
    int fd;

    if (stat(path, &s) || !S_ISREG(s.st_mode))
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = pread(fd, bytes, sizeof bytes, 0);
    (void)close(fd);
    if (n < 0)
        return -1;
    *size = (uint64_t)s.st_size;
    *head = sl_crc32(bytes, (size_t)n);
    return 0;
}

int sl_file_crc(const char *path, uint64_t offset, uint64_t size, uint32_t *crc) {
    char bytes[HEAD_BYTES];
    FILE *file = offset <= INT64_MAX ? fopen(path, "rbe") : NULL;
    int failed = !file || fseeko(file, (off_t)offset, SEEK_SET) != 0;

    for (*crc = 0; size && !failed;) {
        size_t n = size < sizeof bytes ? (size_t)size : sizeof bytes;
        failed = fread(bytes, n, 1, file) != 1;
        *crc = (uint32_t)crc32_z(*crc, (const unsigned char *)bytes, n);
        size -= n;
    }
    if (file)
        (void)fclose(file);
    return failed ? -1 : 0;
}
