/* SPDX-License-Identifier: MIT */
/* compare - driver.state writes down what hardware there is, and
 * driver.compare what has become of it, and by what. */
#include "state.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNEXPLAINED_SHOW, UNEXPLAINED_FAIL, STATE_MAX = 16 << 20 };

static const char *const unexplained_choices[] = { "show", "fail", NULL };

struct compare_args {
	const char *before;
	struct pd_list ignore;
	int32_t unexplained;
	int64_t settle;
};

static int write_rows(struct pd_ctx *ctx, const struct driver_rows *rows,
		      const char *name, const char *title, const char **path)
{
	const char *text = driver_rows_text(ctx, rows);

	*path = pd_format(ctx, "%s/%s", ctx->work_dir, name);
	return pd_write_file(ctx, *path, 0600, text, strlen(text)) < 0 ?
	       PD_FAILED : pd_evidence(ctx, *path, title);
}

/* ---------------------------------------------------------------- state */

static int state_check(struct pd_ctx *ctx)
{
	struct driver_rows rows = { 0 };

	if (pd_recall(ctx, "file"))
		return PD_UNCHANGED;
	if (driver_rows_now(ctx, &rows) < 0)
		return PD_FAILED;
	pd_log(ctx, PD_LOG_INFO, "%zu facts of the hardware", rows.n);
	return PD_CHANGED;
}

