/* SPDX-License-Identifier: MIT */
/* fwupd - the daemon that knows the firmware of devices, over D-Bus. */
#include "fwupd.h"
#include "../shared/pkg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FWUPD "org.freedesktop.fwupd"

/* While it writes to a device it answers nobody: then this is how long that may
 * take, as after a crash in the middle. */
#define ANSWER_USEC (UINT64_C(3600) * 1000000)

sd_bus *fw_bus(void)
{
	sd_bus *bus = NULL;

	return sd_bus_open_system(&bus) < 0 ? NULL : bus;
}

bool fw_is_there(sd_bus *bus)
{
	char **running = NULL, **startable = NULL;
	/* its unit does not start in a container */
	bool contained = access("/run/systemd/container", F_OK) == 0;
	bool there = false;

	if (!bus || sd_bus_list_names(bus, &running, &startable) < 0)
		return false;
	for (char **lists[] = { running, startable }, ***list = lists;
	     list < lists + 2; list++) {
		for (char **name = *list; name && *name; name++) {
			there = there || (strcmp(*name, FWUPD) == 0 &&
					  (list == lists || !contained));
			free(*name);
		}
		free(*list);
	}
	return there;
}

/* ------------------------------------------------------------- answers */

static void set_text(struct pd_ctx *ctx, struct fw_device *d, const char *key,
		     const char *text)
{
	const struct { const char *key, **to; } known[] = {
		{ "DeviceId", &d->id }, { "Name", &d->name },
		{ "Plugin", &d->plugin }, { "Serial", &d->serial },
		{ "VendorId", &d->vendor }, { "Branch", &d->branch },
		{ "Version", &d->version }, { "VersionLowest", &d->lowest },
		{ "UpdateError", &d->error }, { "UpdateMessage", &d->message } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].key, key) == 0)
			*known[i].to = pd_format(ctx, "%s", text);
}

static void set_number(struct fw_device *d, const char *key, uint64_t n)
{
	if (strcmp(key, "Flags") == 0)
		d->flags = n;
	else if (strcmp(key, "UpdateState") == 0)
		d->state = n;
	else if (strcmp(key, "VersionFormat") == 0)
		d->format = n;
}

static int read_guids(struct pd_ctx *ctx, sd_bus_message *m,
		      struct fw_device *d)
{
	const char **guids = NULL, *guid = NULL;
	size_t n = 0, cap = 0;
	int r = sd_bus_message_enter_container(m, 'v', "as");

	r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &guid)) > 0) {
		guids = pkg_grow(ctx, guids, n, &cap, sizeof(*guids));
		guids[n++] = pd_format(ctx, "%s", guid);
	}
	d->guids = guids;
	d->n_guids = n;
	r = r < 0 ? r : sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_dict(struct pd_ctx *ctx, sd_bus_message *m,
		     struct fw_device *d);

/* One release, or a list of them, of which the first one counts. */
static int read_release(struct pd_ctx *ctx, sd_bus_message *m, bool list,
			struct fw_device *d)
{
	struct fw_device release = { .version = "" };
	int r = sd_bus_message_enter_container(m, 'v', list ? "aa{sv}" :
							      "a{sv}");

	r = r < 0 || !list ? r : sd_bus_message_enter_container(m, 'a',
								 "a{sv}");
	while (r >= 0 && (r = read_dict(ctx, m, &release)) > 0) {
		if (!*d->release)
			d->release = release.version;
		if (!list)
			break;
	}
	r = r < 0 || !list ? r : sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_field(struct pd_ctx *ctx, sd_bus_message *m,
		      struct fw_device *d)
{
	const char *key = NULL, *text = NULL, *type = NULL;
	uint64_t wide = 0;
	uint32_t narrow = 0;
	int r = sd_bus_message_read(m, "s", &key);

