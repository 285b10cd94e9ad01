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

/* --NAME or --NAME=VALUE, an option of the program itself. */
static bool take_own(struct session *s, const char *word, struct pd_error **err)
{
	const char *equal = strchr(word, '=');

	if (strncmp(word, "--", 2) != 0)
		return pd_error_set(err, "usage", "this program is called by `patchday`, not by"
				    " hand");
	pd_strings_add_take(&s->names, equal ? pd_strndup(word + 2, (size_t)(equal - word) - 2) :
			    pd_strdup(word + 2));
	pd_strings_add(&s->values, equal ? equal + 1 : "");
	return true;
}

/* A word for `patchday run`, and for the other commands that are to find the
 * same programs and runs. */
static void take_word(struct session *s, const char *word)
{
	pd_strings_add(&s->run, word);
	if (strncmp(word, "--state=", 8) == 0)
		s->state = word + 8;
	if (strncmp(word, "--state=", 8) != 0 && strncmp(word, "--plugin-dir=", 13) != 0 &&
	    strncmp(word, "--scripts=", 10) != 0)
		return;
	pd_strings_add(&s->resume, word);
	pd_strings_add(&s->status, word);
	pd_strings_add(&s->facts, word);
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

/* As patchday has checked them: own options, "--", and those of the run. */
static bool take_all(struct session *s, int argc, char **argv, struct pd_error **err)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!take_own(s, argv[i], err))
			return false;
	for (i++; i < argc; i++)
		take_word(s, argv[i]);
	return s->state || pd_error_set(err, "usage", "this program is called by `patchday`, not"
					" by hand");
}

bool session_parse(struct session *s, int argc, char **argv, struct pd_error **err)
{
	const char *self = getenv("PATCHDAY_SELF"), *work, *limit;

	self = self && *self ? self : "patchday";
	*s = (struct session){ .log = -1, .seconds = 4 * 3600, .alone = 90000 };
	pd_strings_add(&s->run, self);
	pd_strings_add(&s->run, "run");
	pd_strings_add(&s->resume, self);
	pd_strings_add(&s->resume, "resume");
	pd_strings_add(&s->status, self);
	pd_strings_add(&s->status, "status");
	pd_strings_add(&s->status, "--json");
	pd_strings_add(&s->facts, self);
	pd_strings_add(&s->facts, "facts");
	pd_strings_add(&s->facts, "--json");
	if (!take_all(s, argc, argv, err))
		return false;
	s->json = session_option(s, "json") != NULL;
	take_values(s);
	show_named(s);
	work = session_option(s, "work");
	/* in a folder of its own: what is in it is thrown away */
	s->work = work ? pd_print("%s/patchday-rehearse", work) : pd_strdup(WORK);
	s->clone.work = s->work;
	limit = session_option(s, "timeout");
	return !limit || (pd_parse_seconds(limit, &s->seconds) && s->seconds > 0) ||
	       pd_error_set(err, "usage", "--timeout %s is no time, such as 90m", limit);
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
		"/var/lib/dpkg", "/var/lib/apt", "/var/lib/rpm", "/var/lib/dnf", "/proc", "/sys", "/dev", "/run" };

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

static bool check_folders(const struct session *s, struct pd_error **err)
{
	const char *work = session_option(s, "work"), *kept = session_option(s, "evidence");

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
	return true;
}

bool session_check(struct session *s, struct pd_error **err)
{
	struct sigaction stop = { .sa_handler = on_signal };

	if (!check_folders(s, err))
		return false;
	if (geteuid() != 0)
		return pd_error_set(err, "not-root", "a clone of the server needs root");
	if (access("/etc/systemd/system/patchday-resume.service", F_OK) == 0)
		return pd_error_set(err, "clone-run-open", "a run is under way on this server;"
				    " its clone would go on with it");
	if (access("/run/systemd/system", F_OK) < 0)
		return pd_error_set(err, "clone-start", "systemd is not the init of this server");
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
	pd_strings_clear(&s->facts);
	pd_strings_clear(&s->resume);
	pd_strings_clear(&s->names);
	pd_strings_clear(&s->values);
	pd_strings_clear(&s->sources);
	free(s->work);
	free(s->newest);
	if (s->log >= 0)
		close(s->log);
}
