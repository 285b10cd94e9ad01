/* SPDX-License-Identifier: MIT */
/* Arguments: JSON against declared rows, and into the plugin's struct. */
#include "plugin/arguments.h"

#include <limits.h>

#include "base/text.h"
#include "plugin/secret.h"

struct pd_updates {
	json_t *rows;
};

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[PD_T_BOOL] = { "boolean", sizeof(bool) },
	[PD_T_INT] = { "number", sizeof(int64_t) },
	[PD_T_BYTES] = { "bytes", sizeof(int64_t) },
	[PD_T_SECONDS] = { "seconds", sizeof(int64_t) },
	[PD_T_STRING] = { "string", sizeof(char *) },
	[PD_T_PATH] = { "path", sizeof(char *) },
	[PD_T_CHOICE] = { "choice", sizeof(int32_t) },
	[PD_T_LIST] = { "list", sizeof(struct pd_list) },
	[PD_T_SECRET] = { "secret", sizeof(void *) },
	[PD_T_UPDATES] = { "updates", sizeof(void *) },
};

const char *pd_type_name(unsigned type)
{
	return pd_type_size(type) ? types[type].name : "unknown";
}

size_t pd_type_size(unsigned type)
{
	return type < sizeof(types) / sizeof(*types) ? types[type].size : 0;
}

/* A path is a text; one text is a list of one; numbers and choices are looked
 * at again when the value is there. */
bool pd_type_fits(unsigned from, unsigned to)
{
	const unsigned numbers = 1u << PD_T_INT | 1u << PD_T_BYTES | 1u << PD_T_SECONDS;
	const unsigned texts = 1u << PD_T_STRING | 1u << PD_T_PATH;

	return from == to || (numbers >> from & numbers >> to & 1) ||
	       ((texts >> from & 1) && (to == PD_T_LIST || to == PD_T_STRING)) ||
	       (from == PD_T_STRING && to == PD_T_CHOICE);
}

