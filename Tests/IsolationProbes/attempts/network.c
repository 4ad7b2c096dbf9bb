// Socket families and protocols, and the host's sockets.
#include "attempt.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int makes(int family, int type, int protocol) {
  int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}
#define SOCKET(id, family, type, protocol) \
  ATTEMPT(id) { return makes(family, type, protocol); }
SOCKET(socket_packet, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))
SOCKET(socket_packet_datagram, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL))
SOCKET(socket_raw_icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET(socket_raw_tcp, AF_INET, SOCK_RAW, IPPROTO_TCP)
SOCKET(socket_raw_icmp6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
SOCKET(socket_vsock, 40, SOCK_STREAM, 0)
SOCKET(socket_crypto, 38, SOCK_SEQPACKET, 0)
SOCKET(socket_key, 15, SOCK_RAW, 2)
SOCKET(socket_bluetooth, 31, SOCK_RAW, 1)
SOCKET(socket_can, 29, SOCK_RAW, 1)
SOCKET(socket_tipc, 30, SOCK_RDM, 0)
SOCKET(socket_rds, 21, SOCK_SEQPACKET, 0)
SOCKET(socket_xdp, 44, SOCK_RAW, 0)
SOCKET(socket_smc, 43, SOCK_STREAM, 0)
SOCKET(socket_ax25, 3, SOCK_DGRAM, 0)
SOCKET(socket_netlink_audit, AF_NETLINK, SOCK_RAW, 9)
SOCKET(socket_netlink_netfilter, AF_NETLINK, SOCK_RAW, 12)
SOCKET(socket_netlink_uevent, AF_NETLINK, SOCK_RAW, 15)
SOCKET(socket_netlink_xfrm, AF_NETLINK, SOCK_RAW, 6)
SOCKET(socket_netlink_diagnosis, AF_NETLINK, SOCK_RAW, 4)
SOCKET(socket_netlink_generic, AF_NETLINK, SOCK_RAW, 16)
SOCKET(socket_netlink_connector, AF_NETLINK, SOCK_RAW, 11)
SOCKET(socket_netlink_crypto, AF_NETLINK, SOCK_RAW, 21)
SOCKET(socket_sctp, AF_INET, SOCK_STREAM, 132)
SOCKET(socket_dccp, AF_INET, 6, 33)
SOCKET(socket_netlink_route, AF_NETLINK, SOCK_RAW, 0)
ATTEMPT(socket_pair_vsock) {
  int ends[2];
  return tried(socketpair(40, SOCK_STREAM, 0, ends));
}
// The kernel takes the family as a 32-bit number.
ATTEMPT(socket_packet_high_bits) { return tried(syscall(SYS_socket, 0x100000000ul | AF_PACKET, SOCK_RAW, 0)); }

ATTEMPT(socket_mark) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), value = 1;
  if (fd < 0) return errno;
  return tried(setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof value));
}
ATTEMPT(socket_transparent) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), value = 1;
  if (fd < 0) return errno;
  return tried(setsockopt(fd, IPPROTO_IP, 19, &value, sizeof value));
}
ATTEMPT(socket_debug) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), value = 1;
  if (fd < 0) return errno;
  return tried(setsockopt(fd, SOL_SOCKET, SO_DEBUG, &value, sizeof value));
}
// The same flags again: nothing changes where it is allowed.
ATTEMPT(interface_flags) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return errno;
  struct ifreq request = {.ifr_name = "lo"};
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) return errno;
  return tried(ioctl(fd, SIOCSIFFLAGS, &request));
}
// A link of a kind that does not exist: EOPNOTSUPP for who could make links.
ATTEMPT(interface_new) {
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0) return errno;
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
    struct { struct rtattr a; struct { struct rtattr a; char kind[8]; } kind; } info;
  } request = {
    .header = {sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 1, 0},
    .info = {{sizeof request.info, IFLA_LINKINFO}, {{sizeof request.info.kind, IFLA_INFO_KIND}, "nokind"}},
  };
  if (send(fd, &request, sizeof request, 0) < 0) return errno;
  struct { struct nlmsghdr header; struct nlmsgerr error; char rest[256]; } reply;
  if (recv(fd, &reply, sizeof reply, 0) < 0) return errno;
  int error = -reply.error.error;
  return error == EPERM || error == EACCES ? error : 0;
}

// Sockets that the test listens on, on the host.
ATTEMPT(connect_host_abstract) {
  const char *name = given("PROBE_ABSTRACT");
  if (!*name) return ENOENT;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  memcpy(address.sun_path + 1, name, length);
  return tried(connect(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1 + length)));
}
ATTEMPT(connect_host_loopback) {
  int port = atoi(given("PROBE_PORT"));
  if (!port) return ENOENT;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return tried(connect(fd, (struct sockaddr *)&address, sizeof address));
}
ATTEMPT(connect_host_socket_file) {
  const char *name = given("PROBE_SOCKET");
  if (!*name) return ENOENT;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  return tried(connect(fd, (struct sockaddr *)&address, sizeof address));
}