	r = r < 0 ? r : sd_bus_message_peek_type(m, NULL, &type);
	if (r < 0)
		return r;
	if (strcmp(type, "s") == 0) {
		r = sd_bus_message_read(m, "v", "s", &text);
		if (r >= 0)
			set_text(ctx, d, key, text);
	} else if (strcmp(type, "t") == 0) {
		r = sd_bus_message_read(m, "v", "t", &wide);
		set_number(d, key, wide);
	} else if (strcmp(type, "u") == 0) {
		r = sd_bus_message_read(m, "v", "u", &narrow);
		set_number(d, key, narrow);
	} else if (strcmp(key, "Guid") == 0 && strcmp(type, "as") == 0) {
		r = read_guids(ctx, m, d);
	} else if (strcmp(key, "Release") == 0) {
		r = read_release(ctx, m, strcmp(type, "aa{sv}") == 0, d);
	} else {
		r = sd_bus_message_skip(m, "v");
	}
	return r;
}

/* @return above zero: there was one. */
static int read_dict(struct pd_ctx *ctx, sd_bus_message *m, struct fw_device *d)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r <= 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_field(ctx, m, d);
		r = r < 0 ? r : sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	r = r < 0 ? r : sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static const struct fw_device nothing = {
	.id = "", .name = "", .plugin = "", .serial = "", .vendor = "",
	.branch = "", .version = "", .lowest = "", .error = "", .release = "",
	.message = "" };

static int read_devices(struct pd_ctx *ctx, sd_bus_message *m,
			struct fw_devices *out)
{
	int r = sd_bus_message_enter_container(m, 'a', "a{sv}");

	while (r >= 0) {
		struct fw_device d = nothing;

		r = read_dict(ctx, m, &d);
		if (r <= 0)
			break;
		out->v = pkg_grow(ctx, out->v, out->n, &out->cap,
				  sizeof(*out->v));
		out->v[out->n++] = d;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ------------------------------------------------------------ questions */

static const char *why(struct pd_ctx *ctx, const sd_bus_error *error, int r)
{
	return pd_format(ctx, "%s", error->message ? error->message :
			 strerror(-r));
}

/* Masked, or not as it should be: it can't be asked. */
static bool is_away(const sd_bus_error *error)
{
	static const char *const names[] = {
		"org.freedesktop.systemd1.", "org.freedesktop.DBus.Error.Spawn.",
		"org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner" };

	for (size_t i = 0; error->name && i < sizeof(names) / sizeof(*names);
	     i++)
		if (strncmp(error->name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

int fw_list(struct pd_ctx *ctx, sd_bus *bus, const char *method,
	    struct fw_devices *out, const char **unfit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, FWUPD, "/", FWUPD,
					       method);
	const char *text = NULL;
	bool away = false;

	*out = (struct fw_devices){ 0 };
	r = r < 0 ? r : sd_bus_call(bus, m, ANSWER_USEC, &error, &reply);
	away = unfit && is_away(&error);
	/* that there is nothing is an error for it */
	if (sd_bus_error_has_name(&error, FWUPD ".NothingToDo"))
		r = 0;
	else
		r = r < 0 ? r : read_devices(ctx, reply, out);
	if (r < 0)
		text = pd_format(ctx, "fwupd does not answer %s: %s; see "
				 "`systemctl status fwupd`", method,
				 why(ctx, &error, r));
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	if (away)
		*unfit = text;
	return r >= 0 ? 0 : away ? PD_REFUSED :
	       pd_fail(ctx, PD_FAILED, "%s", text);
}

int fw_details(struct pd_ctx *ctx, sd_bus *bus, int fd, struct fw_devices *out,
	       const char **unfit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, FWUPD, "/", FWUPD,
					       "GetDetails");

	*out = (struct fw_devices){ 0 };
	r = r < 0 ? r : sd_bus_message_append(m, "h", fd);
	r = r < 0 ? r : sd_bus_call(bus, m, ANSWER_USEC, &error, &reply);
	r = r < 0 ? r : read_devices(ctx, reply, out);
	if (r < 0)
		*unfit = why(ctx, &error, r);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r < 0 ? PD_REFUSED : 0;
}

/* -------------------------------------------------------------- install */

struct work {
	struct pd_ctx *ctx;
	const struct fw_device *device;
	bool done;
	const char *error; /* NULL: it went well */
};

static int on_changed(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct work *w = user;
	const char *name = NULL;
	uint32_t percent = 0;
	int r = sd_bus_message_skip(m, "s");

	(void)error;
	r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0 && strcmp(name, "Percentage") == 0) {
			r = sd_bus_message_read(m, "v", "u", &percent);
			if (r >= 0)
				pd_progress(w->ctx, percent, 100,
					    w->device->name);
		} else if (r >= 0) {
			r = sd_bus_message_skip(m, "v");
		}
		r = r < 0 ? r : sd_bus_message_exit_container(m);
	}
	return 0;
}

/* Somebody has to press or to plug something. */
static int on_request(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct work *w = user;
	struct fw_device asked = nothing;

	(void)error;
	if (read_dict(w->ctx, m, &asked) > 0 && *asked.message)
		pd_log(w->ctx, PD_LOG_WARN, "%s: fwupd asks: %s",
		       w->device->name, asked.message);
	return 0;
}

static int on_end(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct work *w = user;
	const sd_bus_error *e = sd_bus_message_get_error(m);

	(void)error;
	w->done = true;
	w->error = e ? pd_format(w->ctx, "%s", e->message ? e->message :
							    e->name) : NULL;
	return 0;
}

static int ask(sd_bus *bus, struct work *w, int fd, bool back)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, FWUPD, "/", FWUPD,
					       "Install");