const struct pd_param *pd_step_param(const struct pd_step *step, const char *name)
{
	for (const struct pd_param *p = step->params; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

const struct pd_output *pd_step_output(const struct pd_step *step, const char *name)
{
	for (const struct pd_output *o = step->outputs; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

/* ------------------------------------------------------------ one value */

static json_t *wrong(const struct pd_param *p, struct pd_error **err,
		     const char *expected)
{
	pd_error_set(err, "argument-type", "%s must be %s", p->name, expected);
	return NULL;
}

static json_t *number_check(const struct pd_param *p, int64_t n, struct pd_error **err)
{
	if (p->type != PD_T_INT && n < 0)
		return wrong(p, err, "zero or more");
	if ((!p->min && !p->max) || (n >= p->min && n <= p->max))
		return json_integer(n);
	pd_error_set(err, "argument-range", p->max == INT64_MAX ? "%s is %lld, at least %lld is allowed" :
		     p->min == INT64_MIN ? "%s is %lld, at most %lld is allowed" :
		     "%s is %lld, allowed is %lld to %lld", p->name, (long long)n,
		     (long long)(p->min == INT64_MIN ? p->max : p->min), (long long)p->max);
	return NULL;
}

static json_t *number_value(const struct pd_param *p, const json_t *v,
			    struct pd_error **err)
{
	const char *s = json_string_value(v);
	double real = json_real_value(v);
	int64_t n = json_integer_value(v);

	/* a script's 2.0 is a 2 */
	if (json_is_real(v) && real > -9e15 && real < 9e15 && real == (double)(int64_t)real)
		return number_check(p, (int64_t)real, err);
	if (json_is_integer(v) ||
	    (s && p->type == PD_T_BYTES && pd_parse_bytes(s, &n)) ||
	    (s && p->type == PD_T_SECONDS && pd_parse_seconds(s, &n)))
		return number_check(p, n, err);
	return wrong(p, err, p->type == PD_T_BYTES ? "a size such as 4096 or \"20 MiB\"" :
			     p->type == PD_T_SECONDS ? "a duration such as 90 or \"15m\"" :
						       "a whole number");
}

static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || !p[3])
			return true;
	return false;
}

static json_t *text_value(const struct pd_param *p, const json_t *v,
			  struct pd_error **err)
{
	const char *s = json_string_value(v);

	if (!s)
		return wrong(p, err, "a text");
	if (strlen(s) != json_string_length(v))
		return wrong(p, err, "a text without NUL bytes");
	if (p->type == PD_T_PATH && (s[0] != '/' || climbs(s)))
		return wrong(p, err, "an absolute path without \"..\"");
	if (p->type == PD_T_PATH && strlen(s) >= PATH_MAX)
		return wrong(p, err, "a path of at most 4095 bytes");
	return json_string(s);
}

static json_t *choice_value(const struct pd_param *p, const json_t *v,
			    struct pd_error **err)
{
	pd_auto(pd_strings) all = {0};
	pd_auto_free char *joined = NULL;
	const char *s = json_string_value(v), *near;

	for (const char *const *c = p->choices; c && *c; c++) {
		if (s && strcmp(s, *c) == 0)
			return json_string(s);
		pd_strings_add(&all, *c);
	}
	joined = pd_strings_join(&all, ", ");
	near = s ? pd_nearest(s, (const char *const *)all.items, all.len) : NULL;
	pd_error_set(err, "argument-choice", "%s is '%s', it must be one of: %s",
		     p->name, s ? s : "no text", joined);
	if (near)
		pd_error_remedy(err, "did you mean '%s'?", near);
	return NULL;
}

static json_t *list_value(const struct pd_param *p, const json_t *v,
			  struct pd_error **err)
{
	const struct pd_param item = { .name = p->name, .type = PD_T_STRING };
	pd_auto_json *list = json_array();

	if (json_is_string(v)) {
		json_t *text = text_value(&item, v, err);

		return text ? json_pack("[o]", text) : NULL;
	}
	if (!json_is_array(v) && !(json_is_object(v) && !json_object_size(v)))
		return wrong(p, err, "a list of texts");
	for (size_t i = 0; i < json_array_size(v); i++) {
		json_t *text = json_array_get(v, i);

		if (!json_is_string(text))
			return wrong(p, err, "a list of texts");
		text = text_value(&item, text, err);
		if (!text)
			return NULL;
		json_array_append_new(list, text);
	}
	return json_incref(list);
}

static json_t *updates_value(const struct pd_param *p, const json_t *v,
			     struct pd_error **err)
{
	const json_t *rows = json_object_get(v, "$updates");

	if (!json_is_array(rows))
		return wrong(p, err, "a selection of updates of a catalog");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *packages = json_object_get(row, "packages");

		if (!pd_json_text(row, "id", NULL) || (packages && !json_is_array(packages)))
			return wrong(p, err, "updates with an id and a list of packages");
		for (size_t j = 0; j < json_array_size(packages); j++)
			if (!pd_json_text(json_array_get(packages, j), "name", NULL))
				return wrong(p, err, "updates whose packages have names");
	}
	return json_incref((json_t *)v);
}

static bool is_mark(const json_t *v, const char *key)
{
	return json_is_object(v) && json_object_get(v, key);
}

json_t *pd_argument_check(const struct pd_param *param, const json_t *v,
			  struct pd_error **err)
{
	if (is_mark(v, "$ref") || is_mark(v, "$unknown"))
		return json_incref((json_t *)v);
	switch (param->type) {
	case PD_T_BOOL:
		return json_is_boolean(v) ? json_incref((json_t *)v) :
					    wrong(param, err, "true or false");
	case PD_T_INT:
	case PD_T_BYTES:
	case PD_T_SECONDS:
		return number_value(param, v, err);
	case PD_T_STRING:
	case PD_T_PATH:
		return text_value(param, v, err);
	case PD_T_CHOICE:
		return choice_value(param, v, err);
	case PD_T_LIST:
		return list_value(param, v, err);
	case PD_T_SECRET:
		if (!is_mark(v, "$secret"))
			return wrong(param, err, "a secret: pd.secret { env = \"NAME\" }");
		return pd_secret_source_check(json_object_get(v, "$secret"), err) ?
			json_incref((json_t *)v) : NULL;
	default:
		return updates_value(param, v, err);
	}
}

/* "env:NAME", "file:/path", "credential:NAME", "prompt:NAME" */
static json_t *secret_text(const char *text)
{
	const char *colon = strchr(text, ':');
	pd_auto_free char *source = pd_strndup(text, colon ? (size_t)(colon - text) : 0);

	return json_pack("{s:{s:s}}", "$secret", source, colon ? colon + 1 : "");
}

static json_t *list_text(const char *text)
{
	json_t *list = json_array();
	size_t len;

	for (; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, len));
	}
	return list;
}

json_t *pd_argument_parse(const struct pd_param *param, const char *text,
			  struct pd_error **err)
{
	pd_auto_json *value = NULL;
	int64_t n;
	bool flag;

	if (!pd_utf8_valid(text, strlen(text)))
		return wrong(param, err, "valid UTF-8");
	if (param->type == PD_T_BOOL && pd_parse_bool(text, &flag))
		value = json_boolean(flag);
	else if (param->type == PD_T_INT && pd_parse_int(text, &n))
		value = json_integer(n);
	else if (param->type == PD_T_LIST)
		value = list_text(text);
	else if (param->type == PD_T_SECRET)
		value = secret_text(text);
	else
		value = json_string(text);
	return pd_argument_check(param, value, err);
}

/* ------------------------------------------------------ all of one step */

static bool unknown_name(const struct pd_step *step, const char *name,
			 const char *key, struct pd_error **err)
{
	pd_auto(pd_strings) names = {0};
	pd_auto_free char *all = NULL;
	const char *near;

	for (const struct pd_param *p = step->params; p && p->name; p++)
		pd_strings_add(&names, p->name);
	all = pd_strings_join(&names, ", ");
	near = pd_nearest(key, (const char *const *)names.items, names.len);
	pd_error_set(err, "argument-unknown", "%s has no parameter '%s'", name, key);
	if (near)
		return pd_error_remedy(err, "did you mean '%s'?", near);
	return pd_error_remedy(err, names.len ? "its parameters are: %s" :
						"it takes no parameters%s", all);
}

