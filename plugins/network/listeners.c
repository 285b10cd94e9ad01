/* SPDX-License-Identifier: MIT */
/* The scanner of sockets that listen: /proc/net and who holds them; see
 * proc(5) and Documentation/networking/proc_net_tcp.rst of Linux. */
#include "network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LISTENERS_MAX = 4096,
	TABLE_MAX = 32 << 20,
	TCP_LISTEN = 0x0A, /* include/net/tcp_states.h */
	TCP_CLOSE = 0x07   /* a UDP socket that is not connected */
};

struct listener {
	const char *protocol;
	char address[INET6_ADDRSTRLEN];
	unsigned port;
	unsigned long inode;
	const char *program, *unit; /* NULL: nobody found */
	long pid;                   /* the lowest that holds it */
};

struct table {
	struct pd_ctx *ctx;
	struct listener *items;
	size_t len, open; /* open: without a holder */
	unsigned first_ephemeral;
};

/* The kernel prints addresses as words of 32 bits in its own byte order. */
static bool parse_address(const char *hex, size_t len, char *out)
{
	uint32_t words[4] = { 0 };
	char word[9] = "";

	if (len != 8 && len != 32)
		return false;
	for (size_t i = 0; i < len / 8; i++) {
		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return inet_ntop(len == 8 ? AF_INET : AF_INET6, words, out, INET6_ADDRSTRLEN) != NULL;
}

static void take_line(struct table *t, const char *protocol, const char *line)
{
	struct listener l = { .protocol = protocol };
	bool udp = strncmp(protocol, "udp", 3) == 0;
	char local[40] = "", remote[40] = "";
	unsigned state = 0, remote_port = 0;

	if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%X %32[0-9A-Fa-f]:%X %X %*s %*s %*s %*d %*d %lu",
		   local, &l.port, remote, &remote_port, &state, &l.inode) != 6 ||
	    t->len == LISTENERS_MAX || state != (udp ? TCP_CLOSE : TCP_LISTEN) ||
	    remote_port != 0 || !parse_address(local, strlen(local), l.address))
		return;
	/* clients that wait for an answer, on another port each time */
	if (udp && l.port >= t->first_ephemeral)
		return;
	t->items[t->len++] = l;
	t->open++;
}

static void take_table(struct table *t, const char *protocol)
{
	const char *path = pd_format(t->ctx, "/proc/net/%s", protocol);
	const char *text = pd_read_file(t->ctx, path, TABLE_MAX, NULL);

	/* without IPv6 there is no tcp6 */
	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n')
		take_line(t, protocol, text);
}

static const char *first_line(struct pd_ctx *ctx, const char *path)
{
	const char *text = pd_read_file(ctx, path, 65536, NULL);

	return text ? pd_format(ctx, "%.*s", (int)strcspn(text, "\n"), text) : NULL;
}

/* The last unit in the paths of its control groups. */
static const char *unit_of(struct pd_ctx *ctx, const char *pid)
{
	static const char *const kinds[] = { ".service", ".socket", ".scope" };
	const char *paths = pd_read_file(ctx, pd_format(ctx, "/proc/%s/cgroup", pid), 65536, NULL);
	char *copy = paths ? strdup(paths) : NULL;
	const char *unit = NULL;
	char *rest = NULL;

	for (const char *part = copy ? strtok_r(copy, "/\n", &rest) : NULL; part;
	     part = strtok_r(NULL, "/\n", &rest))
		for (size_t i = 0; i < 3; i++) {
			size_t n = strlen(part), m = strlen(kinds[i]);

			if (n > m && strcmp(part + n - m, kinds[i]) == 0)
				unit = pd_format(ctx, "%s", part);
		}
	free(copy);
	return unit;
}

static void held_by(struct table *t, unsigned long inode, const char *pid)
{
	const char *program = NULL, *unit = NULL;
	long number = atol(pid);

	for (size_t i = 0; i < t->len; i++) {
		struct listener *l = &t->items[i];

		if (l->inode != inode || (l->pid && l->pid <= number))
			continue;
		if (!program) {
			program = first_line(t->ctx, pd_format(t->ctx, "/proc/%s/comm", pid));
			unit = unit_of(t->ctx, pid);
		}
		t->open -= !l->pid;
		l->pid = number;
		l->program = program;
		l->unit = unit;
	}
}

/* Processes come in the order of their numbers: once all have a holder, the
 * rest holds only copies. */
static void find_holders(struct table *t)
{
	DIR *proc = opendir("/proc"), *fds = NULL;
	const struct dirent *d, *f;

	while (proc && t->open && (d = readdir(proc))) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		fds = opendir(pd_format(t->ctx, "/proc/%s/fd", d->d_name));
		while (fds && (f = readdir(fds))) {
			char link[64] = "";
			unsigned long inode = 0;

			if (readlinkat(dirfd(fds), f->d_name, link, sizeof(link) - 1) > 0 &&
			    sscanf(link, "socket:[%lu]", &inode) == 1)
				held_by(t, inode, d->d_name);
		}
		if (fds)
			closedir(fds);
	}
	if (proc)
		closedir(proc);
}

/* Several sockets on one port that share its load are one listener. */
static bool is_told(const struct table *t, size_t n)
{
	const struct listener *l = &t->items[n];

	for (size_t i = 0; i < n; i++)
		if (t->items[i].port == l->port &&
		    strcmp(t->items[i].protocol, l->protocol) == 0 &&
		    strcmp(t->items[i].address, l->address) == 0)
			return true;
	return false;
}

static int scan_listeners(struct pd_ctx *ctx)
{
	static const char *const protocols[] = { "tcp", "tcp6", "udp", "udp6" };
	struct table t = { .ctx = ctx, .first_ephemeral = 32768,
			   .items = pd_alloc_for(ctx, LISTENERS_MAX * sizeof(*t.items)) };
	const char *range = first_line(ctx, "/proc/sys/net/ipv4/ip_local_port_range");

	if (range && atoi(range) > 0)
		t.first_ephemeral = (unsigned)atoi(range);
	for (size_t i = 0; i < 4; i++)
		take_table(&t, protocols[i]);
	find_holders(&t);
	for (size_t i = 0; i < t.len; i++) {
		const struct listener *l = &t.items[i];
		const struct pd_fact_field row[] = {
			PD_TEXT("protocol", l->protocol), PD_TEXT("address", l->address),
			PD_NUMBER("port", l->port), PD_TEXT("program", l->program),
			PD_TEXT("unit", l->unit),
		};

		if (!is_told(&t, i) &&
		    pd_fact(ctx, "listeners", row, sizeof(row) / sizeof(row[0])) < 0)
			return PD_FAILED;
	}
	return 0;
}

static const char *const kinds[] = { "listeners", NULL };
const struct pd_scanner listeners = {
	PD_SCANNER, .name = "listeners", .kinds = kinds, .scan = scan_listeners,
	.help = "sockets that listen, with the programs and units that hold them"
};
