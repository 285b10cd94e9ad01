/* SPDX-License-Identifier: MIT */
/* Errors and the table behind `patchday explain`. */
#include "base/error.h"

static const struct pd_explanation table[] = {
#define PD_E(id, cause, remedy) { id, cause, remedy },
#include "base/errors.def"
#include "catalog/errors.def"
#include "cli/errors.def"
#include "facts/errors.def"
#include "plugin/errors.def"
#include "report/errors.def"
#include "run/errors.def"
#include "workflow/errors.def"
#include "xml/errors.def"
#include "../package/errors.def"
#include "../rehearse/errors.def"
#include "../transfer/errors.def"
#undef PD_E
};

const struct pd_explanation *pd_explanations(size_t *count)
{
	*count = sizeof(table) / sizeof(*table);
	return table;
}

const struct pd_explanation *pd_explain(const char *id)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].id, id) == 0)
			return &table[i];
	return NULL;
}

static bool set(struct pd_error **err, const char *id, char *where_take, char *message_take)
{
	struct pd_error *e = pd_alloc(sizeof(*e));

	*e = (struct pd_error){ .id = id, .where = where_take, .message = message_take };
	pd_error_move(err, e); /* which frees it where nobody wants it */
	return false;
}

bool pd_error_set(struct pd_error **err, const char *id, const char *fmt, ...)
{
	va_list ap;
	char *message;

	va_start(ap, fmt);
	message = pd_vprint(fmt, ap);
	va_end(ap);
	return set(err, id, NULL, message);
}

bool pd_error_at(struct pd_error **err, const char *id, const char *file,
		 unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;
	char *message;
	char *where = column ? pd_print("%s:%u:%u", file, line, column) :
		      line ? pd_print("%s:%u", file, line) : pd_strdup(file);

	va_start(ap, fmt);
	message = pd_vprint(fmt, ap);
	va_end(ap);
	return set(err, id, where, message);
}

bool pd_error_errno(struct pd_error **err, const char *id, int number, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	return set(err, id, NULL, pd_print("%s: %s", text, strerror(number)));
}

bool pd_error_prefix(struct pd_error **err, const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	char *message;
	va_list ap;

	if (!err || !*err)
		return false;
	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	message = pd_print("%s: %s", text, (*err)->message);
	free((*err)->message);
	(*err)->message = message;
	return false;
}

bool pd_error_remedy(struct pd_error **err, const char *fmt, ...)
{
	va_list ap;

	if (!err || !*err)
		return false;
	free((*err)->remedy);
	va_start(ap, fmt);
	(*err)->remedy = pd_vprint(fmt, ap);
	va_end(ap);
	return false;
}

void pd_error_move(struct pd_error **to, struct pd_error *from)
{
	if (!to) {
		pd_error_free(from);
		return;
	}
	pd_error_free(*to);
	*to = from;
}

void pd_error_free(struct pd_error *e)
{
	if (!e)
		return;
	free(e->where);
	free(e->message);
	free(e->remedy);
	free(e);
}

char *pd_error_text(const struct pd_error *e)
{
	return e->where ? pd_print("%s: %s", e->where, e->message) :
			  pd_strdup(e->message);
}

const char *pd_error_advice(const struct pd_error *e)
{
	const struct pd_explanation *x = pd_explain(e->id);

	return e->remedy ? e->remedy : x ? x->remedy : NULL;
}
