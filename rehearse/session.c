/* SPDX-License-Identifier: MIT */
/* The command line, and what has to be so before a clone is made. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK "/var/lib/patchday/rehearse"

volatile sig_atomic_t session_stop;

static void on_signal(int number)
{
	session_stop = number;
}

const char *session_option(const struct session *s, const char *name)
{
	for (size_t i = s->names.len; i-- > 0;)
		if (strcmp(s->names.items[i], name) == 0)
			return s->values.items[i];
	return NULL;
}

void session_help(const char *usage, const char *text, const struct session_option *own)
{
	printf("Usage: patchday %s\n\n%s\n", usage, text);
	for (; own->name; own++) {
		pd_auto_free char *left = pd_print("--%s%s%s", own->name,
			own->argument ? " " : "", own->argument ? own->argument : "");

		printf("  %-22s %s\n", left, own->help);
	}
	puts("\nAll other options are those of `patchday run`.");
}

/* One word of the command line; *i moves over the value of an own option. */
static bool take(struct session *s, const struct session_option *own, char **argv, int *i,
		 struct pd_error **err)
{
	/* what each command needs that is to find the same programs and runs */
	static const char *const always[] = { "--state", "--plugin-dir", "--scripts" };
	const char *text = argv[*i], *equal = strchr(text, '=');
	size_t n = equal ? (size_t)(equal - text) : strlen(text);

	if (strcmp(text, "-h") == 0)
		text = "--help", n = 6;
	for (; own->name; own++) {
		if (strncmp(text, "--", 2) != 0 || n - 2 != strlen(own->name) ||
		    strncmp(text + 2, own->name, n - 2) != 0)
			continue;
		if ((!own->argument && equal) || (own->argument && !equal && !argv[*i + 1]))
			return pd_error_set(err, "usage", "--%s %s", own->name, own->argument ?
					    "needs a value" : "takes no value");
		pd_strings_add(&s->names, own->name);
		pd_strings_add(&s->values, !own->argument ? "" : equal ? equal + 1 : argv[++*i]);
		return true;
	}
	if (strcmp(text, "--state") == 0 && argv[*i + 1])
		s->state = argv[*i + 1];
	else if (strncmp(text, "--state=", 8) == 0)
		s->state = text + 8;
	for (size_t k = 0; k < sizeof(always) / sizeof(*always); k++)
		if (n == strlen(always[k]) && strncmp(text, always[k], n) == 0 &&
		    (equal || argv[*i + 1])) {
			pd_strings_add(&s->resume, text);
			if (!equal)
				pd_strings_add(&s->resume, argv[*i + 1]);
		}
	pd_strings_add(&s->run, text);
	return true;
}

/* /tmp and /run are new in the clone; what is named there is shown. */
static void show_named(struct session *s)
{
	for (size_t i = 0; i < s->run.len; i++) {
		const char *word = s->run.items[i], *slash = strchr(word, '/');
		struct stat st;

		if (slash && (slash == word || slash[-1] == '=' || slash[-1] == ':') &&
		    clone_is_private(slash) && stat(slash, &st) == 0)
			pd_strings_add(&s->clone.show, slash);
	}
}

static void take_values(struct session *s)
{
	for (size_t i = 0; i < s->names.len; i++)
		if (strcmp(s->names.items[i], "leave-out") == 0)
			pd_strings_add(&s->clone.leave_out, s->values.items[i]);
		else if (strcmp(s->names.items[i], "show") == 0)
			pd_strings_add(&s->clone.show, s->values.items[i]);
}

