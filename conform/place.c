/* SPDX-License-Identifier: MIT */
/* A clone, the agent in it, and what has changed. */
#include "place.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "look.h"

#define WORK "/var/lib/patchday/conform" /* of steps, in the clone */

enum { BOOT_SECONDS = 180 };

static void serve(void *user)
{
	const struct place *p = user;

	close(p->agent);
	agent_serve(p->subject, p->inside, !p->boots);
}

/* What a rehearsal asks for too. */
static bool can_boot(struct pd_error **err)
{
	if (access("/run/systemd/system", F_OK) < 0)
		return pd_error_set(err, "clone-start", "--boot: systemd is not the init of this server");
	return access("/etc/systemd/system/patchday-resume.service", F_OK) < 0 ||
	       pd_error_set(err, "clone-run-open", "--boot: a run is under way on this server; its"
			    " clone would go on with it");
}

bool place_open(struct place *p, const struct subject *s, bool boots, struct pd_error **err)
{
	char folder[] = "/tmp/patchday-conform.XXXXXX";

	*p = (struct place){ .subject = s, .boots = boots, .agent = -1, .inside = -1 };
	p->clone = (struct clone){ .o = &p->options, .lock = -1, .kmsg = -1, .pidfd = -1 };
	if (boots && !can_boot(err))
		return false;
	if (!boots && !mkdtemp(folder))
		return pd_error_errno(err, "file-write", errno, "%s", folder);
	p->work = boots ? pd_strdup("/var/lib/patchday/rehearse") : pd_strdup(folder);
	p->options = (struct clone_options){ .work = p->work, .memory = true, .fast = true,
					     .first = boots ? NULL : serve, .user = p };
	return clone_open(&p->clone, &p->options, err);
}

static void leave(struct place *p)
{
	pd_close_p(&p->agent);
	clone_cut(&p->clone);
}

void place_close(struct place *p)
{
	if (!p->work)
		return;
	leave(p);
	clone_close(&p->clone);
	free(p->work);
}

/* The agent is the first process of a clone without an init. */
static bool start_agent(struct place *p, struct pd_error **err)
{
	int ends[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return pd_error_errno(err, "clone-start", errno, "no socket for the clone");
	p->agent = ends[0];
	p->inside = ends[1];
	ok = p->boots ? clone_fork(&p->clone, serve, p) > 0 :
			clone_boot(&p->clone, BOOT_SECONDS, err);
	close(p->inside);
	return ok || (*err ? false : pd_error_set(err, "clone-start", "no process can be started in the clone"));
}

bool place_renew(struct place *p, struct pd_error **err)
{
	leave(p);
	p->clones++;
	return clone_renew(&p->clone, err) &&
	       (!p->boots || clone_boot(&p->clone, BOOT_SECONDS, err)) && start_agent(p, err);
}

json_t *place_call(struct place *p, const json_t *asked, struct pd_error **err)
{
	json_t *answer = json_dumpfd(asked, p->agent, JSON_COMPACT) == 0 ?
		json_loadfd(p->agent, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

	if (!answer)
		pd_error_set(err, "clone-start", "the clone ended while a callback was tried in it");
	return answer;
}

/* ------------------------------------------------------- what has changed */

static bool is_link_same(const char *a, const char *b)
{
	char x[4096], y[4096];
	ssize_t n = readlink(a, x, sizeof(x)), m = readlink(b, y, sizeof(y));

	return n == m && n > 0 && memcmp(x, y, (size_t)n) == 0;
}

/* Written anew as it was is no change; times are nobody's content. */
static void note_content(void *user, const char *path, const char *file, const struct stat *st,
			 const char *what)
{
	pd_digest now = "", before = "";
	pd_auto_free char *text = NULL, *attributes = NULL;
	struct stat was = {0};

	if (look_noise(path))
		return;
	if (S_ISREG(st->st_mode))
		(void)!pd_digest_file(file, now, NULL, NULL);
	if (strcmp(what, "changed") == 0 && lstat(path, &was) == 0 && was.st_mode == st->st_mode &&
	    was.st_uid == st->st_uid && was.st_gid == st->st_gid && look_same_attributes(file, path) &&
	    ((S_ISREG(st->st_mode) && pd_digest_file(path, before, NULL, NULL) && strcmp(now, before) == 0) ||
	     (S_ISLNK(st->st_mode) && is_link_same(path, file))))
		return;
	attributes = look_attributes(file);
	text = pd_print("%s, mode %o, owner %u:%u%s%.12s%s%s", what, st->st_mode & 07777, st->st_uid,
			st->st_gid, *now ? ", sha256 " : "", now, attributes ? ", " : "",
			attributes ? attributes : "");
	json_object_set_new(user, path, strcmp(what, "removed") ? json_string(text) : json_string(what));
}

json_t *place_look(struct place *p)
{
	json_t *files = json_object(), *services;
	const char *name;
	json_t *unit;

	look_each(&p->clone, note_content, files);
	if (!p->boots)
		return json_pack("{s:o}", "files", files);
	services = look_services(&p->clone);
	json_object_foreach(services, name, unit)
		json_object_del(unit, "pid");
	return json_pack("{s:o, s:o, s:o}", "files", files, "packages", look_packages(&p->clone),
			 "services", services);
}

void place_forget(struct place *p)
{
	static const char *const reset[] = { "systemctl", "reset-failed", NULL };

	free(clone_output(&p->clone, reset, NULL));
}

struct search {
	const struct place *place;
	json_t *out;
};

static void find_secret(void *user, const char *path, const char *file, const struct stat *st,
			const char *what)
{
	struct search *s = user;
	pd_auto_free char *data = NULL;
	size_t len = 0;

	(void)what;
	if (!S_ISREG(st->st_mode) || (!(st->st_mode & 077) && !clone_below(path, WORK)))
		return;
	data = pd_file_read(file, (size_t)64 << 20, &len, NULL);
	for (size_t i = 0; data && i < 4; i++) {
		const char *secret = s->place->subject->secrets[i];

		if (*secret && memmem(data, len, secret, strlen(secret)))
			json_array_append_new(s->out, json_string(path));
	}
}

json_t *place_secrets(struct place *p)
{
	struct search s = { p, json_array() };

	look_each(&p->clone, find_secret, &s);
	return s.out;
}
