/* SPDX-License-Identifier: MIT */
/* patchday-rehearse: the real run on a throw-away clone of this server. */
#include <fcntl.h>
#include <locale.h>
#include <sodium.h>
#include <unistd.h>

#include "look.h"
#include "report.h"
#include "session.h"

enum { BOOT_SECONDS = 180, END_DIFFERS = 6 /* whatever became of the run in the clone */ };

/* What it was before the run. */
struct before {
	struct look_print *server;
	json_t *host_services, *packages, *services, *upper;
};

static void forget(struct before *b)
{
	look_free(b->server);
	json_decref(b->host_services);
	json_decref(b->packages);
	json_decref(b->services);
	json_decref(b->upper);
}

static json_t *limits(const struct clone *c)
{
	static const char *const always[] = {
		"the kernel and the hardware are those of the running server: no new kernel is"
			" booted, no driver is loaded",
		"the clone reaches no network: cluster, domain, mail, printers and other systems"
			" do not answer it",
		"data is as it was on the disk at that moment: a database may find itself after a"
			" crash",
		"times are those of this moment's load, and of reboots without firmware" };
	pd_auto_json *notes = clone_notes(c);
	json_t *all = json_array();

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		json_array_append_new(all, json_string(always[i]));
	for (size_t i = 0; i < c->o->leave_out.len; i++) {
		pd_auto_free char *text = pd_print("%s was left out: it is empty in the clone",
						   c->o->leave_out.items[i]);

		json_array_append_new(all, json_string(text));
	}
	json_array_extend(all, notes);
	return all;
}

/* Services that run on the server and not in its clone. */
static json_t *missing(const json_t *server, const json_t *clone)
{
	json_t *out = json_array();
	const char *name;
	json_t *unit;

	json_object_foreach((json_t *)(uintptr_t)server, name, unit)
		if (strcmp(pd_json_text(unit, "state", ""), "active (running)") == 0 &&
		    strncmp(pd_json_text(json_object_get(clone, name), "state", ""),
			    "active", 6) != 0)
			json_array_append_new(out, json_string(name));
	return out;
}

static json_t *packages_changed(const json_t *before, const json_t *after)
{
	return before && after ? look_difference(before, after, NULL) : json_null();
}

/* The last lines that `patchday run` printed, if there was no run at all. */
static char *last_words(int log)
{
	char text[2001] = "";
	off_t size = lseek(log, 0, SEEK_END);
	ssize_t n = pread(log, text, sizeof(text) - 1, size > 2000 ? size - 2000 : 0);

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	return pd_strdup(text);
}

/* Steps, packages, services and files: all but the proof. */
static json_t *report_of(struct session *s, struct clone *c, const struct before *b,
			 const struct session_run *run)
{
	char host[256] = "";
	pd_auto_free char *why = run->status ?
		pd_strdup(pd_json_text(run->status, "why", "")) : last_words(s->log);
	pd_auto_json *packages = look_packages(c), *services = look_services(c);

	gethostname(host, sizeof(host) - 1);
	return json_pack("{s:s, s:s, s:s, s:O*, s:I, s:I, s:i, s:o, s:o, s:o, s:o, s:o}",
		"server", host, "state", run->state, "why", why, "status", run->status,
		"milliseconds", (json_int_t)run->milliseconds, "reboots",
		(json_int_t)run->reboots, "exit", run->exit, "packages",
		packages_changed(b->packages, packages), "services",
		look_difference(b->services, services, "state"), "services_missing",
		missing(b->host_services, b->services), "files", look_changes(c, b->upper),
		"not_shown", limits(c));
}

/* The clone goes, and a message may say "read the file ...". */
static bool keep_evidence(const struct session *s, const struct clone *c,
			  const struct session_run *run, struct pd_error **err)
{
	const char *to = session_option(s, "evidence"), *id = pd_json_text(run->status, "run", NULL);
	pd_auto_free char *from = pd_print("%s%s/runs/%s", c->root, s->state, id ? id : "");
	const char *const copy[] = { "cp", "-a", "--", from, to, NULL };
	int status = -1;

	if (!to || !id || access(from, F_OK) < 0)
		return true;
	free(clone_output(NULL, copy, &status));
	return status == 0 || pd_error_set(err, "file-write", "what the steps kept can't be"
					   " copied to %s", to);
}

static bool look_before(struct session *s, struct clone *c, struct before *b,
			struct pd_error **err)
{
	if (!s->json)
		out_print("the clone starts%s\n", c->memory ?
			     " (its changes are kept in memory)" : "");
	b->server = look_server(c);
	b->host_services = look_services(NULL);
	if (!session_log(s, err) || !session_sources(s, c, err) || !clone_boot(c, BOOT_SECONDS, err))
		return false;
	b->packages = look_packages(c);
	b->services = look_services(c);
	b->upper = look_upper(c);
	return true;
}

/* The clone's life; NULL with *err set. */
static json_t *rehearse(struct session *s, int *status, struct pd_error **err)
{
	struct clone c;
	struct before b = {0};
	struct session_run run = {0};
	struct look_print *after = NULL;
	json_t *report = NULL;

	if (clone_open(&c, &s->clone, err) && look_before(s, &c, &b, err) &&
	    session_follow(s, &c, SESSION_RUN, NULL, NULL, &run, err))
		report = report_of(s, &c, &b, &run);
	clone_cut(&c);
	if (report) {
		after = look_server(&c);
		json_object_set_new(report, "proof", look_proof(b.server, after));
		*status = pd_json_true(json_object_get(report, "proof"), "same") ? run.exit :
										  END_DIFFERS;
		/* after the proof: this is put onto the server, and was asked for */
		if (!keep_evidence(s, &c, &run, err)) {
			json_decref(report);
			report = NULL;
		}
	}
	clone_close(&c);
	session_run_free(&run);
	look_free(after);
	forget(&b);
	return report;
}

int main(int argc, char **argv)
{
	struct session s;
	pd_auto_error *err = NULL;
	pd_auto_json *report = NULL;
	int status = PD_END_INVALID;

	setlocale(LC_ALL, "C.UTF-8");
	if (sodium_init() < 0)
		return PD_END_INVALID;
	if (session_parse(&s, argc, argv, &err) && session_check(&s, &err))
		report = rehearse(&s, &status, &err);
	if (err)
		out_error(s.json, err);
	else if (report && s.json)
		out_json(report);
	else if (report)
		report_text(report, session_option(&s, "files") != NULL);
	status = err && session_stop ? 128 + session_stop : status;
	session_free(&s);
	return fflush(stdout) == 0 ? status : PD_END_INVALID;
}
