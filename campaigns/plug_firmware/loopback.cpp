// Moves the firmware's listener to loopback and to the port in $PLUG_PORT (linked with --wrap=bind).
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

extern "C" int __real_bind(int, const sockaddr *, socklen_t);

extern "C" int __wrap_bind(int fd, const sockaddr *address, socklen_t length) {
  const char *port = getenv("PLUG_PORT");
  if (address->sa_family != AF_INET || port == nullptr)
    return __real_bind(fd, address, length);
  sockaddr_in moved;
  memcpy(&moved, address, sizeof moved);
  moved.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  moved.sin_port = htons(atoi(port));
  return __real_bind(fd, reinterpret_cast<sockaddr *>(&moved), sizeof moved);
}
