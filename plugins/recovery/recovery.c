/* SPDX-License-Identifier: MIT */
/* Plugin recovery: a bare-metal backup by Relax-and-Recover, and its boot medium. */
#include "recovery.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

int against(struct pd_ctx *ctx, const char *cause, const char *remedy)
{
	if (ctx->phase != PD_PHASE_CHECK)
		return pd_fail(ctx, PD_FAILED, "%s; %s", cause, remedy);
	pd_inhibit(ctx, RISK, cause, remedy);
	return pd_fail(ctx, PD_REFUSED, "%s", cause);
}

const char *digest_text(struct pd_ctx *ctx, const char *text, size_t len)
{
	unsigned char raw[crypto_hash_sha256_BYTES];
	char *hex = pd_alloc_for(ctx, HEX);

	crypto_hash_sha256(raw, (const unsigned char *)text, len);
	return sodium_bin2hex(hex, HEX, raw, sizeof(raw));
}

const char *server_id(struct pd_ctx *ctx)
{
	size_t len = 0;
	const char *id = pd_read_file(ctx, "/etc/machine-id", 4096, &len);

	return id ? digest_text(ctx, id, len) : "unknown";
}

const char *line_value(struct pd_ctx *ctx, const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, name, len) == 0 && text[len] == ' ')
			return pd_format(ctx, "%.*s", (int)strcspn(text + len + 1, "\n"), text + len + 1);
	return NULL;
}

const char *span(struct pd_ctx *ctx, int64_t seconds)
{
	return seconds >= 2 * 86400 ? pd_format(ctx, "%" PRId64 " days", seconds / 86400) :
	       seconds >= 2 * 3600 ? pd_format(ctx, "%" PRId64 " hours", seconds / 3600) :
	       seconds >= 2 * 60 ? pd_format(ctx, "%" PRId64 " minutes", seconds / 60) :
				   pd_format(ctx, "%" PRId64 " seconds", seconds);
}

const char *short_name(struct pd_ctx *ctx)
{
	return pd_format(ctx, "%.*s", (int)strcspn(ctx->server, "."), ctx->server);
}

const char *time_text(struct pd_ctx *ctx, int64_t when)
{
	time_t t = (time_t)when;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return pd_format(ctx, "%s", text);
}

int tell(struct pd_ctx *ctx, const struct medium *m, const char *archive, const struct archive_report *report)
{
	const char *path = pd_format(ctx, "%s/medium.txt", ctx->work_dir);
	const char *text = pd_format(ctx, "medium    %s\nbytes     %" PRId64 "\nmade      %s\nboots     %s%s%s\n"
				     "server    %s\nidentity  by %s\n", m->path, m->bytes, time_text(ctx, m->made),
				     m->bios ? "BIOS" : "", m->bios && m->uefi ? ", " : "", m->uefi ? "UEFI" : "",
				     ctx->server, m->record ? "its id" : "its name");

	if (m->loader)
		text = pd_format(ctx, "%sloader    %s\n", text, m->loader);
	text = pd_format(ctx, "%slayout    SHA-256 %s\n", text, digest_text(ctx, m->layout, strlen(m->layout)));
	if (archive)
		text = pd_format(ctx, "%sarchive   %s\nfiles     %" PRId64 ", with %" PRId64 " bytes, read to the "
				 "end\ncompared  %" PRId64 " of them with the disk\nencrypted %s\n", text, archive,
				 report->files, report->bytes, report->compared, report->encrypted ? "yes" : "no");
	if (pd_write_file(ctx, path, 0600, text, strlen(text)) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, "The medium for recovery");
}

static const struct pd_step *const steps[] = { &backup_step, &rescue_step, &stick_step, &rescue_stick_step,
					     &recent_step, &medium_step, NULL };

PD_PLUGIN(.name = "recovery", .version = "1.0",
	  .help = "bare-metal backups by Relax-and-Recover: made, proved, and the boot medium confirmed",
	  .steps = steps);
