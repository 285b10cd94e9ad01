/* SPDX-License-Identifier: MIT */
/* Frames of bytes, and the structs of an update as their fields. */
#include "plugin/wire.h"

#include "base/text.h"
#include "plugin/worker.h"

size_t pd_frame_open(struct pd_buffer *b, unsigned type)
{
	uint32_t head[2] = { 0, type };
	size_t opened = b->len;

	pd_buffer_add(b, head, sizeof(head));
	return opened;
}

void pd_frame_close(struct pd_buffer *b, size_t opened)
{
	uint32_t len = (uint32_t)(b->len - opened);

	memcpy(b->data + opened, &len, sizeof(len));
}

static void put_text(struct pd_buffer *b, const char *s)
{
	int64_t len = s ? (int64_t)strlen(s) : -1;

	pd_buffer_add(b, &len, sizeof(len));
	if (s)
		pd_buffer_add(b, s, (size_t)len + 1);
}

static void add(struct pd_buffer *b, const char *form, va_list ap)
{
	for (; *form; form++) {
		if (*form == 'n') {
			int64_t n = va_arg(ap, int64_t);

			pd_buffer_add(b, &n, sizeof(n));
		} else {
			put_text(b, va_arg(ap, const char *));
		}
	}
}

void pd_frame_add(struct pd_buffer *b, const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	add(b, form, ap);
	va_end(ap);
}

void pd_frame_put(struct pd_buffer *b, unsigned type, const char *form, ...)
{
	size_t opened = pd_frame_open(b, type);
	va_list ap;

	va_start(ap, form);
	add(b, form, ap);
	va_end(ap);
	pd_frame_close(b, opened);
}

int pd_frame_next(const struct pd_buffer *in, size_t *used, struct pd_frame *f)
{
	uint32_t head[2];

	if (in->len - *used < sizeof(head))
		return 0;
	memcpy(head, in->data + *used, sizeof(head));
	if (head[0] < sizeof(head) || head[0] > PD_FRAME_MAX)
		return -1;
	if (in->len - *used < head[0])
		return 0;
	*f = (struct pd_frame){ .type = head[1],
				.at = in->data + *used + sizeof(head),
				.end = in->data + *used + head[0] };
	*used += head[0];
	return 1;
}

static bool get_number(struct pd_frame *f, int64_t *n)
{
	if ((size_t)(f->end - f->at) < sizeof(*n))
		return false;
	memcpy(n, f->at, sizeof(*n));
	f->at += sizeof(*n);
	return true;
}

static bool get_text(struct pd_frame *f, const char **s)
{
	int64_t len = 0;

	*s = NULL;
	if (!get_number(f, &len) || len < -1 || len >= f->end - f->at)
		return len == -1;
	if (len < 0)
		return true;
	*s = f->at;
	f->at += len + 1;
	return (*s)[len] == '\0';
}

bool pd_frame_get(struct pd_frame *f, const char *form, ...)
{
	bool ok = true;
	va_list ap;

	va_start(ap, form);
	for (; ok && *form; form++)
		ok = *form == 'n' ? get_number(f, va_arg(ap, int64_t *)) :
				    get_text(f, va_arg(ap, const char **));
	va_end(ap);
	return ok;
}

/* Type: h uint16_t, u uint32_t, n int64_t, s const char *, S one that is
 * required.  Numbers of an enum are from min to max; max 0: any number. */
struct field {
	const char *name;
	char type;
	uint8_t offset, min, max;
};

#define F(t, s, f) { #f, t, offsetof(struct s, f), 0, 0 }
#define E(t, s, f, min, max) { #f, t, offsetof(struct s, f), min, max }

