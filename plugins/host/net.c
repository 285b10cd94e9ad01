/* SPDX-License-Identifier: MIT */
/* Facts of the network: interfaces, addresses, routes, resolvers. */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/route.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROC_MAX (1024 * 1024)

static int64_t mtu_of(const char *name)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t mtu = 0;

	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0)
		mtu = request.ifr_mtu;
	if (fd >= 0)
		close(fd);
	return mtu;
}

static int interface_fact(struct pd_ctx *ctx, const struct ifaddrs *row)
{
	const struct sockaddr_ll *ll = (const void *)row->ifa_addr;
	const unsigned char *b = ll->sll_addr;
	const char *state = !(row->ifa_flags & IFF_UP) ? "down" :
		row->ifa_flags & IFF_RUNNING ? "up" : "no-carrier";
	const char *mac = ll->sll_halen == 6 ?
		pd_format(ctx, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
			  b[2], b[3], b[4], b[5]) : NULL;

	return FACT(ctx, "interfaces", PD_TEXT("name", row->ifa_name),
		    PD_TEXT("mac", mac), PD_TEXT("state", state),
		    PD_NUMBER("mtu", mtu_of(row->ifa_name)));
}

static int prefix_of(const unsigned char *mask, size_t len)
{
	int bits = 0;

	for (size_t i = 0; i < len; i++)
		for (int bit = 7; bit >= 0; bit--)
			bits += mask[i] >> bit & 1;
	return bits;
}

static int address_fact(struct pd_ctx *ctx, const struct ifaddrs *row)
{
	bool six = row->ifa_addr->sa_family == AF_INET6;
	const void *address = six ?
		(const void *)&((const struct sockaddr_in6 *)
				(const void *)row->ifa_addr)->sin6_addr :
		(const void *)&((const struct sockaddr_in *)
				(const void *)row->ifa_addr)->sin_addr;
	const void *mask = !row->ifa_netmask ? NULL : six ?
		(const void *)&((const struct sockaddr_in6 *)
				(const void *)row->ifa_netmask)->sin6_addr :
		(const void *)&((const struct sockaddr_in *)
				(const void *)row->ifa_netmask)->sin_addr;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(six ? AF_INET6 : AF_INET, address, text, sizeof(text));
	return FACT(ctx, "addresses", PD_TEXT("interface", row->ifa_name),
		    PD_TEXT("address", text),
		    PD_NUMBER("prefix", mask ? prefix_of(mask, six ? 16 : 4) :
				(six ? 128 : 32)),
		    PD_TEXT("family", six ? "inet6" : "inet"));
}

static int scan_interfaces(struct pd_ctx *ctx)
{
	struct ifaddrs *list = NULL;
	int r = 0;

	if (getifaddrs(&list) < 0)
		return pd_fail(ctx, PD_FAILED, "cannot list the network "
			       "interfaces: %s", strerror(errno));
	for (const struct ifaddrs *row = list; row && r == 0;
	     row = row->ifa_next) {
		if (!row->ifa_addr)
			continue;
		if (row->ifa_addr->sa_family == AF_PACKET)
			r = interface_fact(ctx, row);
		else if (row->ifa_addr->sa_family == AF_INET ||
			 row->ifa_addr->sa_family == AF_INET6)
			r = address_fact(ctx, row);
	}
	freeifaddrs(list);
	return r;
}

/* A line of /proc/net/route: addresses are 32 bits in host order. */
static int route4(struct pd_ctx *ctx, const char *line)
{
	char name[IFNAMSIZ] = "";
	char to[INET_ADDRSTRLEN] = "";
	char via[INET_ADDRSTRLEN] = "";
	uint32_t destination = 0;
	uint32_t gateway = 0;
	uint32_t mask = 0;
	unsigned flags = 0;

	if (sscanf(line, "%15s %" SCNx32 " %" SCNx32 " %x %*s %*s %*s %" SCNx32,
		   name, &destination, &gateway, &flags, &mask) != 5 ||
	    !(flags & RTF_UP))
		return 0;
	inet_ntop(AF_INET, &destination, to, sizeof(to));
	inet_ntop(AF_INET, &gateway, via, sizeof(via));
	return FACT(ctx, "routes",
		    PD_TEXT("destination", destination || mask ?
			pd_format(ctx, "%s/%d", to,
				  prefix_of((unsigned char *)&mask, 4)) :
			"default"),
		    PD_TEXT("gateway", gateway ? via : NULL),
		    PD_TEXT("interface", name));
}

static void hex6(const char *hex, struct in6_addr *out)
{
	for (size_t i = 0; i < 16; i++) {
		unsigned byte = 0;

		sscanf(hex + 2 * i, "%2x", &byte);
		out->s6_addr[i] = (unsigned char)byte;
	}
}

/* A line of /proc/net/ipv6_route; the kernel's own local and multicast
 * entries, and what it refuses, are no routes that somebody made. */
static int route6(struct pd_ctx *ctx, const char *line)
{
	char name[IFNAMSIZ] = "";
	char destination[33] = "";
	char gateway[33] = "";
	char to[INET6_ADDRSTRLEN] = "";
	char via[INET6_ADDRSTRLEN] = "";
	struct in6_addr address;
	struct in6_addr next;
	unsigned prefix = 0;
	unsigned flags = 0;

	if (sscanf(line, "%32s %x %*s %*s %32s %*s %*s %*s %x %15s", destination,
		   &prefix, gateway, &flags, name) != 5 ||
	    strlen(destination) != 32 || strlen(gateway) != 32)
		return 0;
	hex6(destination, &address);
	hex6(gateway, &next);
	if (!(flags & RTF_UP) || flags & (RTF_REJECT | 0x80000000u) ||
	    address.s6_addr[0] == 0xff)
		return 0;
	inet_ntop(AF_INET6, &address, to, sizeof(to));
	inet_ntop(AF_INET6, &next, via, sizeof(via));
	return FACT(ctx, "routes",
		    PD_TEXT("destination", prefix ?
			    pd_format(ctx, "%s/%u", to, prefix) : "default"),
		    PD_TEXT("gateway", IN6_IS_ADDR_UNSPECIFIED(&next) ? NULL : via),
		    PD_TEXT("interface", name));
}

static int each_line(struct pd_ctx *ctx, const char *path,
		     int (*row)(struct pd_ctx *, const char *line))
{
	FILE *in = fopen(path, "re");
	char line[512] = "";
	int r = 0;

	while (in && r == 0 && fgets(line, sizeof(line), in))
		r = row(ctx, line);
	if (in)
		fclose(in);
	return r;
}

static int resolver(struct pd_ctx *ctx, const char *line)
{
	char address[64] = "";

	if (sscanf(line, " nameserver %63s", address) != 1)
		return 0;
	return FACT(ctx, "resolvers", PD_TEXT("address", address));
}

int scan_network(struct pd_ctx *ctx)
{
	if (scan_interfaces(ctx) < 0 ||
	    each_line(ctx, "/proc/net/route", route4) < 0 ||
	    each_line(ctx, "/proc/net/ipv6_route", route6) < 0)
		return PD_FAILED;
	return each_line(ctx, "/etc/resolv.conf", resolver);
}
