/* Many DHCP clients, some at a time (the next begins when one has ended), in one thread; every answer is checked.
 *
 * dhcp_load relay SERVER OWN FIRST COUNT IN-FLIGHT         through a relay agent, whose address OWN is
 * dhcp_load broadcast SERVER INTERFACE FIRST COUNT IN-FLIGHT   on the wire, broadcast flag set
 * dhcp_load unknown SERVER INTERFACE FIRST COUNT RATE      DISCOVERs only, RATE each second; any answer is counted as wrong
 *
 * FIRST numbers the clients; their MAC addresses begin with 02:4F and look random, as dnsmasq needs it: it hashes neighbours to the
 * same address. Prints one line of JSON. Source: RFC 2131, 2132. */
#include "load.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, DACK, NAK };
#define PATIENCE 1.0
#define TRIES 10
#define XID 0x4f000000u

struct client { uint32_t number, address; double asked; int type, tries; };

static int fd;
static struct sockaddr_in server, to;
static uint32_t relay;
static uint64_t done, wrong, failed, again, doubled, refused;
static double worst;
static uint8_t given[1 << 21]; /* a bit for each of the last 24 bits of an address */

static uint32_t mac_of(uint32_t number) {
    return htonl(number * 2654435761u);
}

static int build(uint8_t *p, uint32_t number, int type, uint32_t wanted) {
    uint32_t xid = htonl(XID + number), mac = mac_of(number), magic = htonl(0x63825363);
    memset(p, 0, 300);
    p[0] = 1, p[1] = 1, p[2] = 6, p[3] = relay != 0;
    memcpy(p + 4, &xid, 4);
    if (!relay) p[10] = 0x80;
    memcpy(p + 24, &relay, 4);
    p[28] = 0x02, p[29] = 0x4f;
    memcpy(p + 30, &mac, 4);
    memcpy(p + 236, &magic, 4);
    uint8_t *o = p + 240;
    *o++ = 53, *o++ = 1, *o++ = type;
    *o++ = 55, *o++ = 4, *o++ = 1, *o++ = 3, *o++ = 6, *o++ = 51;
    if (type == REQUEST) {
        *o++ = 50, *o++ = 4, memcpy(o, &wanted, 4), o += 4;
        *o++ = 54, *o++ = 4, memcpy(o, &server.sin_addr, 4), o += 4;
    }
    *o = 255;
    return 300;
}

static void say(struct client *c) {
    uint8_t packet[300];
    build(packet, c->number, c->type, c->address);
    c->asked = now();
    if (sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to) < 0 && errno != ENOBUFS && errno != EAGAIN)
        die("sendto");
}

static const uint8_t *option(const uint8_t *p, int size, int code, int length) {
    for (int at = 240; at < size && p[at] != 255;) {
        if (p[at] == 0) { at++; continue; }
        if (at + 1 >= size || at + 2 + p[at + 1] > size) return NULL;
        if (p[at] == code) return p[at + 1] == length ? p + at + 2 : NULL;
        at += 2 + p[at + 1];
    }
    return NULL;
}

/* 1: the client has its address; 0: not yet; -1: an answer that must not be. */
static int take(struct client *c, const uint8_t *p, int size) {
    uint32_t mac = mac_of(c->number), address;
    const uint8_t *type = option(p, size, 53, 1), *who = option(p, size, 54, 4), *lease = option(p, size, 51, 4);
    if (p[0] != 2 || p[28] != 0x02 || p[29] != 0x4f || memcmp(p + 30, &mac, 4) || !type) return -1;
    if (!who || memcmp(who, &server.sin_addr, 4)) return -1;
    if (*type == NAK && c->type == REQUEST) { /* somebody else has taken the address since the OFFER: begin again */
        refused++, c->type = DISCOVER;
        say(c);
        return 0;
    }
    if (!lease || !option(p, size, 1, 4)) return -1;
    memcpy(&address, p + 16, 4);
    if (*type == OFFER && c->type == DISCOVER) {
        c->address = address, c->type = REQUEST, c->tries = 0;
        say(c);
        return 0;
    }
    if (*type == OFFER) return 0; /* the answer to a DISCOVER that was sent twice */
    if (*type != DACK || c->type != REQUEST || address != c->address) return -1;
    uint32_t low = ntohl(address) & 0xffffff;
    if (given[low >> 3] & 1 << (low & 7)) doubled++;
    given[low >> 3] |= 1 << (low & 7);
    return 1;
}

