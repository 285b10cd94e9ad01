/* SPDX-License-Identifier: MIT */
/* ldapi - asks the directory of this server who it is, without a tool of Samba's: these
 * write to their databases' locks, and a dry run writes nothing. */
#include "directory.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE = 10000, ANSWER = 65536 }; /* ms for each part of the answer, bytes */

/* A search of the root for "(objectclass=*)", which everybody may; RFC 4511. */
static const unsigned char question[] = {
	0x30, 0x25, 0x02, 0x01, 0x01, 0x63, 0x20, 0x04, 0x00, 0x0a, 0x01, 0x00, 0x0a, 0x01, 0x00, 0x02, 0x01, 0x00,
	0x02, 0x01, 0x00, 0x01, 0x01, 0x00, 0x87, 0x0b, 'o', 'b', 'j', 'e', 'c', 't', 'c', 'l', 'a', 's', 's', 0x30, 0x00
};

/* Behind "dnsHostName" comes a set of one value: a few bytes of lengths, and the name. */
static bool is_named(const char *answer, size_t len, const char *host)
{
	static const char attribute[] = "dnsHostName";
	const char *at = memmem(answer, len, attribute, strlen(attribute));
	size_t left = at ? len - (size_t)(at - answer) - strlen(attribute) : 0;

	at = at ? at + strlen(attribute) : NULL;
	for (int i = 0; i < 32 && left >= strlen(host); i++, at++, left--)
		if (strncasecmp(at, host, strlen(host)) == 0)
			return true;
	return false;
}

/* NULL: it has answered. */
static const char *ask(const struct domain *d, int fd)
{
	char *answer = pd_alloc_for(d->ctx, ANSWER);
	size_t len = 0;
	ssize_t n;

	if (send(fd, question, sizeof(question), MSG_NOSIGNAL) != (ssize_t)sizeof(question))
		return strerror(errno);
	while (len < ANSWER && !is_named(answer, len, d->host)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = poll(&p, 1, PATIENCE);

		if (ready <= 0)
			return ready ? strerror(errno) : "it has no answer in 10 s";
		n = recv(fd, answer + len, ANSWER - len, 0);
		if (n <= 0)
			return n ? strerror(errno) : pd_format(d->ctx, "what answers is not %s", d->host);
		len += (size_t)n;
	}
	return len < ANSWER ? NULL : pd_format(d->ctx, "what answers is not %s", d->host);
}

int domain_answers(const struct domain *d)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/ldapi", d->secrets);
	const char *why = NULL;

	errno = 0;
	if (fd >= 0 && n > 0 && (size_t)n < sizeof(to.sun_path) &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		why = ask(d, fd);
	else
		why = errno ? strerror(errno) : "its path is too long";
	if (fd >= 0)
		close(fd);
	if (!why)
		return 0;
	why = pd_format(d->ctx, "the directory does not answer by %s: %s", to.sun_path, why);
	pd_inhibit(d->ctx, "what is wrong with the directory already would be blamed on the updates", why,
		   "see that Samba runs: systemctl status samba-ad-dc");
	return pd_fail(d->ctx, PD_REFUSED, "%s", why);
}
