/* SPDX-License-Identifier: MIT */
/* The proof of a reboot, and the systemd unit that resumes a run after it. */
#include "run/boot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/lock.h"

#define UNIT "patchday-resume.service"
#define UNITS "/etc/systemd/system"
#define WANTS UNITS "/multi-user.target.wants"

static char *first_line(const char *path)
{
	char *text = pd_file_read(path, 4096, NULL, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Field 22 of /proc/1/stat, proc(5); the name in field 2 may hold anything. */
static char *init_start(void)
{
	pd_auto_free char *stat = first_line("/proc/1/stat");
	char *p = stat ? strrchr(stat, ')') : NULL;

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p ? pd_strndup(p, strcspn(p, " ")) : NULL;
}

json_t *pd_boot_witness(void)
{
	pd_auto_free char *id = first_line("/proc/sys/kernel/random/boot_id");
	pd_auto_free char *init = init_start();

	return json_pack("{s:s, s:s}", "boot_id", id ? id : "",
			 "init", init ? init : "");
}

bool pd_boot_differs(const json_t *before, const json_t *now)
{
	return strcmp(pd_json_text(before, "boot_id", ""),
		      pd_json_text(now, "boot_id", "")) != 0 ||
	       strcmp(pd_json_text(before, "init", ""),
		      pd_json_text(now, "init", "")) != 0;
}

/* One argument in a unit file: systemd.service(5), "Command lines". */
static void quote(struct pd_buffer *b, const char *arg)
{
	pd_buffer_text(b, " \"");
	for (; *arg; arg++) {
		if (*arg == '"' || *arg == '\\')
			pd_buffer_text(b, "\\");
		if (*arg == '%' || *arg == '$')
			pd_buffer_add(b, arg, 1);
		pd_buffer_add(b, arg, 1);
	}
	pd_buffer_text(b, "\"");
}

/* The state folder of the run that the unit goes on with; NULL: none. */
static char *armed_for(void)
{
	static const char option[] = " \"--state\" \"";
	pd_auto_free char *unit = pd_file_read(UNITS "/" UNIT, 65536, NULL, NULL);
	const char *p = unit ? strstr(unit, option) : NULL;
	pd_auto(pd_buffer) b = {0};

	for (p = p ? p + strlen(option) : ""; *p && *p != '"'; p++) {
		if (*p == '\\' || ((*p == '%' || *p == '$') && p[1] == *p))
			p++;
		pd_buffer_add(&b, p, 1);
	}
	return b.len ? pd_buffer_take(&b) : NULL;
}

static bool same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 &&
				     x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The run of another state folder that has not ended; true: there is none. */
static bool has_ended(const char *other, struct pd_error **err)
{
	pd_auto_error *why = NULL;
	struct pd_journal *peek = pd_journal_peek(other);
	__attribute__((cleanup(pd_journal_cleanup))) struct pd_journal *j =
		peek ? peek : pd_journal_open(other, true, &why);
	pd_auto_free char *run = NULL, *owned = NULL;
	pid_t pid;

	if (j ? pd_journal_open_run(j, "", &run, &why) && !run : strcmp(why->id, "journal-none") == 0)
		return true;
	pid = run ? pd_lock_owner(other, &owned) : 0;
	if (pid)
		pd_error_set(err, "run-elsewhere", "run %s of the state folder %s has not ended: process"
			     " %ld is working on it", run, other, (long)pid);
	else if (run)
		pd_error_set(err, "run-elsewhere", "run %s of the state folder %s has not ended, and"
			     " nobody is working on it", run, other);
	else
		pd_error_set(err, "run-elsewhere", "nobody can say whether the run of the state folder"
			     " %s has ended: %s", other, why->message);
	return pd_error_remedy(err, "`patchday resume --state %s` goes on with it, `patchday undo"
			       " --state %s` takes it back; then try again. If nothing is to become of"
			       " it, remove " UNITS "/" UNIT ".", other, other);
}

bool pd_boot_free(const char *state, struct pd_error **err)
{
	pd_auto_free char *other = access("/run/systemd/system", F_OK) == 0 ? armed_for() : NULL;

	return !other || same_folder(other, state) || has_ended(other, err);
}

char *pd_boot_credential(const char *name)
{
	static const char *const stores[] = { "/etc/credstore", "/etc/credstore.encrypted" };

	/* it becomes a word of the unit */
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-@", *c))
			return NULL;
	for (size_t i = 0; i < 2; i++) {
		char *path = pd_print("%s/%s", stores[i], name);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static void load_credentials(struct pd_buffer *b, const struct pd_strings *names)
{
	for (size_t i = 0; i < names->len; i++) {
		pd_auto_free char *path = pd_boot_credential(names->items[i]);

		if (path)
			pd_buffer_print(b, "LoadCredential%s=%s:%s\n",
					strstr(path, ".encrypted/") ? "Encrypted" : "",
					names->items[i], path);
	}
}

bool pd_boot_arm(const char *state, const char *const argv[],
		 const struct pd_strings *credentials, struct pd_error **err)
{
	pd_auto(pd_buffer) b = {0};
	pd_auto_close int one = -1; /* at a time looks and writes */

	if (access("/run/systemd/system", F_OK) < 0)
		return true;
	pd_buffer_text(&b, "# Made by patchday for a run under way; removed when it ends.\n"
		"[Unit]\nDescription=Go on with the patchday run after a start of the server\n"
		"After=multi-user.target dbus.service\n"
		/* a run gives up by itself long before, and gives back what is held: this is
		 * for one that is killed each time before it can count its starts */
		"StartLimitIntervalSec=10min\nStartLimitBurst=60\n\n[Service]\nType=exec\n"
		"KillMode=mixed\nTimeoutStopSec=60\n"
		/* nobody may be there when it is killed, and services are held */
		"Restart=on-abnormal\nRestartSec=1\n"
		/* rolled back, refused and waiting are no failures of the unit */
		"SuccessExitStatus=1 4 5\n");
	load_credentials(&b, credentials);
	pd_buffer_text(&b, "ExecStart=");
	for (size_t i = 0; argv[i]; i++)
		quote(&b, argv[i]);
	pd_buffer_text(&b, "\n\n[Install]\nWantedBy=multi-user.target\n");
	if (!pd_make_folders(WANTS, err))
		return pd_error_prefix(err, "the run could not go on after a reboot");
	one = open(UNITS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (one < 0 || flock(one, LOCK_EX) < 0)
		return pd_error_errno(err, "file-write", errno, "cannot lock " UNITS);
	if (!pd_boot_free(state, err))
		return false;
	if (!pd_file_write(UNITS "/" UNIT, 0644, b.data, b.len, err))
		return pd_error_prefix(err, "the run could not go on after a reboot");
	if (symlink("../" UNIT, WANTS "/" UNIT) < 0 && errno != EEXIST)
		return pd_error_errno(err, "file-write", errno, "cannot enable " UNIT);
	sync();
	return true;
}

void pd_boot_disarm(const char *state)
{
	pd_auto_free char *whose = armed_for();

	if (whose && !same_folder(whose, state))
		return;
	unlink(WANTS "/" UNIT);
	unlink(UNITS "/" UNIT);
}