/* Whether a packet is meant for one of these clients. */
static int is_of(const uint8_t *p, uint32_t first, uint32_t count) {
    uint32_t xid, mac;
    memcpy(&xid, p + 4, 4), memcpy(&mac, p + 30, 4);
    uint32_t number = ntohl(xid) - XID;
    return number - first < count && mac == mac_of(number);
}

static int unknown(uint32_t first, int count, double rate) {
    uint8_t packet[2048];
    double began = now();
    uint64_t answers = 0;
    for (int i = 0; i < count; i++) {
        int size = build(packet, first + i, DISCOVER, 0);
        if (sendto(fd, packet, size, 0, (struct sockaddr *)&to, sizeof to) < 0 && errno != ENOBUFS) die("sendto");
        while (recv(fd, packet, sizeof packet, MSG_DONTWAIT) > 0)
            answers += is_of(packet, first, count);
        double rest = began + (i + 1) / rate - now();
        if (rest > 0.002) usleep(rest * 1e6);
    }
    printf("{\"seconds\": %.6f, \"sent\": %d, \"wrong\": %lu}\n", now() - began, count, answers);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "see the head of the source\n"), 2;
    int relayed = !strcmp(argv[1], "relay"), one = 1, room = 8 << 20;
    uint32_t first = atoi(argv[4]), count = atoi(argv[5]);
    server = to = address(argv[2], 67);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(68)};
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (relayed) own = address(argv[3], 67), relay = own.sin_addr.s_addr;
    else {
        to.sin_addr.s_addr = INADDR_BROADCAST;
        if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) < 0) die("broadcast");
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, argv[3], strlen(argv[3])) < 0) die(argv[3]);
    }
    if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) die("bind");
    if (!strcmp(argv[1], "unknown")) return unknown(first, count, atof(argv[6]));

    uint32_t begun = 0, working = 0, flight = atoi(argv[6]);
    struct client *clients = calloc(count, sizeof *clients);
    double began = now(), looked = began;
    struct timeval wait = {.tv_usec = 50000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (uint32_t i = 0; i < count; i++) clients[i].number = first + i;
    for (;;) {
        for (; working < flight && begun < count; working++) clients[begun].type = DISCOVER, say(&clients[begun++]);
        if (!working) break;
        uint8_t packet[2048];
        ssize_t size = recv(fd, packet, sizeof packet, 0);
        if (size < 0 && errno != EAGAIN) die("recv");
        if (size >= 244) {
            uint32_t xid;
            memcpy(&xid, packet + 4, 4);
            uint32_t place = ntohl(xid) - XID - first;
            if (place < begun && clients[place].type) {
                struct client *c = &clients[place];
                double asked = c->asked;
                int end = take(c, packet, size);
                if (end < 0) wrong++;
                if (now() - asked > worst) worst = now() - asked;
                if (end > 0) c->type = 0, working--, done++;
            }
        }
        double t = now();
        if (t - looked < 0.1) continue;
        looked = t;
        for (uint32_t i = 0; i < begun; i++) {
            struct client *c = &clients[i];
            if (!c->type || t - c->asked < PATIENCE) continue;
            again++;
            if (++c->tries > TRIES) c->type = 0, working--, failed++;
            else say(c);
        }
    }
    printf("{\"seconds\": %.6f, \"done\": %lu, \"wrong\": %lu, \"doubled\": %lu, \"failed\": %lu, \"again\": %lu, \"refused\": %lu, \"worst_s\": %.6f}\n",
           now() - began, done, wrong, doubled, failed, again, refused, worst);
    return 0;
}
