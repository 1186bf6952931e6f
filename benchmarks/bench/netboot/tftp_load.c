/* Many TFTP clients at once, in one thread; every byte is compared with the file.
 *
 * tftp_load HOST PORT FIRST CLIENTS BLKSIZE WINDOW SECONDS NAME[=PATH]...
 *
 * Each client has an address of its own (FIRST, FIRST+1 ...) and reads all names one after the other, each from a new port. A name
 * without a path must be refused with an ERROR. BLKSIZE 0: no options at all. WINDOW 0: not asked for. SECONDS 0: each
 * client reads the list once; else again and again for that long. Prints one line of JSON.
 * Source: RFC 1350, 2347, 2348, 2349, 7440. */
#include "load.h"

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
#define PATIENCE 1.0 /* s without a packet until the last one is sent again */
#define TRIES 10

struct file { const char *name; const uint8_t *bytes; size_t size; int missing; };

struct client {
    int fd, file, known, granted, window, in_window, tries, gap, left;
    size_t got;      /* bytes that are here */
    uint64_t block;  /* the last block that is here, not wrapped */
    double heard;
    uint8_t last[600];
    int last_size;
};

static struct file files[256];
static int file_count, blksize, window, epoll_fd;
static struct sockaddr_in server;
static uint32_t first;
static double deadline;
static uint64_t bytes, done, refused, wrong, failed, again;
static int working;

static void say(struct client *c) {
    ssize_t sent = c->known ? send(c->fd, c->last, c->last_size, 0)
                            : sendto(c->fd, c->last, c->last_size, 0, (struct sockaddr *)&server, sizeof server);
    if (sent < 0 && errno != ECONNREFUSED && errno != EAGAIN && errno != ENOBUFS) die("send");
}

static void acknowledge(struct client *c) {
    uint8_t *p = c->last;
    p[0] = 0, p[1] = ACK, p[2] = c->block >> 8, p[3] = c->block;
    c->last_size = 4, c->in_window = 0;
    say(c);
}

static uint8_t *option(uint8_t *p, const char *name, long value) {
    p = (uint8_t *)stpcpy((char *)p, name) + 1;
    return p + sprintf((char *)p, "%ld", value) + 1;
}

static void ask(struct client *c, int number) {
    const struct file *f = &files[c->file];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(first + number)};
    c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int one = 1, room = 1 << 20;
    setsockopt(c->fd, SOL_IP, 15 /* IP_FREEBIND */, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&own, sizeof own) < 0) die("bind");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll");
    uint8_t *p = c->last;
    *p++ = 0, *p++ = RRQ;
    p = (uint8_t *)stpcpy((char *)p, f->name) + 1;
    p = (uint8_t *)stpcpy((char *)p, "octet") + 1;
    if (blksize) p = option(option(p, "tsize", 0), "blksize", blksize);
    if (window) p = option(p, "windowsize", window);
    c->last_size = p - c->last;
    c->known = c->in_window = c->tries = c->gap = 0;
    c->granted = 512, c->window = 1, c->got = c->block = 0;
    c->heard = now();
    say(c);
}

static void next(struct client *c, int number) {
    close(c->fd);
    c->fd = -1;
    if (++c->file == file_count) {
        c->file = 0;
        if (!deadline) c->left = 0;
    }
    if (deadline && now() > deadline) c->left = 0;
    if (c->left) ask(c, number);
    else working--;
}

static int is(const char *name, const char *known) { return strcasecmp(name, known) == 0; }

static void read_oack(struct client *c, char *p, const char *end) {
    while (p < end) {
        char *name = p, *value = p + strlen(p) + 1;
        if (value >= end) break;
        p = value + strlen(value) + 1;
        if (is(name, "blksize")) c->granted = atoi(value);
        if (is(name, "windowsize")) c->window = atoi(value);
        if (is(name, "tsize") && (size_t)atoll(value) != files[c->file].size) wrong++;
    }
}