bool session_parse(struct session *s, const struct session_option *own, int argc,
		   char **argv, bool *help, struct pd_error **err)
{
	const char *self = getenv("PATCHDAY_SELF"), *state = getenv("PATCHDAY_STATE");
	const char *work, *limit;

	self = self && *self ? self : "patchday";
	*s = (struct session){ .log = -1, .seconds = 4 * 3600, .alone = 90 };
	pd_strings_add(&s->run, self);
	pd_strings_add(&s->run, "run");
	pd_strings_add(&s->resume, self);
	pd_strings_add(&s->resume, "resume");
	pd_strings_add(&s->status, self);
	pd_strings_add(&s->status, "status");
	pd_strings_add(&s->status, "--json");
	pd_strings_add(&s->status, "--state");
	s->state = state && *state ? state : "/var/lib/patchday";
	for (int i = 1; i < argc; i++) {
		if (!pd_utf8_valid(argv[i], strlen(argv[i])))
			return pd_error_set(err, "usage", "argument %d is not UTF-8", i);
		if (!take(s, own, argv, &i, err))
			return false;
	}
	pd_strings_add(&s->status, s->state);
	s->json = session_option(s, "json") != NULL;
	*help = session_option(s, "help") != NULL;
	take_values(s);
	show_named(s);
	work = session_option(s, "work");
	/* in a folder of its own: what is in it is thrown away */
	s->work = work ? pd_print("%s/patchday-rehearse", work) : pd_strdup(WORK);
	s->clone.work = s->work;
	limit = session_option(s, "timeout");
	if (limit && (!pd_parse_seconds(limit, &s->seconds) || s->seconds <= 0))
		return pd_error_set(err, "usage", "--timeout %s is no time, such as 90m", limit);
	return *help || s->run.len > 2 ||
	       pd_error_set(err, "usage", "name the workflow");
}

static bool is_folder(const char *path, const char *option, struct pd_error **err)
{
	struct stat st;

	if (*path != '/' || strpbrk(path, ":,\\\n") || strstr(path, "/../") ||
	    (path[1] && path[strlen(path) - 1] == '/'))
		return pd_error_set(err, "usage", "--%s %s: an absolute path is needed, with no"
				    " / at its end and none of : , \\ in it", option, path);
	return stat(path, &st) == 0 ||
	       pd_error_errno(err, "usage", errno, "--%s %s", option, path);
}

/* Without these there is no server left to rehearse on. */
static bool may_leave_out(const char *path, struct pd_error **err)
{
	static const char *const needed[] = { "/usr", "/etc", "/bin", "/sbin", "/lib",
		"/var/lib/dpkg", "/var/lib/apt", "/proc", "/sys", "/dev", "/run" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (clone_below(needed[i], path) || clone_below(path, needed[i]))
			return pd_error_set(err, "usage", "--leave-out %s: the clone can't be"
					    " without %s", path, needed[i]);
	return true;
}

/* What is thrown away there has to be this program's own. */
static bool work_is_ours(const char *work, struct pd_error **err)
{
	struct stat st;

	if (lstat(work, &st) < 0)
		return true;
	return (S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 077)) ||
	       pd_error_set(err, "clone-work", "%s has to be a folder that only root can use",
			    work);
}

bool session_check(struct session *s, struct pd_error **err)
{
	struct sigaction stop = { .sa_handler = on_signal };
	const char *work = session_option(s, "work"), *kept = session_option(s, "evidence");

	if (geteuid() != 0)
		return pd_error_set(err, "not-root", "a clone of the server needs root");
	if (access("/etc/systemd/system/patchday-resume.service", F_OK) == 0)
		return pd_error_set(err, "clone-run-open", "a run is under way on this server;"
				    " its clone would go on with it");
	if (access("/run/systemd/system", F_OK) < 0)
		return pd_error_set(err, "clone-start", "systemd is not the init of this server");
	if ((kept && !is_folder(kept, "evidence", err)) ||
	    (work && !is_folder(work, "work", err)) || !work_is_ours(s->work, err))
		return false;
	for (size_t i = 0; i < s->clone.leave_out.len; i++)
		if (!is_folder(s->clone.leave_out.items[i], "leave-out", err) ||
		    !may_leave_out(s->clone.leave_out.items[i], err))
			return false;
	for (size_t i = 0; i < s->clone.show.len; i++)
		if (!is_folder(s->clone.show.items[i], "show", err))
			return false;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	return true;
}

bool session_log(struct session *s, struct pd_error **err)
{
	pd_auto_free char *path = pd_print("%s/run.log", s->work);

	s->log = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (s->log < 0)
		return pd_error_errno(err, "file-write", errno, "%s", path);
	unlink(path);
	return true;
}

void session_free(struct session *s)
{
	pd_strings_clear(&s->clone.leave_out);
	pd_strings_clear(&s->clone.show);
	pd_strings_clear(&s->run);
	pd_strings_clear(&s->status);
	pd_strings_clear(&s->resume);
	pd_strings_clear(&s->names);
	pd_strings_clear(&s->values);
	free(s->work);
	free(s->newest);
	if (s->log >= 0)
		close(s->log);
}
