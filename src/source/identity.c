/* What a file is known by, whatever its name, and the checksum of files that sluice itself writes.
 */
#include <fcntl.h>
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