static int state_apply(struct pd_ctx *ctx)
{
	struct driver_rows rows = { 0 };
	const char *path = NULL;

	if (driver_rows_now(ctx, &rows) < 0 ||
	    write_rows(ctx, &rows, "hardware.txt", "the hardware", &path) < 0 ||
	    pd_output(ctx, "file", path) < 0 ||
	    pd_remember(ctx, "file", path) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int state_verify(struct pd_ctx *ctx)
{
	const char *path = pd_recall(ctx, "file");
	const char *text = path ? pd_read_file(ctx, path, STATE_MAX, NULL) :
				  NULL;
	struct driver_rows rows = { 0 };

	if (!text || !driver_rows_read(ctx, text, &rows))
		return pd_fail(ctx, PD_FAILED, "the state of the hardware was "
			       "not written");
	return pd_output(ctx, "file", path) < 0 ? PD_FAILED : PD_UNCHANGED;
}

/* ---------------------------------------------------------- differences */

struct difference {
	const char *kind, *key, *field;
	const char *before, *after; /* NULL: not there */
	const char *step;           /* that explains it; NULL: none */
};

struct comparison {
	struct pd_ctx *ctx;
	struct driver_rows before, after;
	struct driver_reasons reasons;
	struct difference *v;
	size_t n, cap, unexplained;
};

static bool either(const struct comparison *c, const struct difference *d,
		   const char *field, const char *value)
{
	const char *a = driver_row_value(&c->before, d->kind, d->key, field);
	const char *b = driver_row_value(&c->after, d->kind, d->key, field);

	return (a && strcmp(a, value) == 0) || (b && strcmp(b, value) == 0);
}

/* Does a device of this address use the module, before or after? */
static bool uses(const struct comparison *c, const char *address,
		 const char *module)
{
	struct difference pci = { .kind = "pci", .key = address };
	struct difference usb = { .kind = "usb", .key = address };

	return either(c, &pci, "module", module) ||
	       either(c, &usb, "module", module);
}

static bool is_driver(const struct difference *d)
{
	return strcmp(d->kind, "module") == 0 ||
	       strncmp(d->field, "driver", 6) == 0 ||
	       strcmp(d->field, "module") == 0;
}

static bool explains(const struct comparison *c, const struct difference *d,
		     const struct driver_reason *r)
{
	if (strcmp(r->what, "any") == 0)
		return is_driver(d);
	if (strcmp(r->what, "dmi") == 0)
		return strcmp(d->kind, "dmi") == 0;
	if (strcmp(r->what, "module") == 0)
		return strcmp(d->kind, "module") == 0 ?
		       strcmp(d->key, r->name) == 0 :
		       is_driver(d) && either(c, d, "module", r->name);
	if (strcmp(r->what, "firmware") == 0)
		return strcmp(d->kind, "firmware") == 0 &&
		       strcmp(d->key, r->name) == 0;
	if (strcmp(r->what, "serial") == 0)
		return either(c, d, "serial", r->name);
	if (strcmp(r->what, "device") == 0)
		return strcmp(d->key, r->name) == 0 ||
		       either(c, d, "device", r->name) ||
		       (strcmp(d->kind, "module") == 0 &&
			uses(c, r->name, d->key));
	return false;
}

static bool is_ignored(const struct compare_args *a, struct pd_ctx *ctx,
		       const struct difference *d)
{
	const char *name = pd_format(ctx, "%s %s %s", d->kind, d->key,
				     d->field);

	return driver_fits(name, &a->ignore);
}

static void add(struct comparison *c, const struct driver_row *before,
		const struct driver_row *after)
{
	const struct driver_row *row = before ? before : after;
	struct difference d = { row->kind, row->key, row->field,
				before ? before->value : NULL,
				after ? after->value : NULL, NULL };

	if (is_ignored(c->ctx->args, c->ctx, &d))
		return;
	for (size_t i = 0; i < c->reasons.n && !d.step; i++)
		if (explains(c, &d, &c->reasons.v[i]))
			d.step = c->reasons.v[i].step;
	c->unexplained += !d.step;
	c->v = pkg_grow(c->ctx, c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n++] = d;
}

static void compare(struct comparison *c)
{
	size_t i = 0, j = 0;

	c->n = c->unexplained = 0;
	while (i < c->before.n || j < c->after.n) {
		const struct driver_row *a = i < c->before.n ?
					     &c->before.v[i] : NULL;
		const struct driver_row *b = j < c->after.n ?
					     &c->after.v[j] : NULL;
		int order = !a ? 1 : !b ? -1 : driver_row_order(a, b);

		if (order != 0 || strcmp(a->value, b->value) != 0)
			add(c, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

/* -------------------------------------------------------------- compare */

static int compare_check(struct pd_ctx *ctx)
{
	(void)ctx; /* what will have become of it is not known */
	return PD_CHANGED;
}

static int read_before(struct pd_ctx *ctx, struct comparison *c)
{
	const struct compare_args *a = ctx->args;
	const char *why = pkg_unsafe(ctx, a->before, S_IFREG, false);
	const char *text = why ? NULL : pd_read_file(ctx, a->before, STATE_MAX,
						     NULL);

	if (!text)
		return pd_fail(ctx, PD_FAILED, "the state before can't be "
			       "read: %s", why ? why : a->before);
	return driver_rows_read(ctx, text, &c->before) ? 0 :
	       pd_fail(ctx, PD_FAILED, "%s is no state of the hardware; give "
		       "the output file of driver.state", a->before);
}

/* After a boot a link may need a moment to come up again. */
static bool is_settled(const struct comparison *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].kind, "nic") == 0 && c->v[i].before &&
		    strcmp(c->v[i].field, "operstate") == 0 &&
		    strcmp(c->v[i].before, "up") == 0)
			return false;
	return true;
}

static int look_and_wait(struct pd_ctx *ctx, struct comparison *c)
{
	const struct compare_args *a = ctx->args;

	for (int64_t left = a->settle;; left--) {
		if (driver_rows_now(ctx, &c->after) < 0)
			return PD_FAILED;
		compare(c);
		if (left <= 0 || is_settled(c))
			return 0;
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while a link "
				       "was not up yet");
		pd_progress(ctx, a->settle - left, a->settle,
			    "waiting for a link to come up");
		sleep(1);
	}
}

static const char *words(struct pd_ctx *ctx, const struct difference *d)
{
	return pd_format(ctx, "%s %s: %s %s -> %s", d->kind, d->key, d->field,
			 d->before ? d->before : "(none)",
			 d->after ? d->after : "(none)");
}

static int report(struct pd_ctx *ctx, const struct comparison *c)
{
	const char *path = pd_format(ctx, "%s/differences.txt", ctx->work_dir);
	struct pkg_text text = { .ctx = ctx };

	for (size_t i = 0; i < c->n; i++) {
		const struct difference *d = &c->v[i];

		pkg_printf(&text, "%s (%s%s)\n", words(ctx, d),
			   d->step ? "by " : "unexplained",
			   d->step ? d->step : "");
		if (!d->step) {
			pd_log(ctx, PD_LOG_WARN, "unexplained: %s",
			       words(ctx, d));
			if (pd_output_item(ctx, "unexplained",
					   words(ctx, d)) < 0)
				return PD_FAILED;
		}
	}
	pd_log(ctx, PD_LOG_INFO, "%zu differences of the hardware, %zu of them "
	       "unexplained", c->n, c->unexplained);
	if (pd_write_file(ctx, path, 0600, text.s ? text.s : "", text.len) < 0)
		return PD_FAILED;
	return pd_evidence(ctx, path, "differences of the hardware");
}

/* Firmware that a step of this run has installed is there now. */
static int expect(struct pd_ctx *ctx, const struct comparison *c)
{
	for (size_t i = 0; i < c->reasons.n; i++) {
		const struct driver_reason *r = &c->reasons.v[i];
		const char *version = strchr(r->name, ' ');
		const char *id = NULL, *is = NULL;

		if (strcmp(r->what, "wanted") != 0 || !version)
			continue;
		id = pd_format(ctx, "%.*s", (int)(version - r->name), r->name);
		is = driver_row_value(&c->after, "firmware", id, "version");
		if (!is || strcmp(is, version + 1) != 0)
			return pd_fail(ctx, PD_FAILED, "the firmware of %s is "
				       "%s, not %s as %s has installed it; "
				       "`fwupdmgr get-history` says why, and "
				       "whether a reboot is missing", id,
				       is ? is : "not there", version + 1,
				       r->step);
	}
	return 0;
}

static int conclude(struct pd_ctx *ctx, const struct comparison *c)
{
	const struct compare_args *a = ctx->args;
	const struct difference *first = NULL;

	if (pd_output(ctx, "differences", pd_format(ctx, "%zu", c->n)) < 0 ||
	    report(ctx, c) < 0 || expect(ctx, c) < 0)
		return PD_FAILED;
	for (size_t i = 0; i < c->n && !first; i++)
		first = c->v[i].step ? NULL : &c->v[i];
	if (first && a->unexplained == UNEXPLAINED_FAIL)
		return pd_fail(ctx, PD_FAILED, "the hardware is not as it was, "
			       "and no step of this run explains it: %s%s",
			       words(ctx, first), c->unexplained > 1 ?
			       ", and more in differences.txt" : "");
	return pd_remember(ctx, "compared", "1") < 0 ? PD_FAILED : PD_CHANGED;
}

static int compare_apply(struct pd_ctx *ctx)
{
	struct comparison c = { .ctx = ctx };
	const char *path = NULL;

	driver_reasons(ctx, &c.reasons);
	if (pd_remember(ctx, "compared", NULL) < 0 ||
	    read_before(ctx, &c) < 0)
		return PD_FAILED;
	if (look_and_wait(ctx, &c) < 0)
		return pd_canceled(ctx) ? PD_CANCELED : PD_FAILED;
	if (write_rows(ctx, &c.after, "hardware.txt", "the hardware after",
		       &path) < 0)
		return PD_FAILED;
	return conclude(ctx, &c);
}

static int compare_verify(struct pd_ctx *ctx)
{
	return pd_recall(ctx, "compared") ? PD_UNCHANGED :
	       pd_fail(ctx, PD_FAILED, "the hardware was not compared");
}

/* -------------------------------------------------------------- the steps */

static const struct pd_output state_outputs[] = {
	PD_OUTPUT("file", PD_T_PATH, "what there is, for driver.compare"),
	PD_OUTPUT_END
};

const struct pd_step driver_state = {
	PD_STEP, .name = "state", .flags = PD_S_NEEDS_ROOT,
	.help = "write down the hardware, its drivers and its firmware",
	.outputs = state_outputs,
	.check = state_check, .apply = state_apply, .verify = state_verify,
	.reversibility = PD_READONLY, .time_limit = 900, .expected = 3
};

static const struct pd_param compare_params[] = {
	PD_PARAM(struct compare_args, before, PD_T_PATH,
		 .flags = PD_P_REQUIRED, .help = "file of driver.state"),
	PD_PARAM(struct compare_args, ignore, PD_T_LIST,
		 .help = "differences that are none: patterns of kind, key and "
			 "field, such as \"nic eth1 *\""),
	PD_PARAM(struct compare_args, unexplained, PD_T_CHOICE, .def = "show",
		 .choices = unexplained_choices,
		 .help = "a difference that no step of this run explains"),
	PD_PARAM(struct compare_args, settle, PD_T_SECONDS, .def = "30",
		 .min = 0, .max = 3600,
		 .help = "how long a link that was up may take to come up"),
	PD_PARAM_END
};

static const struct pd_output compare_outputs[] = {
	PD_OUTPUT("differences", PD_T_INT, "how many there are"),
	PD_OUTPUT("unexplained", PD_T_LIST, "those that no step explains"),
	PD_OUTPUT_END
};

const struct pd_step driver_compare = {
	PD_STEP, .name = "compare", .flags = PD_S_NEEDS_ROOT,
	.help = "compare the hardware with what was written down",
	.params = compare_params, .args_size = sizeof(struct compare_args),
	.outputs = compare_outputs,
	.check = compare_check, .apply = compare_apply,
	.verify = compare_verify,
	.reversibility = PD_READONLY, .time_limit = 5400, .expected = 5
};
