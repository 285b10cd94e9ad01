/* SPDX-License-Identifier: MIT */
/* The reader modules: of the modules.yaml of a repository the default streams, which dnf
 * takes packages from where nobody has enabled another one.  It is no YAML in general:
 * libmodulemd writes a key in each line, those of one mapping below each other. */
#include <stdio.h>

#include "../shared/path.h"
#include "updateinfo.h"

enum { LINE = 1024 };

/* The document that is being read. */
struct document {
	bool defaults, data; /* it is of defaults; in its data */
	size_t indent;       /* of the keys of that; 0: not seen */
	char module[256], stream[256], modified[19];
	unsigned line;
};

struct reader {
	struct pd_ctx *ctx;
	struct document now;
	char line[LINE]; /* what is beyond is left off */
	size_t len;
	unsigned row;
};

/* It stands for a package that there can't be; the version is when that was set. */
static int emit(struct reader *r)
{
	const struct document *d = &r->now;
	char id[600], title[600];
	const struct pd_update_head head = { .size = sizeof(head), .id = id, .title = title,
		.line = d->line, .disk_bytes = -1 };
	const struct pd_package_row row = { .size = sizeof(row), .scheme = PD_SCHEME_RPM, .name = id,
		.version = *d->modified && !d->modified[strspn(d->modified, "0123456789")] ? d->modified : "0",
		.module = id };

	if (!d->defaults || !*d->module || !*d->stream)
		return 0;
	snprintf(id, sizeof(id), "%s:%s", d->module, d->stream);
	snprintf(title, sizeof(title), "%s is the default stream of the module %s", d->stream, d->module);
	if (pd_update_begin(r->ctx, &head) || pd_update_package(r->ctx, &row))
		return PD_FAILED;
	return pd_update_end(r->ctx);
}

/* A value without its quotes, or else without a comment behind it.  "": it is too long. */
static void take(char *to, size_t room, const char *value)
{
	size_t len;

	value += strspn(value, " \t");
	if (*value == '"' || *value == '\'') {
		char quote = *value++;
		const char *end = strchr(value, quote);

		len = end ? (size_t)(end - value) : 0;
	} else {
		const char *comment = strstr(value, " #");

		len = comment ? (size_t)(comment - value) : strlen(value);
		while (len && strchr(" \t\r", value[len - 1]))
			len--;
	}
	snprintf(to, room, "%.*s", len < room ? (int)len : 0, value);
}

static int end_line(struct reader *r)
{
	static const char document[] = "document:", module[] = "module:", stream[] = "stream:", modified[] = "modified:";
	struct document *d = &r->now;
	size_t indent = strspn(r->line, " ");
	const char *key = r->line + indent;
	int result = 0;

	r->row++;
	if (strncmp(r->line, "---", 3) == 0 || strncmp(r->line, "...", 3) == 0) {
		result = emit(r);
		*d = (struct document){ .line = r->row };
	} else if (!*key || *key == '#' || *key == '\r') {
		return 0;
	} else if (!indent && strncmp(key, document, sizeof(document) - 1) == 0) {
		take(d->module, sizeof(d->module), key + sizeof(document) - 1);
		d->defaults = strcmp(d->module, "modulemd-defaults") == 0;
		d->module[0] = '\0';
	} else if (!indent) {
		d->data = strncmp(key, "data:", 5) == 0;
	} else if (d->data && (!d->indent || indent == d->indent)) {
		d->indent = indent;
		if (strncmp(key, module, sizeof(module) - 1) == 0)
			take(d->module, sizeof(d->module), key + sizeof(module) - 1);
		if (strncmp(key, stream, sizeof(stream) - 1) == 0)
			take(d->stream, sizeof(d->stream), key + sizeof(stream) - 1);
		if (strncmp(key, modified, sizeof(modified) - 1) == 0)
			take(d->modified, sizeof(d->modified), key + sizeof(modified) - 1);
	}
	return result;
}

static int read_modules(struct pd_ctx *ctx)
{
	struct reader r = { .ctx = ctx };
	char bytes[16384];
	int64_t n;
	int result = 0;

	while (!result && (n = pd_source_read(ctx, bytes, sizeof(bytes))) > 0)
		for (int64_t i = 0; i < n && !result; i++) {
			if (bytes[i] != '\n') {
				if (r.len < LINE - 1)
					r.line[r.len++] = bytes[i];
				continue;
			}
			r.line[r.len] = '\0';
			r.len = 0;
			result = end_line(&r);
		}
	r.line[r.len] = '\0';
	if (!result && r.len)
		result = end_line(&r);
	return result ? result : n < 0 ? PD_FAILED : emit(&r);
}

static int recognize_modules(const unsigned char *head, size_t len)
{
	return len > 4 && (memcmp(head, "---", 3) == 0 || memcmp(head, "docu", 4) == 0) &&
	       path_found(head, len, "document: modulemd") ? 90 : 0;
}

const struct pd_reader modules_reader = {
	PD_READER, .name = "modules", .help = "default streams of modules in the modules.yaml of a repository",
	.recognize = recognize_modules, .read = read_modules, .time_limit = 3600
};
