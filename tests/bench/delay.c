/* delay ADDRESS PORT TARGET_PORT MS: a TCP relay from ADDRESS:PORT to 127.0.0.1:TARGET_PORT, whose
 * bytes arrive MS milliseconds late, in each direction: a far server where the kernel has no netem.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 128 * 1024, PIECES = 256 }; /* 32 MiB are on their way at most */

struct piece {
    struct timespec due;
    ssize_t size; /* 0 or less: the end */
    char *data;
};

/* One direction of a connection: a reader puts pieces in, a writer takes them when they are due. */
struct way {
    int from, to;
    long delay_ms;
    struct piece ring[PIECES];
    unsigned put, taken;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static struct timespec later(long ms) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void *read_pieces(void *argument) {
    struct way *way = argument;
    ssize_t size = 1;

    while (size > 0) {
        struct piece *piece = &way->ring[way->put % PIECES];

        pthread_mutex_lock(&way->lock);
        while (way->put - way->taken == PIECES)
            pthread_cond_wait(&way->changed, &way->lock);
        pthread_mutex_unlock(&way->lock);
        size = recv(way->from, piece->data, PIECE, 0);
        piece->size = size;
        piece->due = later(way->delay_ms);
        pthread_mutex_lock(&way->lock);
        way->put++;
        pthread_cond_signal(&way->changed);
        pthread_mutex_unlock(&way->lock);
    }
    return NULL;
}

static int send_all(int fd, const char *data, ssize_t size) {
    while (size > 0) {
        ssize_t n = send(fd, data, (size_t)size, MSG_NOSIGNAL);

        if (n <= 0)
            return -1;
        data += n;
        size -= n;
    }
    return 0;
}

static void *write_pieces(void *argument) {
    struct way *way = argument;

    for (;;) {
        struct piece *piece = &way->ring[way->taken % PIECES];

        pthread_mutex_lock(&way->lock);
        while (way->put == way->taken)
            pthread_cond_wait(&way->changed, &way->lock);
        pthread_mutex_unlock(&way->lock);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &piece->due, NULL);
        if (piece->size <= 0 || send_all(way->to, piece->data, piece->size) != 0)
            break;
        pthread_mutex_lock(&way->lock);
        way->taken++;
        pthread_cond_signal(&way->changed);
        pthread_mutex_unlock(&way->lock);
    }
    shutdown(way->to, SHUT_WR);
    shutdown(way->from, SHUT_RD);
    return NULL; /* the process lives as long as a measurement: nothing is freed */
}

static int start(int from, int to, long delay_ms) {
    struct way *way = calloc(1, sizeof *way);
    pthread_t thread;

    if (!way)
        return -1;
    way->from = from;
    way->to = to;
    way->delay_ms = delay_ms;
    pthread_mutex_init(&way->lock, NULL);
    pthread_cond_init(&way->changed, NULL);
    for (int i = 0; i < PIECES; i++)
        if (!(way->ring[i].data = malloc(PIECE)))
            return -1;
    if (pthread_create(&thread, NULL, read_pieces, way) != 0)
        return -1;
    return pthread_create(&thread, NULL, write_pieces, way);
}

static long number(const char *text) {
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 0) {
        fprintf(stderr, "delay: %s is no number\n", text);
        exit(2);
    }
    return n;
}

static struct sockaddr_in address(const char *host, const char *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};

    if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
        fprintf(stderr, "delay: %s is no address\n", host);
        exit(2);
    }
    return a;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

int main(int argc, char **argv) {
    const int on = 1;
    int listener;

    if (argc != 5) {
        fprintf(stderr, "usage: delay ADDRESS PORT TARGET_PORT MS\n");
        return 2;
    }
    const long delay_ms = number(argv[4]);
    struct sockaddr_in here = address(argv[1], argv[2]), target = address("127.0.0.1", argv[3]);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 64) != 0)
        die("delay: listen");
    for (;;) {
        int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);

        if (client < 0 || connect(server, (struct sockaddr *)&target, sizeof target) != 0)
            die("delay: connect");
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (start(client, server, delay_ms) != 0 || start(server, client, delay_ms) != 0)
            die("delay: start");
    }
}