/* Take one packet in; 1 when the transfer has ended. */
static int take(struct client *c, uint8_t *p, int size) {
    const struct file *f = &files[c->file];
    int code = p[1], n = size - 4;
    c->heard = now(), c->tries = 0;
    if (code == ERROR) {
        if (f->missing) refused++;
        else failed++, fprintf(stderr, "%s: error %d %.60s\n", f->name, p[3], p + 4);
        return 1;
    }
    if (f->missing) { wrong++; return 1; }
    if (code == OACK) {
        p[size] = 0;
        if (c->block == 0) read_oack(c, (char *)p + 2, (char *)p + size), acknowledge(c);
        return 0;
    }
    if (code != DATA) return 0;
    if ((uint16_t)(p[2] << 8 | p[3]) != (uint16_t)(c->block + 1)) {
        if (!c->gap && c->window > 1) acknowledge(c); /* once for a gap, RFC 7440 section 4 */
        c->gap = 1;
        return 0;
    }
    c->gap = 0;
    if (n > c->granted || c->got + n > f->size || memcmp(p + 4, f->bytes + c->got, n)) { wrong++; return 1; }
    c->block++, c->got += n, bytes += n;
    if (n < c->granted) {
        acknowledge(c);
        if (c->got == f->size) done++;
        else wrong++;
        return 1;
    }
    if (++c->in_window >= c->window) acknowledge(c);
    return 0;
}

static void hear(struct client *c, int number) {
    static uint8_t packet[65536 + 4];
    int fd = c->fd;
    while (c->fd == fd) {
        ssize_t size;
        if (c->known) size = recv(fd, packet, 65535, 0);
        else {
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            size = recvfrom(fd, packet, 65535, 0, (struct sockaddr *)&from, &length);
            if (size >= 4) {
                if (from.sin_addr.s_addr != server.sin_addr.s_addr) continue;
                if (connect(fd, (struct sockaddr *)&from, sizeof from) < 0) die("connect");
                c->known = 1;
            }
        }
        if (size < 0) {
            if (errno == EAGAIN) return;
            if (errno == ECONNREFUSED) { failed++; next(c, number); return; }
            die("recv");
        }
        if (size >= 4 && take(c, packet, size)) { next(c, number); return; }
    }
}

int main(int argc, char **argv) {
    if (argc < 9) return fprintf(stderr, "see the head of the source\n"), 2;
    server = address(argv[1], atoi(argv[2]));
    first = ntohl(address(argv[3], 0).sin_addr.s_addr);
    int count = atoi(argv[4]);
    blksize = atoi(argv[5]), window = atoi(argv[6]);
    double seconds = atof(argv[7]);
    for (int i = 8; i < argc; i++) {
        struct file *f = &files[file_count++];
        char *path = strchr(argv[i], '=');
        f->name = argv[i];
        if (path) *path++ = 0, f->bytes = content(path, &f->size);
        else f->missing = 1;
    }
    epoll_fd = epoll_create1(0);
    struct client *clients = calloc(count, sizeof *clients);
    double began = now(), looked = began;
    if (seconds) deadline = began + seconds;
    for (int i = 0; i < count; i++) clients[i].left = 1, working++, ask(&clients[i], i);
    while (working) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll_fd, events, 256, 50);
        for (int i = 0; i < ready; i++) hear(&clients[events[i].data.u32], events[i].data.u32);
        double t = now();
        if (t - looked < 0.05) continue;
        looked = t;
        for (int i = 0; i < count; i++) {
            struct client *c = &clients[i];
            if (c->fd < 0 || !c->left || t - c->heard < PATIENCE) continue;
            again++, c->heard = t, c->in_window = 0, c->gap = 0;
            if (++c->tries > TRIES) failed++, next(c, i);
            else say(c);
        }
    }
    printf("{\"seconds\": %.6f, \"bytes\": %lu, \"done\": %lu, \"refused\": %lu, \"wrong\": %lu, \"failed\": %lu, \"again\": %lu}\n",
           now() - began, bytes, done, refused, wrong, failed, again);
    return 0;
}
