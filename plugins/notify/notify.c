/* SPDX-License-Identifier: MIT */
/* notify - tell people, once: mail, webhook, terminals, desktops. */
#include "notify.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define KEY "key"   /* of the message, when it was first tried: it may have been sent */
#define SENT "sent" /* it has been */

int notify_due(struct pd_ctx *ctx)
{
	return pd_recall(ctx, SENT) ? PD_UNCHANGED : PD_CHANGED;
}

int notify_once(struct pd_ctx *ctx, send_fn *send)
{
	const char *key = pd_recall(ctx, KEY);
	uint64_t random[2];
	int r;

	if (pd_recall(ctx, SENT))
		return PD_UNCHANGED;
	if (!key) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return pd_fail(ctx, PD_FAILED, "the kernel has no random numbers");
		key = pd_format(ctx, "%" PRId64 ".%016" PRIx64 "%016" PRIx64, (int64_t)time(NULL),
				random[0], random[1]);
		if (pd_remember(ctx, KEY, key) < 0)
			return PD_FAILED;
	}
	r = send(ctx, key);
	if (r < 0)
		return r;
	return pd_remember(ctx, SENT, "1") < 0 ? PD_FAILED : PD_CHANGED;
}

const char *notify_evidence(struct pd_ctx *ctx, const char *file, const char *text,
			    const char *title)
{
	const char *path = pd_format(ctx, "%s/%s", ctx->work_dir, file);

	return pd_write_file(ctx, path, 0600, text, strlen(text)) < 0 ||
	       pd_evidence(ctx, path, title) < 0 ? NULL : path;
}

int notify_was_sent(struct pd_ctx *ctx)
{
	return pd_recall(ctx, SENT) ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "the message was not sent");
}

static const struct pd_step *const steps[] = { &mail_step, &webhook_step, &wall_step, &desktop_step, NULL };

PD_PLUGIN(.name = "notify", .version = "1.0",
	  .help = "tell people: mail, webhook, message on terminals and desktops", .steps = steps);
