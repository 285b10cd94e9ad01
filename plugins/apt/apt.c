/* SPDX-License-Identifier: MIT */
/* The plugin apt: the catalog of a Debian server made from apt's own verified
 * lists, and the scanner of its packages. */
#include "apt.h"

#include <string.h>

int apt_try(struct pd_ctx *ctx, const char *const argv[], const char *input,
	    struct pd_command_result *out)
{
	static const char *const env[] = { "LC_ALL=C", NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv, .env = env,
				      .input = input,
				      .input_len = input ? strlen(input) : 0,
				      .output_max = (size_t)256 << 20 };

	return pd_command_run(ctx, &command, out) < 0 ? PD_FAILED : 0;
}

int apt_run(struct pd_ctx *ctx, const char *const argv[], const char *input,
	    struct pd_command_result *out)
{
	if (apt_try(ctx, argv, input, out) < 0)
		return PD_FAILED;
	if (out->status)
		return pd_fail(ctx, PD_FAILED, "%s ended with status %d: %.300s", argv[0],
			       out->status, out->err_len ? out->err : "no message");
	return 0;
}

char *apt_line(char **text)
{
	char *line = *text, *end = line ? strchr(line, '\n') : NULL;

	if (!line || !*line)
		return NULL;
	if (end)
		*end = '\0';
	*text = end ? end + 1 : NULL;
	return line;
}

char *apt_field(char **line, char mark)
{
	char *field = *line, *end = strchr(field, mark);

	if (end)
		*end = '\0';
	*line = end ? end + 1 : field + strlen(field);
	return field;
}

char *apt_copy(struct pd_ctx *ctx, const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(pd_alloc_for(ctx, len), s, len);
}

/* One call of dpkg-query for all packages. */
static int scan_packages(struct pd_ctx *ctx)
{
	static const char format[] = "${Package}\t${Version}\t${Architecture}\t"
		"${db:Status-Status}\t${db:Status-Want}\t${source:Package}\t${source:Version}\n";
	int known = apt_status(ctx);
	struct pd_command_result r;
	char *text, *line;

	/* A server of another kind has no such packages. */
	if (known <= 0)
		return known;
	if (apt_dpkg(ctx, format, &r) < 0)
		return PD_FAILED;
	text = apt_copy(ctx, r.out);
	while ((line = apt_line(&text))) {
		const char *name = apt_field(&line, '\t'), *version = apt_field(&line, '\t');
		const char *arch = apt_field(&line, '\t'), *status = apt_field(&line, '\t');
		const char *want = apt_field(&line, '\t'), *source = apt_field(&line, '\t');
		const struct pd_fact_field row[] = {
			PD_TEXT("name", name), PD_TEXT("version", version),
			PD_TEXT("arch", arch), PD_TEXT("scheme", "deb"),
			PD_TEXT("status", status), PD_TEXT("source", source),
			PD_TEXT("source_version", apt_field(&line, '\t')),
			PD_FLAG("held", strcmp(want, "hold") == 0),
		};

		if (*version && pd_fact(ctx, "packages", row, sizeof(row) / sizeof(*row)) < 0)
			return PD_FAILED;
	}
	return 0;
}

static const char *const kinds[] = { "packages", NULL };

static const struct pd_scanner packages = {
	PD_SCANNER,
	.name = "packages",
	.help = "installed packages of a Debian server, with what dpkg holds",
	.kinds = kinds,
	.scan = scan_packages,
};

static const struct pd_reader reader = {
	PD_READER,
	.name = "apt",
	.help = "updates that apt's verified lists offer this server",
	.flags = PD_R_SERVER,
	.read = apt_read,
};

static const struct pd_reader *const readers[] = { &reader, NULL };
static const struct pd_scanner *const scanners[] = { &packages, NULL };

PD_PLUGIN(
	.name = "apt",
	.version = "1.0",
	.help = "the catalog and the packages of a Debian server",
	.readers = readers,
	.scanners = scanners,
);
