/* SPDX-License-Identifier: MIT */
/* Events for the system's journal, in the native protocol of systemd-journald:
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ */
#include <endian.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "run/engine.h"

/* A value with a newline goes with its length. */
static void field(struct pd_buffer *b, const char *name, const char *value)
{
	uint64_t len = htole64(strlen(value));

	pd_buffer_print(b, strchr(value, '\n') ? "%s\n" : "%s=", name);
	if (strchr(value, '\n'))
		pd_buffer_add(b, &len, sizeof(len));
	pd_buffer_text(b, value);
	pd_buffer_text(b, "\n");
}

static const char *detail(const json_t *data)
{
	static const char *const keys[] = { "message", "why", "text", "result", "path", "how", "name" };
	const char *text = NULL;

	for (size_t i = 0; !text && i < sizeof(keys) / sizeof(*keys); i++)
		text = pd_json_text(data, keys[i], NULL);
	return text ? text : "";
}

void pd_journald_tell(const struct pd_event *e)
{
	static const struct sockaddr_un journald = { AF_UNIX, "/run/systemd/journal/socket" };
	static int fd = -1;
	bool bad = strcmp(e->kind, "failed") == 0 || strcmp(e->kind, "stuck") == 0;
	pd_auto_free char *number = pd_print("%" PRId64, e->n);
	pd_auto_free char *message = pd_print("%s %s: %s", e->kind, *e->step ? e->step : e->run,
					      strcmp(e->kind, "state") == 0 ?
					      pd_json_text(e->data, "state", "") : detail(e->data));
	pd_auto(pd_buffer) b = {0};

	if (strcmp(e->kind, "predict") == 0)
		return;
	field(&b, "MESSAGE", message);
	/* no error of the server's: eventlog.compare looks for these */
	field(&b, "PRIORITY", bad ? "4" : "6");
	field(&b, "SYSLOG_IDENTIFIER", "patchday");
	field(&b, "PATCHDAY_RUN", e->run);
	field(&b, "PATCHDAY_KIND", e->kind);
	field(&b, "PATCHDAY_STEP", e->step);
	field(&b, "PATCHDAY_EVENT", number);
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* a journal that is not there, or full, is nothing to the run */
	(void)!sendto(fd, b.data, b.len, MSG_NOSIGNAL, (const struct sockaddr *)&journald,
		      sizeof(journald));
}
