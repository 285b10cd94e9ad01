/* SPDX-License-Identifier: MIT */
/* Graphical sessions by logind's own files, and org.freedesktop.Notifications
 * on the session bus of each user. */
#include "desktops.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define ANSWER_USEC 5000000u /* a session that does not answer holds nobody up longer */

/* ----------------------------------------------------------------- finding */

static bool has(const struct desktops *all, uid_t uid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->one[i].uid == uid)
			return true;
	return false;
}

static int add(struct pd_ctx *ctx, struct desktops *all, const char *session)
{
	char *type = NULL, *class = NULL, *state = NULL;
	struct passwd *user;
	uid_t uid;
	int r = 0;

	if (sd_session_get_type(session, &type) >= 0 && sd_session_get_class(session, &class) >= 0 &&
	    sd_session_get_state(session, &state) >= 0 && sd_session_get_uid(session, &uid) >= 0 &&
	    (strcmp(type, "x11") == 0 || strcmp(type, "wayland") == 0 || strcmp(type, "mir") == 0) &&
	    strcmp(class, "user") == 0 && strcmp(state, "closing") != 0 && all->n < DESKTOPS &&
	    !has(all, uid) && (user = getpwuid(uid))) {
		struct desktop *d = &all->one[all->n++];

		*d = (struct desktop){ .uid = uid, .who = pd_format(ctx, "%s (%s)", user->pw_name, type) };
		r = pd_output_item(ctx, "told", d->who);
	}
	free(type), free(class), free(state);
	return r;
}

int desktops_find(struct pd_ctx *ctx, struct desktops *all)
{
	char **sessions = NULL;
	int n = sd_get_sessions(&sessions), r = 0;

	all->n = 0;
	if (n < 0 && n != -ENOENT)
		return pd_fail(ctx, PD_FAILED, "cannot ask who is logged in: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = add(ctx, all, sessions[i]);
		free(sessions[i]);
	}
	free(sessions);
	return r;
}

/* -------------------------------------------------------------- connecting */

static int on_signal(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct desktop *d = user;
	const char *key = "";
	uint32_t id = 0;

	(void)error;
	if (sd_bus_message_is_signal(m, NAME, "ActionInvoked") &&
	    sd_bus_message_read(m, "us", &id, &key) >= 0 && id == d->id && id)
		d->pressed = strcmp(key, "postpone") == 0;
	else if (sd_bus_message_is_signal(m, NAME, "NotificationClosed") &&
		 sd_bus_message_read(m, "u", &id) >= 0 && id == d->id)
		d->dismissed = true, d->id = 0;
	return 0;
}

/* The bus takes nobody but its user: that is who connects. */
static int connect_as(sd_bus *bus, uid_t uid)
{
	struct passwd *user = getpwuid(uid);
	int r = user && setegid(user->pw_gid) == 0 && seteuid(uid) == 0 ? sd_bus_start(bus) : -EPERM;

	return seteuid(0) < 0 || setegid(0) < 0 ? -EPERM : r;
}

static int look(struct desktop *d)
{
	sd_bus_message *reply = NULL;
	char **all = NULL;
	int r = sd_bus_call_method(d->bus, NAME, PATH, NAME, "GetCapabilities", NULL, &reply, NULL);

	if (r >= 0)
		r = sd_bus_message_read_strv(reply, &all);
	for (size_t i = 0; all && all[i]; i++) {
		d->actions = d->actions || strcmp(all[i], "actions") == 0;
		d->markup = d->markup || strcmp(all[i], "body-markup") == 0;
		free(all[i]);
	}
	free(all);
	sd_bus_message_unref(reply);
	return r;
}

