/* SPDX-License-Identifier: MIT */
/* Checks and copies the descriptors of a plugin. */
#include "plugin/registry.h"

#include "base/text.h"
#include "plugin/arguments.h"

/* The size that each struct had when it was first released, in ABI 1.0; up
 * to the last field that can't be taken as zero. */
#define LEAST(s, f) (offsetof(struct s, f) + sizeof(((struct s *)0)->f))

/* Far more than anybody declares: the end of the rows was forgotten. */
#define ROWS_MAX 256u

/* The place in a descriptor that is being checked, for messages. */
struct spot {
	const char *plugin;
	const char *kind, *name; /* "step", its name; or NULL */
	const char *row_kind, *row_name; /* "parameter" ...; or NULL */
	size_t row;
	struct pd_error **err;
};

static bool PD_PRINTF(3, 4)
bad(const struct spot *s, const char *remedy, const char *fmt, ...)
{
	pd_auto(pd_buffer) b = {0};
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	pd_buffer_print(&b, "plugin '%s': ", s->plugin);
	if (s->kind && s->name)
		pd_buffer_print(&b, "%s '%s': ", s->kind, s->name);
	if (s->row_kind)
		pd_buffer_print(&b, "%s row %zu ('%s'): ", s->row_kind, s->row + 1,
				s->row_name ? s->row_name : "");
	pd_buffer_text(&b, text);
	pd_error_set(s->err, "plugin-bad-descriptor", "%s", b.data);
	return pd_error_remedy(s->err, "%s", remedy);
}

static bool words(const struct spot *s, const char *name, const char *help)
{
	if (!name || !pd_is_name(name))
		return bad(s, "give it a .name of a to z, 0 to 9 and _, a letter first",
			   "the name '%s' is not allowed", name ? name : "NULL");
	if (!help || !*help)
		return bad(s, "set .help: one line without a full stop", "it has no help");
	if (strchr(help, '\n') || help[strlen(help) - 1] == '.')
		return bad(s, "write .help as one line without a full stop",
			   "its help is not one line without a full stop");
	return true;
}

/* Rows of params, outputs and names repeat nothing. */
static bool repeated(const struct spot *s, const char *name, const char *other)
{
	return strcmp(name, other) != 0 ||
	       bad(s, "rename one of the two", "the name '%s' is there twice", name);
}

static bool param_range(const struct spot *s, const struct pd_param *p)
{
	bool number = p->type == PD_T_INT || p->type == PD_T_BYTES ||
		      p->type == PD_T_SECONDS;

	if (p->min > p->max)
		return bad(s, "swap .min and .max", "its range is empty: %lld to %lld",
			   (long long)p->min, (long long)p->max);
	if ((p->min || p->max) && !number)
		return bad(s, "leave out .min and .max",
			   "a %s has no range", pd_type_name(p->type));
	if ((p->type == PD_T_CHOICE) != (p->choices != NULL) ||
	    (p->choices && !p->choices[0]))
		return bad(s, "give .choices to PD_T_CHOICE, and to nothing else",
			   p->type == PD_T_CHOICE ? "it has no choices" :
						    "a %s has no choices",
			   pd_type_name(p->type));
	return true;
}

static bool param_default(const struct spot *s, const struct pd_param *p)
{
	pd_auto_error *why = NULL;
	pd_auto_json *value = NULL;

	if (!p->def)
		return true;
	if (p->flags & PD_P_REQUIRED)
		return bad(s, "leave out .def or PD_P_REQUIRED",
			   "it is required and has a default");
	if (p->type == PD_T_SECRET || p->type == PD_T_UPDATES)
		return bad(s, "leave out .def", "a %s can't have a default",
			   pd_type_name(p->type));
	value = pd_argument_parse(p, p->def, &why);
	return value || bad(s, "mend .def: write it as a script would",
			    "its default '%s' is not allowed: %s", p->def, why->message);
}

