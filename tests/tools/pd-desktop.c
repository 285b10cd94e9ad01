/* SPDX-License-Identifier: MIT */
/* pd-desktop - a desktop for tests: the notification server of a session bus,
 * with somebody in front of it.
 *
 *     pd-desktop [--plain|--eager] [press|close]...
 *
 * Prints a line for each message that comes.  To each with an action one of the
 * words is done: press the action, or close it; after the last word nothing.
 * --plain: it has neither actions nor markup; --eager: the words are done to
 * messages without an action, too. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

struct desktop {
	char **words;
	uint32_t last;
	bool plain, eager;
};

static int capabilities(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const struct desktop *d = user;

	(void)error;
	return d->plain ? sd_bus_reply_method_return(m, "as", 1, "body") :
		sd_bus_reply_method_return(m, "as", 3, "actions", "body", "body-markup");
}

static int act(struct desktop *d, sd_bus_message *m, uint32_t id)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	const char *word = *d->words;

	if (!word)
		return 0;
	d->words++;
	return strcmp(word, "press") == 0 ?
		sd_bus_emit_signal(bus, PATH, NAME, "ActionInvoked", "us", id, "postpone") :
		sd_bus_emit_signal(bus, PATH, NAME, "NotificationClosed", "uu", id, 2u);
}

static int notify(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct desktop *d = user;
	const char *app, *icon, *title, *text, *key, *label = NULL;
	uint32_t replaces, id;
	int r;

	(void)error;
	r = sd_bus_message_read(m, "susss", &app, &replaces, &icon, &title, &text);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && sd_bus_message_read(m, "s", &key) > 0)
		if (sd_bus_message_read(m, "s", &label) <= 0)
			break;
	if (r < 0)
		return r;
	id = replaces ? replaces : ++d->last;
	printf("%u replaces %u [%s] %s | ", id, replaces, label ? label : "", title);
	for (; *text; text++)
		putchar(*text == '\n' ? ' ' : *text);
	putchar('\n');
	fflush(stdout);
	r = sd_bus_reply_method_return(m, "u", id);
	return r < 0 || !(label || d->eager) ? r : act(d, m, id);
}

static const sd_bus_vtable table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetCapabilities", "", "as", capabilities, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", notify, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("ActionInvoked", "us", 0),
	SD_BUS_SIGNAL("NotificationClosed", "uu", 0),
	SD_BUS_VTABLE_END
};

int main(int argc, char **argv)
{
	struct desktop d = { .words = argv + 1 };
	sd_bus *bus = NULL;
	int r;

	if (argc > 1 && strcmp(argv[1], "--plain") == 0)
		d.plain = true, d.words++;
	if (argc > 1 && strcmp(argv[1], "--eager") == 0)
		d.eager = true, d.words++;
	r = sd_bus_open_user(&bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, PATH, NAME, table, &d);
	if (r >= 0)
		r = sd_bus_request_name(bus, NAME, 0);
	if (r >= 0) {
		puts("ready");
		fflush(stdout);
	}
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "pd-desktop: %s\n", strerror(-r));
	sd_bus_unref(bus);
	return 1;
}
