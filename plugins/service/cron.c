/* SPDX-License-Identifier: MIT */
/* Jobs of cron, anacron and at, from their files: crontab(5), anacrontab(5),
 * and the names of at's spool. */
#include "schedule.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { JOBS_MAX = 5000, FILE_MAX = 1 << 20, COMMAND_MAX = 200 };

struct jobs {
	struct pd_ctx *ctx;
	const struct owners *owners;
	size_t told;
	int status;
};

struct job {
	const char *kind, *name, *command, *schedule, *user;
	bool enabled;
};

static void tell(struct jobs *jobs, const struct job *j)
{
	const struct pd_fact_field row[] = {
		PD_TEXT("kind", j->kind), PD_TEXT("name", j->name),
		PD_TEXT("command", j->command), PD_TEXT("schedule", j->schedule),
		PD_TEXT("user", j->user), PD_FLAG("enabled", j->enabled),
		PD_TEXT("package", owners_find(jobs->owners, j->name))
	};

	if (jobs->status == 0 && jobs->told++ < JOBS_MAX)
		jobs->status = pd_fact(jobs->ctx, "jobs", row, sizeof(row) / sizeof(row[0]));
}

/* The next @p n words, with one blank between them; *p goes behind them. */
static const char *words(struct pd_ctx *ctx, const char **p, int n)
{
	const char *text = "";

	for (int i = 0; i < n; i++) {
		size_t len;

		*p += strspn(*p, " \t");
		len = strcspn(*p, " \t");
		text = pd_format(ctx, "%s%s%.*s", text, *text ? " " : "", (int)len, *p);
		*p += len;
	}
	return text;
}

/* Not cut inside of a character. */
static const char *command(struct pd_ctx *ctx, const char *p)
{
	size_t n;

	p += strspn(p, " \t");
	n = strnlen(p, COMMAND_MAX);
	while (p[n] && n > 0 && ((unsigned char)p[n] & 0xc0) == 0x80)
		n--;
	return pd_format(ctx, "%.*s", (int)n, p);
}

/* Settings of the environment may hold what nobody else should read. */
static bool is_setting(const char *line)
{
	const char *p = line + strcspn(line, " \t=");

	return p[strspn(p, " \t")] == '=';
}

/** @p fields: of a schedule; @p user NULL: the line names it. */
static void tell_line(struct jobs *jobs, const char *kind, const char *path, int fields,
		      const char *user, const char *line)
{
	struct job j = { .kind = kind, .name = path, .user = user, .enabled = true };
	bool anacron = strcmp(kind, "anacron") == 0;

	line += strspn(line, " \t");
	if (!*line || *line == '#' || is_setting(line))
		return;
	if (*line == '@' && !anacron)
		fields = 1;
	j.schedule = words(jobs->ctx, &line, fields);
	if (anacron)
		words(jobs->ctx, &line, 1); /* the job's name */
	else if (!user)
		j.user = words(jobs->ctx, &line, 1);
	j.command = command(jobs->ctx, line);
	if (*j.command)
		tell(jobs, &j);
}

static void tell_table(struct jobs *jobs, const char *kind, const char *path, int fields,
		       const char *user)
{
	const char *text = pd_read_file(jobs->ctx, path, FILE_MAX, NULL);

	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n')
		tell_line(jobs, kind, path, fields, user,
			  pd_format(jobs->ctx, "%.*s", (int)strcspn(text, "\n"), text));
}

/* run-parts(8) and cron take only these names. */
static bool is_taken(const char *name)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		      "0123456789_-") == strlen(name);
}

static void each_file(struct jobs *jobs, const char *folder,
		      void (*fn)(struct jobs *, const char *path, const char *name,
				 const char *what), const char *what)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *path = pd_format(jobs->ctx, "%s/%s", folder, names[i]->d_name);
		struct stat st = { 0 };

		if (*names[i]->d_name != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			fn(jobs, path, names[i]->d_name, what);
		free(names[i]);
	}
	free(names);
}

static void tell_system(struct jobs *jobs, const char *path, const char *name,
			const char *what)
{
	(void)what;
	if (is_taken(name))
		tell_table(jobs, "cron", path, 5, NULL);
}

static void tell_user(struct jobs *jobs, const char *path, const char *name,
		      const char *what)
{
	(void)what;
	tell_table(jobs, "cron", path, 5, name);
}

static void tell_script(struct jobs *jobs, const char *path, const char *name,
			const char *what)
{
	struct stat st = { 0 };
	struct job j = { .kind = "cron", .name = path, .schedule = what, .user = "root" };

	j.enabled = is_taken(name) && stat(path, &st) == 0 && (st.st_mode & S_IXUSR);
	tell(jobs, &j);
}

/* "a0000301c4d2f8": queue, number and minutes since 1970 of at's spool; "="
 * instead of the queue while it runs. */
static void tell_at(struct jobs *jobs, const char *path, const char *name, const char *what)
{
	struct job j = { .kind = "at", .name = path, .enabled = true };
	unsigned long minutes = 0;
	unsigned number = 0;
	time_t when;
	struct tm tm = { 0 };
	char text[32] = "";

	(void)what;
	if (strlen(name) != 14 || sscanf(name + 1, "%5x%8lx", &number, &minutes) != 2)
		return;
	when = (time_t)minutes * 60;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%MZ", gmtime_r(&when, &tm));
	j.schedule = text;
	tell(jobs, &j);
}

int scan_cron(struct pd_ctx *ctx, const struct owners *owners)
{
	static const char *const periods[] = { "hourly", "daily", "weekly", "monthly" };
	struct jobs jobs = { .ctx = ctx, .owners = owners };

	tell_table(&jobs, "cron", "/etc/crontab", 5, NULL);
	each_file(&jobs, "/etc/cron.d", tell_system, NULL);
	each_file(&jobs, "/var/spool/cron/crontabs", tell_user, NULL);
	each_file(&jobs, "/var/spool/cron", tell_user, NULL);
	for (size_t i = 0; i < 4; i++)
		each_file(&jobs, pd_format(ctx, "/etc/cron.%s", periods[i]), tell_script,
			  periods[i]);
	tell_table(&jobs, "anacron", "/etc/anacrontab", 2, "root");
	each_file(&jobs, "/var/spool/cron/atjobs", tell_at, NULL);
	each_file(&jobs, "/var/spool/at", tell_at, NULL);
	return jobs.status;
}