static bool param_place(const struct spot *s, const struct pd_step *step, size_t i)
{
	const struct pd_param *p = &step->params[i];
	size_t size = pd_type_size(p->type), end = (size_t)p->offset + size;
	size_t align = size < sizeof(void *) ? size : sizeof(void *);

	if (end > step->args_size || p->offset % align)
		return bad(s, "make the row with PD_PARAM() and set .args_size to "
			   "sizeof the struct", "its field at byte %u does not fit "
			   "a %s into a struct of %zu bytes", p->offset,
			   pd_type_name(p->type), step->args_size);
	for (size_t j = 0; j < i; j++) {
		const struct pd_param *q = &step->params[j];

		if (p->offset < q->offset + pd_type_size(q->type) && q->offset < end)
			return bad(s, "use the C type that enum pd_type names for each "
				   "field", "its field overlaps the one of '%s'", q->name);
	}
	return true;
}

static bool param_engine(const struct spot *s, const struct pd_step *step,
			 const struct pd_param *p)
{
	return !(p->flags & PD_P_ENGINE) ||
	       ((step->flags & PD_S_GUARD) && p->type == PD_T_SECONDS && !p->def &&
		!(p->flags & PD_P_REQUIRED) &&
		(strcmp(p->name, "expected_do") == 0 || strcmp(p->name, "expected_undo") == 0)) ||
	       bad(s, "declare expected_do or expected_undo, PD_T_SECONDS, with PD_P_ENGINE"
		   " alone, in a step with PD_S_GUARD", "the engine can't fill it in");
}

static bool params_good(struct spot s, const struct pd_step *step)
{
	s.row_kind = "parameter";
	for (size_t i = 0; step->params && step->params[i].name; i++) {
		const struct pd_param *p = &step->params[i];

		s.row = i;
		s.row_name = p->name;
		if (i == ROWS_MAX)
			return bad(&s, "end the rows with PD_PARAM_END",
				   "there are more than %u rows", ROWS_MAX);
		if (!words(&s, p->name, p->help))
			return false;
		if (!pd_type_size(p->type))
			return bad(&s, "use a value of enum pd_type",
				   "there is no type %u", p->type);
		if (p->flags & ~(PD_P_REQUIRED | PD_P_ENGINE))
			return bad(&s, "use PD_P_* only, or build for this core's minor",
				   "its flags 0x%x are unknown", p->flags);
		for (size_t j = 0; j < i; j++)
			if (!repeated(&s, p->name, step->params[j].name))
				return false;
		if (!param_range(&s, p) || !param_place(&s, step, i) ||
		    !param_default(&s, p) || !param_engine(&s, step, p))
			return false;
	}
	return true;
}

static bool outputs_good(struct spot s, const struct pd_step *step)
{
	s.row_kind = "output";
	for (size_t i = 0; step->outputs && step->outputs[i].name; i++) {
		const struct pd_output *o = &step->outputs[i];

		s.row = i;
		s.row_name = o->name;
		if (i == ROWS_MAX)
			return bad(&s, "end the rows with PD_OUTPUT_END",
				   "there are more than %u rows", ROWS_MAX);
		if (!words(&s, o->name, o->help))
			return false;
		if (!pd_type_size(o->type) || o->type == PD_T_CHOICE ||
		    o->type == PD_T_SECRET || o->type == PD_T_UPDATES)
			return bad(&s, "use BOOL, INT, BYTES, SECONDS, STRING, PATH or LIST",
				   "an output can't be of type %u (%s)", o->type,
				   pd_type_name(o->type));
		for (size_t j = 0; j < i; j++)
			if (!repeated(&s, o->name, step->outputs[j].name))
				return false;
	}
	return true;
}

static bool callbacks_good(const struct spot *s, const struct pd_step *step)
{
	if (!step->check)
		return bad(s, "write one: it looks, never touches, and says whether "
			   "there is work to do", "it has no check");
	switch (step->reversibility) {
	case PD_REVERSIBLE:
		if (!step->undo)
			return bad(s, "write .undo, or set PD_IRREVERSIBLE",
				   "it says that it is reversible and has no undo");
		break;
	case PD_IRREVERSIBLE:
	case PD_READONLY:
		if (step->undo)
			return bad(s, "set PD_REVERSIBLE, or leave out .undo",
				   "it has an undo and does not say that it is reversible");
		break;
	default:
		return bad(s, "set .reversibility to PD_REVERSIBLE, PD_IRREVERSIBLE "
			   "or PD_READONLY", "its reversibility %u is unknown",
			   step->reversibility);
	}
	if (!step->apply && step->reversibility != PD_READONLY)
		return bad(s, "write .apply, or set PD_READONLY", "it has no apply");
	return true;
}