static int open_one(struct pd_ctx *ctx, struct desktop *d)
{
	const char *address = pd_format(ctx, "unix:path=/run/user/%u/bus", (unsigned)d->uid);
	int r = sd_bus_new(&d->bus);

	if (r >= 0)
		r = sd_bus_set_address(d->bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(d->bus, 1);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(d->bus, ANSWER_USEC);
	if (r >= 0)
		r = connect_as(d->bus, d->uid);
	if (r >= 0)
		r = look(d);
	return r < 0 ? r : sd_bus_match_signal(d->bus, NULL, NAME, PATH, NAME, NULL, on_signal, d);
}

/* It gets no more, and nobody waits for it. */
static void give_up(struct pd_ctx *ctx, struct desktop *d, int error)
{
	pd_log(ctx, PD_LOG_WARN, "%s isn't told: the session's notifications can't be reached: %s", d->who,
	       strerror(-error));
	d->bus = sd_bus_close_unref(d->bus);
}

void desktops_open(struct pd_ctx *ctx, struct desktops *all)
{
	for (size_t i = 0; i < all->n; i++) {
		int r = open_one(ctx, &all->one[i]);

		if (r < 0)
			give_up(ctx, &all->one[i], r);
	}
}

bool desktops_any(const struct desktops *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->one[i].bus)
			return true;
	return false;
}

void desktops_close(struct desktops *all)
{
	for (size_t i = 0; i < all->n; i++)
		all->one[i].bus = sd_bus_flush_close_unref(all->one[i].bus);
}

/* ------------------------------------------------------------------ showing */

static const char *escaped(struct pd_ctx *ctx, const char *text)
{
	char *out = pd_alloc_for(ctx, 5 * strlen(text) + 1), *to = out;

	for (; *text; text++)
		if (*text == '<' || *text == '>' || *text == '&')
			to = stpcpy(to, *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : "&amp;");
		else
			*to++ = *text;
	return out;
}

static int show(struct pd_ctx *ctx, struct desktop *d, const struct notification *what)
{
	const char *text = d->markup ? escaped(ctx, what->text) : what->text;
	sd_bus_message *m = NULL, *reply = NULL;
	int r = sd_bus_message_new_method_call(d->bus, &m, NAME, PATH, NAME, "Notify");

	if (r >= 0)
		r = sd_bus_message_append(m, "susss", "patchday", d->id, "system-software-update",
					  what->title, text);
	if (r >= 0)
		r = what->action && d->actions ? sd_bus_message_append(m, "as", 2, "postpone", what->action) :
			sd_bus_message_append(m, "as", 0);
	if (r >= 0) /* critical: it is shown over a film, too */
		r = sd_bus_message_append(m, "a{sv}i", 1, "urgency", "y", 2, what->expires);
	if (r >= 0)
		r = sd_bus_call(d->bus, m, 0, NULL, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "u", &d->id);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

void desktops_show(struct pd_ctx *ctx, struct desktops *all, const struct notification *what,
		   bool again)
{
	for (size_t i = 0; i < all->n; i++) {
		struct desktop *d = &all->one[i];
		int r;

		if (!d->bus || (d->dismissed && !again))
			continue;
		d->dismissed = d->pressed = false;
		r = show(ctx, d, what);
		if (r < 0)
			give_up(ctx, d, r);
	}
}

unsigned desktops_wait(struct desktops *all)
{
	struct pollfd fds[DESKTOPS];
	unsigned pressed = 0;
	nfds_t n = 0;
	bool busy = false;

	for (size_t i = 0; i < all->n; i++) {
		struct desktop *d = &all->one[i];
		int r = 0;

		for (int k = 0; d->bus && k < 100 && (r = sd_bus_process(d->bus, NULL)) > 0; k++)
			busy = true;
		if (d->bus && r < 0) /* the session has ended */
			d->bus = sd_bus_close_unref(d->bus);
		pressed += d->pressed;
		d->pressed = false;
		if (d->bus)
			fds[n++] = (struct pollfd){ .fd = sd_bus_get_fd(d->bus), .events = POLLIN };
	}
	if (!busy)
		poll(fds, n, 1000);
	return pressed;
}
