/* SPDX-License-Identifier: MIT */
/* The proof of a reboot, and the systemd unit that resumes a run after it. */
#include "run/boot.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool pd_boot_arm(const char *const argv[], const struct pd_strings *credentials,
		 struct pd_error **err)
{
	pd_auto(pd_buffer) b = {0};

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
	if (!pd_make_folders(WANTS, err) ||
	    !pd_file_write(UNITS "/" UNIT, 0644, b.data, b.len, err))
		return pd_error_prefix(err, "the run could not go on after a reboot");
	if (symlink("../" UNIT, WANTS "/" UNIT) < 0 && errno != EEXIST)
		return pd_error_errno(err, "file-write", errno, "cannot enable " UNIT);
	sync();
	return true;
}

void pd_boot_disarm(void)
{
	unlink(WANTS "/" UNIT);
	unlink(UNITS "/" UNIT);
}
