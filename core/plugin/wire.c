/* SPDX-License-Identifier: MIT */
/* Frames of bytes, and the structs of an update as their fields. */
#include "plugin/wire.h"

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

#define S(s, f) { #f, 's', offsetof(struct s, f), 0, 0 }
#define R(s, f) { #f, 'S', offsetof(struct s, f), 0, 0 }
#define D(s, f) { #f, 'D', offsetof(struct s, f), 0, 0 }
#define I(s, f) { #f, 'I', offsetof(struct s, f), 0, 0 }
#define H(s, f, min, max) { #f, 'h', offsetof(struct s, f), min, max }
#define U(s, f, min, max) { #f, 'u', offsetof(struct s, f), min, max }

const struct pd_part_form pd_part_forms[PD_EMIT_BRIEF + 1] = {
	[PD_EMIT_BEGIN] = { "an update", sizeof(struct pd_update_head), {
		I(pd_update_head, id), S(pd_update_head, revision), S(pd_update_head, title),
		S(pd_update_head, description), S(pd_update_head, url),
		S(pd_update_head, vendor), S(pd_update_head, severity_text),
		S(pd_update_head, trust),
		H(pd_update_head, severity, 0, PD_SEVERITY_CRITICAL),
		H(pd_update_head, kind, 0, PD_CLASS_BUNDLE),
		H(pd_update_head, status, 0, PD_STATUS_REPLACED),
		H(pd_update_head, restart, 0, PD_RESTART_REBOOT) } },
	[PD_EMIT_RELATION] = { "a relation", sizeof(struct pd_relation), {
		U(pd_relation, kind, PD_REL_ALIAS, PD_REL_REFERENCE), R(pd_relation, target),
		S(pd_relation, revision), S(pd_relation, title) } },
	[PD_EMIT_PACKAGE] = { "a package", sizeof(struct pd_package_row), {
		I(pd_package_row, name), U(pd_package_row, scheme, 0, PD_SCHEME_LAST),
		S(pd_package_row, epoch), R(pd_package_row, version), S(pd_package_row, release),
		S(pd_package_row, arch), S(pd_package_row, source), S(pd_package_row, module),
		S(pd_package_row, replaces), U(pd_package_row, restart, 0, PD_RESTART_REBOOT) } },
	[PD_EMIT_PAYLOAD] = { "a payload", sizeof(struct pd_payload), {
		R(pd_payload, url), S(pd_payload, name), D(pd_payload, digest) } },
	[PD_EMIT_INSTALLER] = { "an installer", sizeof(struct pd_installer), {
		U(pd_installer, kind, PD_INSTALL, PD_UNINSTALL), R(pd_installer, command),
		S(pd_installer, arguments) } },
	[PD_EMIT_EXIT] = { "an exit status", sizeof(struct pd_exit_row), {
		U(pd_exit_row, meaning, 0, PD_EXIT_NEEDS_OPERATOR) } },
	[PD_EMIT_RULE] = { "a rule", sizeof(struct pd_rule), {
		H(pd_rule, tree, PD_RULES_APPLICABLE, PD_RULES_INSTALLED),
		H(pd_rule, op, PD_RULE_ALL, PD_RULE_UNKNOWN), H(pd_rule, compare, 0, PD_CMP_MATCH),
		U(pd_rule, scheme, 0, PD_SCHEME_LAST), S(pd_rule, kind), S(pd_rule, subject),
		S(pd_rule, field), S(pd_rule, value) } },
	[PD_EMIT_END] = { "the end of an update", sizeof(struct pd_end), { { .name = NULL } } },
	[PD_EMIT_BRIEF] = { "an update", sizeof(struct pd_brief), {
		I(pd_brief, id), S(pd_brief, revision), S(pd_brief, package),
		H(pd_brief, severity, 0, PD_SEVERITY_CRITICAL), H(pd_brief, kind, 0, PD_CLASS_BUNDLE),
		H(pd_brief, status, 0, PD_STATUS_REPLACED),
		H(pd_brief, restart, 0, PD_RESTART_REBOOT) } },
	[PD_EMIT_IGNORED] = { "a note", sizeof(struct pd_ignored), { S(pd_ignored, what) } },
};

/* In place of each pointer stands how long its text is with its NUL; 0: NULL. */
void pd_part_put(struct pd_buffer *b, int what, const void *row)
{
	const struct pd_part_form *form = &pd_part_forms[what];
	const char *texts[sizeof(form->fields) / sizeof(*form->fields)];
	uintptr_t lens[sizeof(form->fields) / sizeof(*form->fields)];
	union pd_part part;
	uint32_t size = 0;
	size_t n = 0;

	if (row)
		memcpy(&size, row, sizeof(size));
	if (size > form->size)
		size = form->size;
	if (row)
		memcpy(&part, row, size);
	memset((char *)&part + size, 0, form->size - size);
	part.size = form->size;
	for (const struct pd_part_field *f = form->fields; f->name; f++)
		if (pd_part_is_text(f)) {
			memcpy(&texts[n], (char *)&part + f->offset, sizeof(*texts));
			lens[n] = texts[n] ? strlen(texts[n]) + 1 : 0;
			memcpy((char *)&part + f->offset, &lens[n], sizeof(*lens));
			n += lens[n] > 0;
		}
	pd_buffer_add(b, &part, form->size);
	for (size_t i = 0; i < n; i++)
		pd_buffer_add(b, texts[i], lens[i]);
}

bool pd_part_get(struct pd_frame *frame, int what, union pd_part *part)
{
	const struct pd_part_form *form = &pd_part_forms[what];

	if (what < PD_EMIT_BEGIN || what > PD_EMIT_BRIEF ||
	    (size_t)(frame->end - frame->at) < form->size)
		return false;
	memcpy(part, frame->at, form->size);
	frame->at += form->size;
	for (const struct pd_part_field *f = form->fields; f->name; f++) {
		const char *s = NULL;
		uintptr_t len;

		if (!pd_part_is_text(f))
			continue;
		memcpy(&len, (char *)part + f->offset, sizeof(len));
		if (len) {
			if (len > (uintptr_t)(frame->end - frame->at) || frame->at[len - 1])
				return false;
			s = frame->at;
			frame->at += len;
		}
		memcpy((char *)part + f->offset, &s, sizeof(s));
	}
	return true;
}
