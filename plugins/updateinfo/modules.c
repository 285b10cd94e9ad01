/* SPDX-License-Identifier: MIT */
/* The reader modules: of the modules.yaml of a repository the default streams, which dnf
 * takes packages from where nobody has enabled another one; and the scanner defaults, of
 * those that the administrator has set.  It is no YAML in general: libmodulemd writes a key
 * in each line, those of one mapping below each other. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shared/path.h"
#include "updateinfo.h"

#define FOLDER "/etc/dnf/modules.defaults.d"

enum { LINE = 1024, FILE_MAX = 1 << 20 };

/* The document that is being read. */
struct document {
	bool defaults, data; /* it is of defaults; in its data */
	size_t indent;       /* of the keys of that; 0: not seen */
	char module[256], stream[256], modified[19];
	unsigned line;
};

struct reader {
	struct pd_ctx *ctx;
	int (*emit)(const struct reader *r); /* a document of defaults that was read */
	struct document now;
	char line[LINE]; /* what is beyond is left off */
	size_t len;
	unsigned row;
};

/* It stands for a package that there can't be; the version is when that was set. */
static int emit_update(const struct reader *r)
{
	const struct document *d = &r->now;
	char id[600], title[600];
	const struct pd_update_head head = { .size = sizeof(head), .id = id, .title = title,
		.line = d->line, .disk_bytes = -1 };
	const struct pd_package_row row = { .size = sizeof(row), .scheme = PD_SCHEME_RPM, .name = id,
		.version = *d->modified && !d->modified[strspn(d->modified, "0123456789")] ? d->modified : "0",
		.module = id };

	if (!*d->stream)
		return 0;
	snprintf(id, sizeof(id), "%s:%s", d->module, d->stream);
	snprintf(title, sizeof(title), "%s is the default stream of the module %s", d->stream, d->module);
	if (pd_update_begin(r->ctx, &head) || pd_update_package(r->ctx, &row))
		return PD_FAILED;
	return pd_update_end(r->ctx);
}

/* Without a stream the module has no default one, whatever repositories say. */
static int emit_fact(const struct reader *r)
{
	return pd_fact(r->ctx, "x-module-defaults", (const struct pd_fact_field[]){
			PD_TEXT("name", r->now.module), PD_TEXT("stream", r->now.stream) }, 2);
}

static int end_document(struct reader *r)
{
	int result = r->now.defaults && *r->now.module ? r->emit(r) : 0;

	r->now = (struct document){ .line = r->row };
	return result;
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
		result = end_document(r);
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

static int take_bytes(struct reader *r, const char *bytes, size_t n)
{
	int result = 0;

	for (size_t i = 0; i < n && !result; i++) {
		if (bytes[i] != '\n') {
			if (r->len < LINE - 1)
				r->line[r->len++] = bytes[i];
			continue;
		}
		r->line[r->len] = '\0';
		r->len = 0;
		result = end_line(r);
	}
	return result;
}

static int end_file(struct reader *r)
{
	int result = r->len ? take_bytes(r, "\n", 1) : 0;

	return result ? result : end_document(r);
}

static int read_modules(struct pd_ctx *ctx)
{
	struct reader r = { .ctx = ctx, .emit = emit_update };
	char bytes[16384];
	int64_t n;
	int result = 0;

	while (!result && (n = pd_source_read(ctx, bytes, sizeof(bytes))) > 0)
		result = take_bytes(&r, bytes, (size_t)n);
	return result ? result : n < 0 ? PD_FAILED : end_file(&r);
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

static int is_yaml(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int scan_file(struct pd_ctx *ctx, const char *name)
{
	struct reader r = { .ctx = ctx, .emit = emit_fact };
	const char *path = pd_format(ctx, "%s/%s", FOLDER, name);
	size_t len = 0;
	const char *text = pd_read_file(ctx, path, FILE_MAX, &len);
	int result = text ? take_bytes(&r, text, len) :
			    pd_fail(ctx, PD_FAILED, "%s can't be read: %s", path, strerror(errno));

	return result ? result : end_file(&r);
}

static int scan_defaults(struct pd_ctx *ctx)
{
	struct dirent **entries = NULL;
	int n = scandir(FOLDER, &entries, is_yaml, alphasort), result = 0;

	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		result = pd_fail(ctx, PD_FAILED, "%s can't be read: %s", FOLDER, strerror(errno));
	for (int i = 0; i < n; i++) {
		result = result ? result : scan_file(ctx, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static const char *const kinds[] = { "x-module-defaults", NULL };

const struct pd_scanner defaults_scanner = {
	PD_SCANNER, .name = "defaults", .help = "default streams of modules that the administrator has set",
	.kinds = kinds, .scan = scan_defaults
};