static bool step_good(struct spot s, const void *row)
{
	const struct pd_step *step = row;
	const uint32_t known = PD_S_REBOOTS | PD_S_NEEDS_ROOT | PD_S_BACKUP |
			       PD_S_GUARD | PD_S_HOLD;

	if (step->flags & ~known)
		return bad(&s, "use PD_S_* only, or build for this core's minor",
			   "its flags 0x%x are unknown", step->flags & ~known);
	if (step->args_size > (size_t)1 << 20)
		return bad(&s, "set .args_size to sizeof the struct of arguments",
			   "its struct of arguments has %zu bytes", step->args_size);
	if ((step->flags & PD_S_HOLD) && !step->undo)
		return bad(&s, "write .undo, or leave PD_S_HOLD out",
			   "it is held, and has no undo that gives back");
	if ((step->flags & PD_S_GUARD) && (step->reversibility != PD_READONLY || step->apply))
		return bad(&s, "leave out .apply and set PD_READONLY, or take PD_S_GUARD away",
			   "a guard looks and does nothing else");
	return callbacks_good(&s, step) && params_good(s, step) && outputs_good(s, step);
}

static bool reader_good(struct spot s, const void *row)
{
	const struct pd_reader *r = row;

	if (!r->read)
		return bad(&s, "write .read", "it has no read");
	if (!r->recognize && !(r->flags & PD_R_SERVER))
		return bad(&s, "write .recognize, or set PD_R_SERVER",
			   "it has no recognize and is not one of the server's own");
	return true;
}

static bool filter_good(struct spot s, const void *row)
{
	const struct pd_filter *f = row;

	return (f->recognize && f->unpack) ||
	       bad(&s, "write recognize and unpack", "a callback is missing");
}

static bool scanner_good(struct spot s, const void *row)
{
	const struct pd_scanner *x = row;

	if (!x->scan)
		return bad(&s, "write .scan", "it has no scan");
	if (!x->kinds || !x->kinds[0])
		return bad(&s, "list the kinds of facts in .kinds, NULL at the end",
			   "it names no kind of fact");
	for (size_t i = 0; x->kinds[i]; i++)
		if (!pd_is_name(x->kinds[i]) && strncmp(x->kinds[i], "x-", 2) != 0)
			return bad(&s, "use a kind of doc/facts.md, or x-NAME",
				   "'%s' can't be a kind of fact", x->kinds[i]);
	return true;
}

static bool transport_good(struct spot s, const void *row)
{
	const struct pd_transport *t = row;

	return (t->open && t->exec && t->put && t->get && t->close) ||
	       bad(&s, "write open, exec, put, get and close", "a callback is missing");
}

/* What all kinds of row have in common: their size, name and help. */
struct row {
	uint32_t size, flags;
	const char *name, *help;
};

_Static_assert(offsetof(struct pd_step, help) == offsetof(struct row, help) &&
	       offsetof(struct pd_reader, help) == offsetof(struct row, help) &&
	       offsetof(struct pd_scanner, help) == offsetof(struct row, help) &&
	       offsetof(struct pd_filter, help) == offsetof(struct row, help) &&
	       offsetof(struct pd_transport, help) == offsetof(struct row, help),
	       "the heads of the rows are the same");

