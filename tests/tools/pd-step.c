/* SPDX-License-Identifier: MIT */
/* pd-step - run one step, scanner or reader outside of a run, for tests. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/arguments.h"
#include "plugin/registry.h"
#include "plugin/worker.h"

static const char usage[] =
	"pd-step --plugin-dir DIR... --work DIR PLUGIN.STEP PHASE[,PHASE...] [NAME=VALUE]...\n"
	"pd-step --plugin-dir DIR... scan PLUGIN[.SCANNER]\n"
	"pd-step --plugin-dir DIR... read PLUGIN.READER [FILE]\n"
	"\n"
	"Runs the phases (check, apply, verify, undo) of one step in a worker, and\n"
	"prints a JSON line per event; stops at the first that fails, with status 1.\n"
	"Lists are given with commas, updates as NAME=@FILE.json, a secret as it is.\n"
	"What is remembered, outputs and evidence are kept in DIR/state.json, so that\n"
	"a later call can verify or undo.  The run is called as PD_STEP_RUN says.\n"
	"scan prints facts, read prints updates.\n";

/* What the sinks write to. */
struct tool {
	json_t *state, *step; /* step: the part of state of this one */
	char *state_path;
	json_t *facts, *update; /* of a scan; the one that is being read */
};

static bool complain(struct pd_error *e)
{
	pd_auto_free char *text = pd_error_text(e);

	fprintf(stderr, "pd-step: %s\n", text);
	if (pd_error_advice(e))
		fprintf(stderr, "  %s\n", pd_error_advice(e));
	pd_error_free(e);
	return false;
}

static void print_take(json_t *line)
{
	pd_auto_free char *text = json_dumps(line, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	puts(text ? text : "null");
	fflush(stdout);
	json_decref(line);
}

/* -------------------------------------------------------------- events */

static void on_log(void *user, int level, const char *text)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	(void)user;
	print_take(json_pack("{s:s,s:s,s:s}", "event", "log", "level", names[level & 3],
			     "text", text));
}

static void on_progress(void *user, int64_t done, int64_t total, const char *text)
{
	(void)user;
	print_take(json_pack("{s:s,s:I,s:I,s:s?}", "event", "progress", "done",
			     (json_int_t)done, "total", (json_int_t)total, "text", text));
}

static bool save(struct tool *t)
{
	pd_auto_free char *text = json_dumps(t->state, JSON_INDENT(1) | JSON_SORT_KEYS);
	struct pd_error *err = NULL;

	return pd_file_write(t->state_path, 0600, text, strlen(text), &err) || complain(err);
}

static bool on_remember(void *user, const char *key, const char *value)
{
	struct tool *t = user;
	json_t *all = json_object_get(t->step, "remembered");

	if (value)
		json_object_set_new(all, key, json_string(value));
	else
		json_object_del(all, key);
	return save(t);
}

static void on_output(void *user, const char *name, json_t *value)
{
	struct tool *t = user;

	json_object_set(json_object_get(t->step, "outputs"), name, value);
	print_take(json_pack("{s:s,s:s,s:O}", "event", "output", "name", name, "value", value));
}

static bool on_evidence(void *user, const char *path, const char *title,
			int64_t bytes, const char *sha256)
{
	struct tool *t = user;
	json_t *line = json_pack("{s:s,s:s,s:s,s:I,s:s}", "event", "evidence", "path", path,
				 "title", title, "bytes", (json_int_t)bytes, "sha256", sha256);

	json_array_append(json_object_get(t->step, "evidence"), line);
	print_take(line);
	return save(t);
}

static void on_irreversible(void *user, const char *why)
{
	(void)user;
	print_take(json_pack("{s:s,s:s}", "event", "irreversible", "why", why));
}

static void on_inhibit(void *user, const char *risk, const char *cause, const char *remedy)
{
	(void)user;
	print_take(json_pack("{s:s,s:s,s:s,s:s}", "event", "inhibit", "risk", risk,
			     "cause", cause, "remedy", remedy));
}

static void on_expect(void *user, int64_t seconds)
{
	(void)user;
	print_take(json_pack("{s:s,s:I}", "event", "expect", "seconds", (json_int_t)seconds));
}

static void on_fact(void *user, const char *kind, json_t *row)
{
	static const char *const single[] = { "os", "kernel", "boot", "hardware" };
	struct tool *t = user;
	json_t *rows;

	for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++)
		if (strcmp(kind, single[i]) == 0) {
			json_object_set(t->facts, kind, row);
			return;
		}
	rows = json_object_get(t->facts, kind);
	if (!rows) {
		rows = json_array();
		json_object_set_new(t->facts, kind, rows);
	}
	json_array_append(rows, row);
}