static const struct {
	const char *name;
	size_t size;
	struct field fields[20];
} parts[] = {
	[PD_EMIT_BEGIN] = { "its head", sizeof(struct pd_update_head), {
		F('u', pd_update_head, line), F('S', pd_update_head, id),
		F('s', pd_update_head, revision), F('s', pd_update_head, title),
		F('s', pd_update_head, description), F('s', pd_update_head, url),
		F('s', pd_update_head, vendor), F('s', pd_update_head, severity_text),
		E('h', pd_update_head, severity, 0, PD_SEVERITY_CRITICAL),
		E('h', pd_update_head, kind, 0, PD_CLASS_BUNDLE),
		E('h', pd_update_head, status, 0, PD_STATUS_RETIRED),
		E('h', pd_update_head, restart, 0, PD_RESTART_REBOOT),
		F('n', pd_update_head, issued), F('n', pd_update_head, updated),
		F('n', pd_update_head, disk_bytes), F('n', pd_update_head, expected),
		F('u', pd_update_head, interactive), F('u', pd_update_head, permanent) } },
	[PD_EMIT_RELATION] = { "a relation", sizeof(struct pd_relation), {
		E('u', pd_relation, kind, PD_REL_ALIAS, PD_REL_REFERENCE),
		F('S', pd_relation, target), F('s', pd_relation, revision),
		F('s', pd_relation, title) } },
	[PD_EMIT_PACKAGE] = { "a package", sizeof(struct pd_package_row), {
		E('u', pd_package_row, scheme, 0, PD_SCHEME_PLAIN), F('S', pd_package_row, name),
		F('s', pd_package_row, epoch), F('S', pd_package_row, version),
		F('s', pd_package_row, release), F('s', pd_package_row, arch),
		F('s', pd_package_row, source), F('s', pd_package_row, module),
		F('u', pd_package_row, payload),
		E('u', pd_package_row, restart, 0, PD_RESTART_REBOOT) } },
	[PD_EMIT_PAYLOAD] = { "a payload", sizeof(struct pd_payload), {
		F('s', pd_payload, url), F('s', pd_payload, name),
		F('n', pd_payload, bytes), F('s', pd_payload, digest) } },
	[PD_EMIT_INSTALLER] = { "an installer", sizeof(struct pd_installer), {
		E('u', pd_installer, kind, PD_INSTALL, PD_UNINSTALL),
		F('S', pd_installer, command), F('s', pd_installer, arguments) } },
	[PD_EMIT_EXIT] = { "an exit status", sizeof(struct pd_exit_row), {
		E('u', pd_exit_row, meaning, 0, PD_EXIT_NEEDS_OPERATOR),
		F('n', pd_exit_row, status) } },
	[PD_EMIT_RULE] = { "a rule", sizeof(struct pd_rule), {
		E('h', pd_rule, tree, PD_RULES_APPLICABLE, PD_RULES_INSTALLED),
		E('h', pd_rule, op, PD_RULE_ALL, PD_RULE_CALL),
		E('h', pd_rule, compare, 0, PD_CMP_MATCH), F('h', pd_rule, negate),
		E('u', pd_rule, scheme, 0, PD_SCHEME_PLAIN),
		F('s', pd_rule, kind), F('s', pd_rule, subject),
		F('s', pd_rule, field), F('s', pd_rule, value) } },
	[PD_EMIT_END] = { "its end", 0, { { NULL, 0, 0, 0, 0 } } },
};

void pd_part_copy(int what, const void *from, union pd_part *to)
{
	uint32_t size;

	memcpy(&size, from, sizeof(size));
	memset(to, 0, sizeof(*to));
	memcpy(to, from, size < parts[what].size ? size : parts[what].size);
}

static const char *text_at(const union pd_part *part, const struct field *f)
{
	return *(const char *const *)(const void *)((const char *)part + f->offset);
}

static int64_t number_at(const union pd_part *part, const struct field *f)
{
	const void *at = (const char *)part + f->offset;

	return f->type == 'h' ? *(const uint16_t *)at :
	       f->type == 'u' ? *(const uint32_t *)at : *(const int64_t *)at;
}

char *pd_part_wrong(int what, const union pd_part *part)
{
	for (const struct field *f = parts[what].fields; f->type; f++) {
		bool text = f->type == 's' || f->type == 'S';
		const char *s = text ? text_at(part, f) : NULL;
		int64_t n = text ? 0 : number_at(part, f);

		if (f->type == 'S' && (!s || !*s))
			return pd_print("%s has no %s", parts[what].name, f->name);
		if (s && !pd_utf8_valid(s, strlen(s)))
			return pd_print("the %s of %s is not valid UTF-8", f->name, parts[what].name);
		if (f->max && (n < f->min || n > f->max))
			return pd_print("the %s of %s is %lld, which is unknown", f->name,
					parts[what].name, (long long)n);
	}
	return NULL;
}

void pd_part_put(struct pd_buffer *b, int what, const union pd_part *part)
{
	for (const struct field *f = parts[what].fields; f->type; f++) {
		if (f->type == 's' || f->type == 'S')
			put_text(b, text_at(part, f));
		else
			pd_frame_add(b, "n", number_at(part, f));
	}
}

bool pd_part_get(struct pd_frame *f, int what, union pd_part *part)
{
	int64_t n = 0;

	memset(part, 0, sizeof(*part));
	if (what < PD_EMIT_BEGIN || what > PD_EMIT_END)
		return false;
	part->size = (uint32_t)parts[what].size;
	for (const struct field *x = parts[what].fields; x->type; x++) {
		bool text = x->type == 's' || x->type == 'S';
		void *at = (char *)part + x->offset;

		if (text ? !get_text(f, at) : !get_number(f, &n))
			return false;
		if (x->type == 'h')
			*(uint16_t *)at = (uint16_t)n;
		else if (x->type == 'u')
			*(uint32_t *)at = (uint32_t)n;
		else if (x->type == 'n')
			*(int64_t *)at = n;
	}
	return true;
}
