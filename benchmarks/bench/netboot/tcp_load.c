/* Many readers of one file over TCP at once, in one thread; every byte is compared with the file.
 *
 * tcp_load HOST PORT FIRST CLIENTS PATH [WORDS]
 *
 * Each reader has an address of its own (FIRST, FIRST+1 ...). WORDS are sent first (an HTTP request, say): then the answer has a head, which ends with an empty line. A connection must
 * end with the file. Prints one line of JSON. */
#include "load.h"

struct reader { int fd, in_head, line; size_t got; };

int main(int argc, char **argv) {
    if (argc < 6) return fprintf(stderr, "see the head of the source\n"), 2;
    struct sockaddr_in to = address(argv[1], atoi(argv[2]));
    uint32_t first = ntohl(address(argv[3], 0).sin_addr.s_addr);
    int one = 1, count = atoi(argv[4]), working = 0, epoll_fd = epoll_create1(0);
    size_t size;
    const uint8_t *bytes = content(argv[5], &size);
    const char *words = argc > 6 ? argv[6] : "";
    uint64_t total = 0, done = 0, wrong = 0;
    static uint8_t piece[256 * 1024];
    struct reader *readers = calloc(count, sizeof *readers);
    double began = now();
    for (int i = 0; i < count; i++, working++) {
        struct reader *r = &readers[i];
        r->fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(first + i)};
        setsockopt(r->fd, SOL_IP, 15 /* IP_FREEBIND */, &one, sizeof one);
        if (bind(r->fd, (struct sockaddr *)&own, sizeof own) < 0) die("bind");
        if (connect(r->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
        if (*words && write(r->fd, words, strlen(words)) < 0) die("write");
        r->in_head = *words != 0;
        fcntl(r->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, r->fd, &event);
    }
    while (working) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 20000);
        if (ready == 0) return fprintf(stderr, "nothing came for 20 s\n"), 1;
        for (int i = 0; i < ready; i++) {
            struct reader *r = &readers[events[i].data.u32];
            ssize_t n = read(r->fd, piece, sizeof piece), at = 0;
            if (n < 0 && errno == EAGAIN) continue;
            for (; r->in_head && at < n; at++) { /* \r\n\r\n */
                if (piece[at] == '\n' && r->line == 0) r->in_head = 0;
                if (piece[at] != '\r') r->line = piece[at] != '\n';
            }
            int bad = n < 0 || (n > at && (r->got + n - at > size || memcmp(piece + at, bytes + r->got, n - at)));
            if (n > at && !bad) r->got += n - at, total += n - at;
            if (!bad && n > 0 && !(*words && r->got == size && !r->in_head)) continue;
            if (!bad && r->got == size) done++;
            else wrong++;
            close(r->fd), working--;
        }
    }
    printf("{\"seconds\": %.6f, \"bytes\": %lu, \"done\": %lu, \"wrong\": %lu}\n", now() - began, total, done, wrong);
    return 0;
}