/* ------------------------------------------------------------- updates */

static const char *word(const char *const *words, size_t i)
{
	while (i-- && *words)
		words++;
	return *words ? *words : "?";
}

#define WORD(i, ...) word((const char *const[]){ __VA_ARGS__, NULL }, (i))
#define SCHEME(i) WORD(i, "none", "deb", "rpm", "alpine", "windows", "plain", "fwupd", "number",     \
		       "hex", "pair", "triplet", "quad", "bcd", "intel-me", "intel-me2", "intel-csme19", \
		       "surface-legacy", "surface", "dell-bios", "dell-bios-msb", "text")
#define RESTART(i) WORD(i, "unknown", "none", "service", "session", "reboot")

static json_t *head(const struct pd_update_head *h)
{
	return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:i}",
		"id", h->id, "revision", h->revision, "title", h->title,
		"description", h->description, "url", h->url, "vendor", h->vendor,
		"severity_text", h->severity_text, "trust", h->trust,
		"severity", WORD(h->severity, "unknown", "none", "low", "moderate", "important", "critical"),
		"kind", WORD(h->kind, "other", "security", "bugfix", "enhancement", "newpackage",
			     "driver", "firmware", "bundle"),
		"status", WORD(h->status, "final", "testing", "retired", "rules", "replaced"),
		"restart", RESTART(h->restart), "issued", (json_int_t)h->issued,
		"updated", (json_int_t)h->updated, "disk_bytes", (json_int_t)h->disk_bytes,
		"expected", (json_int_t)h->expected, "interactive", h->interactive != 0,
		"permanent", h->permanent != 0, "line", (int)h->line);
}

static void add(struct tool *t, const char *list, json_t *row_take)
{
	json_t *rows = json_object_get(t->update, list);

	if (!rows) {
		rows = json_array();
		json_object_set_new(t->update, list, rows);
	}
	json_array_append_new(rows, row_take);
}

static void add_package(struct tool *t, const struct pd_package_row *p)
{
	add(t, "packages", json_pack("{s:s,s:s*,s:s,s:s*,s:s*,s:s*,s:s*,s:s,s:i,s:s}",
		"name", p->name, "epoch", p->epoch, "version", p->version, "release", p->release,
		"arch", p->arch, "source", p->source, "module", p->module,
		"scheme", SCHEME(p->scheme), "payload", (int)p->payload,
		"restart", RESTART(p->restart)));
}

static void add_rule(struct tool *t, const struct pd_rule *r)
{
	add(t, "rules", json_pack("{s:s,s:s,s:s,s:b,s:s,s:s*,s:s*,s:s*,s:s*}",
		"tree", WORD(r->tree - 1u, "applicable", "installed"),
		"op", WORD(r->op - 1u, "all", "any", "none", "test", "close", "call"),
		"compare", WORD(r->compare, "exists", "eq", "ne", "lt", "le", "gt", "ge", "match"),
		"negate", r->negate != 0, "scheme", SCHEME(r->scheme), "kind", r->kind,
		"subject", r->subject, "field", r->field, "value", r->value));
}

static bool on_emit(void *user, struct pd_emitted *e)
{
	struct tool *t = user;
	const struct pd_relation *r = &e->part.relation;
	const struct pd_payload *p = &e->part.payload;
	const struct pd_installer *i = &e->part.installer;
	const struct pd_exit_row *x = &e->part.exit;
	const struct pd_ignored *g = &e->part.ignored;

	switch (e->what) {
	case PD_EMIT_BEGIN:
		json_decref(t->update);
		t->update = head(&e->part.head);
		break;
	case PD_EMIT_RELATION:
		add(t, "relations", json_pack("{s:s,s:s,s:s*,s:s*}", "kind",
			WORD(r->kind - 1, "alias", "supersedes", "requires", "bundles", "reference"),
			"target", r->target, "revision", r->revision, "title", r->title));
		break;
	case PD_EMIT_PACKAGE:
		add_package(t, &e->part.package);
		break;
	case PD_EMIT_PAYLOAD:
		add(t, "payloads", json_pack("{s:s*,s:s*,s:I,s:s*}", "url", p->url, "name", p->name,
					     "bytes", (json_int_t)p->bytes, "digest", p->digest));
		break;
	case PD_EMIT_INSTALLER:
		add(t, "installers", json_pack("{s:s,s:s,s:s*}", "kind",
			WORD(i->kind - 1, "install", "uninstall"), "command", i->command,
			"arguments", i->arguments));
		break;
	case PD_EMIT_EXIT:
		add(t, "exits", json_pack("{s:I,s:s}", "status", (json_int_t)x->status, "meaning",
			WORD(x->meaning, "failed", "success", "success-reboot", "failed-reboot",
			     "already-installed", "not-applicable", "retry-later", "needs-operator")));
		break;
	case PD_EMIT_RULE:
		add_rule(t, &e->part.rule);
		break;
	case PD_EMIT_IGNORED:
		print_take(json_pack("{s:s,s:i,s:s}", "event", "ignored", "line", (int)g->line,
				     "what", g->what));
		break;
	default:
		print_take(t->update);
		t->update = NULL;
	}
	return true;
}