static bool rows_good(struct spot s, struct row *const *rows,
		      bool (*good)(struct spot s, const void *row))
{
	for (size_t i = 0; rows[i]; i++) {
		s.name = rows[i]->name ? rows[i]->name : "";
		if (!words(&s, rows[i]->name, rows[i]->help) || !good(s, rows[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (!repeated(&s, rows[i]->name, rows[j]->name))
				return false;
	}
	return true;
}

/* Copies of the rows of one array, each in this core's @p size, checked. */
static void *copy_rows(struct spot s, const void *array, size_t size, size_t least,
		       bool (*good)(struct spot s, const void *row))
{
	const struct row *const *rows = array;
	struct row **copies;
	char *body;
	size_t n = 0;

	while (rows && rows[n])
		if (n++ == ROWS_MAX) {
			bad(&s, "end the array with NULL", "it has more than %u %ss", ROWS_MAX, s.kind);
			return NULL;
		}
	copies = pd_alloc((n + 1) * sizeof(*copies) + n * size);
	body = (char *)(copies + n + 1);
	for (size_t i = 0; i < n; i++, body += size) {
		if (rows[i]->size < least) {
			bad(&s, "start the descriptor with PD_STEP, PD_READER, PD_SCANNER, PD_TRANSPORT or PD_FILTER",
			    "%s number %zu has the size %u, at least %zu is needed",
			    s.kind, i + 1, rows[i]->size, least);
			free(copies);
			return NULL;
		}
		copies[i] = memcpy(body, rows[i], rows[i]->size < size ? rows[i]->size : size);
		copies[i]->size = (uint32_t)size;
	}
	if (rows_good(s, copies, good))
		return copies;
	free(copies);
	return NULL;
}

static bool head_good(const struct spot *s, const struct pd_plugin *p)
{
	if (p->size < LEAST(pd_plugin, abi) || p->abi >> 16 != PD_ABI_MAJOR) {
		pd_error_set(s->err, "plugin-wrong-abi",
			     "plugin '%s' was built for ABI %u.%u, this core has %u.%u",
			     s->plugin, p->abi >> 16, p->abi & 0xffff, PD_ABI_MAJOR,
			     PD_ABI_MINOR);
		return pd_error_remedy(s->err, "build it again with this version's <patchday/plugin.h>%s",
				       p->abi >> 16 > PD_ABI_MAJOR ? ", or take a newer patchday" : "");
	}
	if (p->size < LEAST(pd_plugin, steps))
		return bad(s, "make the descriptor with PD_PLUGIN()",
			   "its descriptor has the size %u, at least %zu is needed",
			   p->size, LEAST(pd_plugin, steps));
	if (!p->name || strcmp(p->name, s->plugin) != 0)
		return bad(s, "name the file as .name says, or the other way round",
			   "it calls itself '%s'", p->name ? p->name : "NULL");
	if (!p->version || !*p->version)
		return bad(s, "set .version", "it has no version");
	return words(s, p->name, p->help);
}

#define COPY(field, kind_name, type, last)                                     \
	(s.kind = #kind_name,                                                 \
	 copy->field = copy_rows(s, all.field, sizeof(struct type), LEAST(type, last), \
				 kind_name##_good))

struct pd_plugin *pd_descriptor_copy(const struct pd_plugin *theirs,
				     const char *name, struct pd_error **err)
{
	struct spot s = { .plugin = name, .err = err };
	struct pd_plugin all = {0}, *copy;

	if (!head_good(&s, theirs))
		return NULL;
	memcpy(&all, theirs, theirs->size < sizeof(all) ? theirs->size : sizeof(all));
	copy = pd_alloc(sizeof(*copy));
	*copy = (struct pd_plugin){ .size = sizeof(*copy), .abi = all.abi, .name = all.name,
				    .version = all.version, .help = all.help };
	if (COPY(steps, step, pd_step, reversibility) && COPY(readers, reader, pd_reader, read) &&
	    COPY(scanners, scanner, pd_scanner, scan) &&
	    COPY(transports, transport, pd_transport, close) && COPY(filters, filter, pd_filter, unpack))
		return copy;
	pd_descriptor_free(copy);
	return NULL;
}

void pd_descriptor_free(struct pd_plugin *copy)
{
	if (!copy)
		return;
	free((void *)copy->steps);
	free((void *)copy->readers);
	free((void *)copy->scanners);
	free((void *)copy->transports);
	free((void *)copy->filters);
	free(copy);
}
