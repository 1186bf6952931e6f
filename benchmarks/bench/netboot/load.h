/* What the load clients share: a clock, and how they end when something is wrong that no server can be blamed for. */
#ifndef LOAD_H
#define LOAD_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static inline void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/* The bytes of a file, in memory. */
static inline const uint8_t *content(const char *path, size_t *size) {
    struct stat is;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &is) < 0) die(path);
    *size = is.st_size;
    if (!is.st_size) return (const uint8_t *)"";
    void *bytes = mmap(NULL, is.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED) die(path);
    close(fd);
    return bytes;
}

static inline struct sockaddr_in address(const char *host, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1) { errno = EINVAL; die(host); }
    return to;
}

#endif