/* --------------------------------------------------------------- phases */

static const struct pd_worker_sink sink = {
	.log = on_log, .progress = on_progress, .remember = on_remember,
	.output = on_output, .evidence = on_evidence, .irreversible = on_irreversible,
	.inhibit = on_inhibit, .expect = on_expect, .fact = on_fact, .emit = on_emit,
};

/* Prints the result; true: it succeeded. */
static bool run(struct tool *t, const struct pd_worker_call *call, const char *phase)
{
	static const char *const names[] = { "refused", "canceled", "retry", "bad-args",
					     "failed", "unchanged", "changed" };
	struct pd_worker_sink mine = sink;
	struct pd_worker_result r = {0};
	struct pd_error *err = NULL;
	bool good;

	mine.user = t;
	if (!pd_worker_run(call, &mine, &r, &err))
		return complain(err);
	good = r.result >= 0;
	if (phase)
		print_take(json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:f}", "event", "result", "phase", phase,
				     "result", names[r.result + 5], "message", r.message,
				     "detail", r.detail, "seconds", r.seconds));
	else if (!good)
		fprintf(stderr, "pd-step: %s\n%s\n", r.message, r.detail ? r.detail : "");
	pd_worker_result_clear(&r);
	return good;
}

static bool run_phase(struct tool *t, struct pd_worker_call *call, const char *phase)
{
	static const char *const names[] = { "check", "apply", "verify", "undo" };
	bool by_check = strcmp(phase, "verify") == 0 && !call->step->verify;
	size_t i = 0;

	while (i < 4 && strcmp(names[i], phase) != 0)
		i++;
	if (i == 4 || (i == 3 && !call->step->undo)) {
		fprintf(stderr, "pd-step: this step has no phase '%s'\n", phase);
		return false;
	}
	if (i == 1 && !call->step->apply) {
		print_take(json_pack("{s:s,s:s,s:s}", "event", "result", "phase", phase,
				     "result", "unchanged"));
		return true;
	}
	call->phase = by_check ? PD_PHASE_CHECK : (enum pd_phase)(i + 1);
	call->remembered = json_object_get(t->step, "remembered");
	return run(t, call, phase);
}

/* NAME=VALUE as the JSON value of that parameter; secrets by environment. */
static json_t *value_of(const struct pd_param *p, const char *text, struct pd_error **err)
{
	pd_auto_free char *variable = pd_print("PD_STEP_SECRET_%s", p->name);
	pd_auto_json *rows = NULL, *value = NULL;

	if (p->type == PD_T_SECRET) {
		setenv(variable, text, 1);
		return json_pack("{s:{s:s}}", "$secret", "env", variable);
	}
	if (p->type != PD_T_UPDATES || text[0] != '@')
		return pd_argument_parse(p, text, err);
	rows = pd_json_read(text + 1, (size_t)64 << 20, err);
	value = rows ? json_pack("{s:O}", "$updates", rows) : NULL;
	return value ? pd_argument_check(p, value, err) : NULL;
}

static json_t *arguments(const struct pd_step *step, const char *name, char **words,
			 struct pd_error **err)
{
	pd_auto_json *given = json_object();

	for (; *words; words++) {
		size_t len = strcspn(*words, "=");
		pd_auto_free char *key = pd_strndup(*words, len);
		const struct pd_param *p = pd_step_param(step, key);
		json_t *v;

		if (!(*words)[len]) {
			pd_error_set(err, "argument-unknown", "'%s' is not NAME=VALUE", *words);
			return NULL;
		}
		v = p ? value_of(p, *words + len + 1, err) : json_string("");
		if (!v)
			return NULL;
		json_object_set_new(given, key, v);
	}
	return pd_arguments_check(step, name, given, err);
}

static bool open_state(struct tool *t, const char *work, const char *name,
		       struct pd_error **err)
{
	t->state_path = pd_print("%s/state.json", work);
	if (!pd_make_folders(work, err))
		return false;
	t->state = access(t->state_path, F_OK) == 0 ?
		   pd_json_read(t->state_path, (size_t)64 << 20, err) : json_object();
	if (!t->state)
		return false;
	t->step = json_object_get(t->state, name);
	if (!t->step) {
		t->step = json_pack("{s:{},s:{},s:[]}", "remembered", "outputs", "evidence");
		json_object_set_new(t->state, name, t->step);
	}
	return true;
}