	r = r < 0 ? r : sd_bus_message_append(m, "sh", w->device->id, fd);
	r = r < 0 ? r : sd_bus_message_append(m, "a{sv}", 3,
		"reason", "s", "patchday", "allow-older", "b", (int)back,
		"allow-reinstall", "b", (int)back);
	r = r < 0 ? r : sd_bus_call_async(bus, NULL, m, on_end, w, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

/* It is not cut short: a device half written may be lost. */
static int wait_for(sd_bus *bus, const struct work *w)
{
	int r = 0;

	while (r >= 0 && !w->done) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, 1000000);
		r = r == -EINTR ? 0 : r;
	}
	return r;
}

int fw_install(struct pd_ctx *ctx, sd_bus *bus, const struct fw_device *device,
	       int fd, bool back)
{
	struct work w = { .ctx = ctx, .device = device };
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

	r = r < 0 ? r : sd_bus_match_signal(bus, NULL, FWUPD, "/",
		"org.freedesktop.DBus.Properties", "PropertiesChanged",
		on_changed, &w);
	r = r < 0 ? r : sd_bus_match_signal(bus, NULL, FWUPD, "/", FWUPD,
					    "DeviceRequest", on_request, &w);
	r = r < 0 ? r : ask(bus, &w, fd, back);
	r = r < 0 ? r : wait_for(bus, &w);
	if (r < 0)
		return pd_fail(ctx, PD_FAILED, "fwupd can't be asked to "
			       "install: %s", strerror(-r));
	if (w.error)
		return pd_fail(ctx, PD_FAILED, "fwupd does not install the "
			       "firmware of %s: %s", device->name, w.error);
	return 0;
}

/* ---------------------------------------------------------------- words */

bool fw_has_guid(const struct fw_device *device, const char *guid)
{
	for (size_t i = 0; i < device->n_guids; i++)
		if (strcasecmp(device->guids[i], guid) == 0)
			return true;
	return false;
}

/* By fwupd's number; of no other format numbers are taken apart. */
static const struct { const char *name; uint32_t scheme; } formats[] = {
	{ NULL, PD_SCHEME_FWUPD }, { "plain", PD_SCHEME_TEXT },
	{ "number", PD_SCHEME_NUMBER }, { "pair", PD_SCHEME_PAIR },
	{ "triplet", PD_SCHEME_TRIPLET }, { "quad", PD_SCHEME_QUAD },
	{ "bcd", PD_SCHEME_BCD }, { "intel-me", PD_SCHEME_INTEL_ME },
	{ "intel-me2", PD_SCHEME_INTEL_ME2 },
	{ "surface-legacy", PD_SCHEME_SURFACE_LEGACY },
	{ "surface", PD_SCHEME_SURFACE },
	{ "dell-bios", PD_SCHEME_DELL_BIOS }, { "hex", PD_SCHEME_HEX },
	{ "dell-bios-msb", PD_SCHEME_DELL_BIOS_MSB },
	{ "intel-csme19", PD_SCHEME_INTEL_CSME19 } };

const char *fw_format(uint64_t format)
{
	return format < sizeof(formats) / sizeof(*formats) ?
	       formats[format].name : NULL;
}

bool fw_compare(struct pd_ctx *ctx, const struct fw_device *device,
		const char *other, int *order)
{
	size_t format = device->format < sizeof(formats) / sizeof(*formats) ?
			(size_t)device->format : 0;

	*order = 0;
	return strcmp(device->version, other) == 0 ||
	       pd_compare_versions(ctx, formats[format].scheme, device->version,
				   other, order);
}

const struct fw_device *fw_find(const struct fw_devices *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i].id, id) == 0)
			return &list->v[i];
	return NULL;
}
