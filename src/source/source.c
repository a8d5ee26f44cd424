#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int sl_source_is_url(const char *input) {
    return strncasecmp(input, "http://", 7) == 0 || strncasecmp(input, "https://", 8) == 0;
}

/* A copy of descriptor 0: closing the source must not free the number for the next open. */
static struct sl_source *open_stdin(struct sl_error *err) {
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

    if (fd < 0) {
        sl_error_set(err, SL_EXIT_INPUT, "-: cannot read standard input: %s", strerror(errno));
        return NULL;
    }
    return sl_source_pipe_open(fd, "-", err);
}

struct sl_source *sl_source_open(const char *input, const struct sl_source_options *options,
                                 struct sl_error *err) {
    if (strcmp(input, "-") == 0)
        return open_stdin(err);
    if (sl_source_is_url(input))
        return sl_source_http_open(input, options, err);
    const char *mark = strstr(input, "://");
    if (mark && access(input, F_OK) != 0) { /* what follows may hold a password */
        sl_error_set(err, SL_EXIT_USAGE, "%.*s://…: only http:// and https:// URLs can be read",
                     (int)(mark - input), input);
        return NULL;
    }
    return sl_source_file_open(input, err);
}

void sl_source_close(struct sl_source *source) {
    if (source)
        source->ops->close(source);
}