static bool step(struct pd_registry *reg, const char *work, char **argv)
{
	struct pd_worker_call call = { .source_fd = -1 };
	pd_auto_free char *folder = pd_print("%s/%s", work, argv[0]);
	pd_auto_json *args = NULL;
	struct tool t = {0};
	struct pd_error *err = NULL;
	/* a copy: a worker clears the environment */
	pd_auto_free char *name = pd_strdup(getenv("PD_STEP_RUN") ? getenv("PD_STEP_RUN") : "pd-step");
	char *rest = NULL;
	bool good;

	call.step = pd_registry_step(reg, argv[0], &call.plugin, &err);
	good = call.step && (args = arguments(call.step, argv[0], argv + 2, &err)) &&
	       open_state(&t, work, argv[0], &err) && pd_make_folders(folder, &err);
	if (!good)
		complain(err);
	call.args = args;
	call.work_dir = folder;
	call.run = name;
	call.dry_run = strcmp(argv[1], "check") == 0;
	for (char *phase = strtok_r(argv[1], ",", &rest); good && phase;
	     phase = strtok_r(NULL, ",", &rest))
		good = run_phase(&t, &call, phase);
	good = t.state && save(&t) && good;
	json_decref(t.state);
	free(t.state_path);
	return good;
}

static bool scan(struct pd_registry *reg, const char *name)
{
	const char *dot = strchr(name, '.');
	pd_auto_free char *first = pd_strndup(name, dot ? (size_t)(dot - name) : strlen(name));
	struct pd_worker_call call = { .phase = PD_PHASE_SCAN, .source_fd = -1 };
	struct tool t = { .facts = json_object() };
	struct pd_error *err = NULL;
	bool good = true;
	size_t n = 0;

	call.plugin = pd_registry_find(reg, first, &err);
	if (!call.plugin)
		return complain(err);
	for (size_t i = 0; call.plugin->scanners[i]; i++) {
		call.scanner = call.plugin->scanners[i];
		if (!dot || strcmp(call.scanner->name, dot + 1) == 0)
			good = (n++, run(&t, &call, NULL)) && good;
	}
	if (!n)
		fprintf(stderr, "pd-step: there is no scanner %s\n", name);
	print_take(t.facts);
	return good && n;
}

static bool read_updates(struct pd_registry *reg, const char *name, const char *file)
{
	const char *dot = strchr(name, '.');
	pd_auto_free char *first = pd_strndup(name, dot ? (size_t)(dot - name) : strlen(name));
	pd_auto_close int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	struct pd_worker_call call = { .phase = PD_PHASE_READ, .source_fd = fd,
				       .source_name = file ? file : name };
	struct tool t = {0};
	struct pd_error *err = NULL;

	if (file && fd < 0) {
		fprintf(stderr, "pd-step: cannot read %s: %s\n", file, strerror(errno));
		return false;
	}
	call.plugin = pd_registry_find(reg, first, &err);
	if (!call.plugin)
		return complain(err);
	for (size_t i = 0; call.plugin->readers[i]; i++)
		if (!dot || strcmp(call.plugin->readers[i]->name, dot + 1) == 0)
			call.reader = call.plugin->readers[i];
	if (!call.reader) {
		fprintf(stderr, "pd-step: there is no reader %s\n", name);
		return false;
	}
	return run(&t, &call, NULL);
}

int main(int argc, char **argv)
{
	pd_auto_free char *work = NULL;
	struct pd_registry *reg = pd_registry_new();
	struct pd_error *err = NULL;
	int i = 1, bad = 0;

	for (; !bad && i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		pd_auto_free char *path = realpath(argv[i + 1], NULL);

		if (strcmp(argv[i], "--plugin-dir") == 0)
			bad = pd_registry_add_folder(reg, path ? path : argv[i + 1], &err) ?
			      0 : complain(err) + 2;
		else if (strcmp(argv[i], "--work") == 0)
			work = pd_strdup(path ? path : argv[i + 1]);
		else
			bad = 2;
	}
	argc -= i;
	argv += i;
	if (!bad && argc >= 2 && strcmp(argv[0], "scan") == 0)
		bad = !scan(reg, argv[1]);
	else if (!bad && argc >= 2 && strcmp(argv[0], "read") == 0)
		bad = !read_updates(reg, argv[1], argv[2]);
	else if (!bad && argc >= 2 && work && work[0] == '/')
		bad = !step(reg, work, argv);
	else if (!bad)
		bad = (fputs(usage, stderr), 2);
	pd_registry_free(reg);
	return bad;
}