json_t *pd_arguments_check(const struct pd_step *step, const char *name,
			   const json_t *given, struct pd_error **err)
{
	pd_auto_json *all = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)given, key, value)
		if (!pd_step_param(step, key)) {
			unknown_name(step, name, key, err);
			return NULL;
		}
	for (const struct pd_param *p = step->params; p && p->name; p++) {
		json_t *v = json_object_get(given, p->name), *checked;

		if (!v && (p->flags & PD_P_REQUIRED)) {
			pd_error_set(err, "argument-missing", "%s needs '%s' (%s)",
				     name, p->name, p->help);
			return NULL;
		}
		if (!v && !p->def)
			continue;
		checked = v ? pd_argument_check(p, v, err) :
			      pd_argument_parse(p, p->def, err);
		if (!checked) {
			pd_error_prefix(err, "%s", name);
			return NULL;
		}
		json_object_set_new(all, p->name, checked);
	}
	return json_incref(all);
}

/* ---------------------------------------------------- the plugin's struct */

static void *keep(struct pd_arguments *a, void *memory_take)
{
	pd_grow(a->arena, a->len, a->cap);
	return a->arena[a->len++] = memory_take;
}

static bool fill_secret(struct pd_arguments *a, const json_t *v, void *field,
			struct pd_error **err)
{
	char *value = pd_secret_fetch(json_object_get(v, "$secret"), err);
	struct pd_secret *secret;

	if (!value)
		return false;
	/* the list of secrets owns the value and wipes it */
	pd_strings_add_take(&a->secrets, value);
	secret = keep(a, pd_alloc(sizeof(*secret)));
	*secret = (struct pd_secret){ .value = value, .len = strlen(value) };
	memcpy(field, &secret, sizeof(secret));
	return true;
}

static void fill_list(struct pd_arguments *a, const json_t *v, struct pd_list *field)
{
	size_t n = json_array_size(v);
	const char **items;

	if (!n)
		return;
	items = keep(a, pd_alloc(n * sizeof(*items)));
	for (size_t i = 0; i < n; i++)
		items[i] = json_string_value(json_array_get(v, i));
	*field = (struct pd_list){ .len = n, .items = items };
}

/* Texts are borrowed from the values. */
static bool fill(struct pd_arguments *a, const struct pd_param *p, const json_t *v,
		 struct pd_error **err)
{
	void *field = (char *)a->args + p->offset;
	const char *s = json_string_value(v);
	struct pd_updates *updates;
	int64_t n = json_integer_value(v);
	bool flag = json_is_true(v);

	if (is_mark(v, "$ref") || is_mark(v, "$unknown"))
		return pd_error_set(err, "argument-not-known",
				    "the value of %s is not known yet", p->name);
	switch (p->type) {
	case PD_T_BOOL:
		memcpy(field, &flag, sizeof(flag));
		break;
	case PD_T_INT:
	case PD_T_BYTES:
	case PD_T_SECONDS:
		memcpy(field, &n, sizeof(n));
		break;
	case PD_T_STRING:
	case PD_T_PATH:
		memcpy(field, &s, sizeof(s));
		break;
	case PD_T_CHOICE:
		for (int32_t i = 0; s && p->choices[i]; i++)
			if (strcmp(p->choices[i], s) == 0)
				memcpy(field, &i, sizeof(i));
		break;
	case PD_T_LIST:
		fill_list(a, v, field);
		break;
	case PD_T_SECRET:
		return fill_secret(a, v, field, err);
	default:
		updates = keep(a, pd_alloc(sizeof(*updates)));
		updates->rows = json_object_get(v, "$updates");
		memcpy(field, &updates, sizeof(void *));
	}
	return true;
}

bool pd_arguments_fill(const struct pd_step *step, const json_t *checked,
		       struct pd_arguments *out, struct pd_error **err)
{
	const char *name;
	json_t *value;
	bool ok;

	/* plans come from disks and other machines: look again */
	*out = (struct pd_arguments){ .args = pd_alloc(step->args_size),
		.values = pd_arguments_check(step, step->name, checked, err) };
	ok = out->values != NULL;
	json_object_foreach(out->values, name, value)
		ok = ok && fill(out, pd_step_param(step, name), value, err);
	if (ok)
		out->blot = pd_blot_new(&out->secrets);
	else
		pd_arguments_free(out);
	return ok;
}

void pd_arguments_free(struct pd_arguments *a)
{
	for (size_t i = 0; i < a->len; i++)
		free(a->arena[i]);
	free(a->arena);
	free(a->args);
	json_decref(a->values);
	for (size_t i = 0; i < a->secrets.len; i++)
		pd_secret_free(a->secrets.items[i]);
	a->secrets.len = 0;
	pd_strings_clear(&a->secrets);
	pd_blot_free(a->blot);
	*a = (struct pd_arguments){0};
}

const json_t *pd_updates_json(const struct pd_updates *updates)
{
	return updates->rows;
}
