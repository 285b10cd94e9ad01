/* SPDX-License-Identifier: MIT */
/* disks - what disks, network cards and fwupd say of themselves. */
#include "fwupd.h"
#include "state.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMARTCTL "/usr/sbin/smartctl"

/* "Firmware Version: ABC" of its report, by the words that stand there. */
static void add_line(struct state *s, const char *name, char *line)
{
	static const char *const known[][2] = {
		{ "Serial Number", "serial" }, { "Serial number", "serial" },
		{ "Firmware Version", "firmware" }, { "Revision", "firmware" },
		{ "Device Model", "model" }, { "Model Number", "model" },
		{ "SMART overall-health self-assessment test result", "health" },
		{ "SMART Health Status", "health" } };
	char *value = strchr(line, ':');

	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(line, known[i][0]) == 0)
			state_add(s, "smart", name, known[i][1], value);
}

int state_disk(struct state *s, const char *name)
{
	const char *argv[] = { SMARTCTL, "-i", "-H",
			       pd_format(s->ctx, "/dev/%s", name), NULL };
	struct pd_command command = { .size = sizeof(command), .argv = argv,
				      .time_limit = 30 };
	struct pd_command_result result = { 0 };
	char *rest = NULL, *line = NULL;

	if (access(SMARTCTL, X_OK) < 0)
		return 0;
	if (pd_command_run(s->ctx, &command, &result) < 0) {
		pd_log(s->ctx, PD_LOG_WARN, "smartctl does not answer for %s",
		       name);
		return 0;
	}
	rest = (char *)pkg_copy(s->ctx, result.out, result.out_len);
	while ((line = pkg_line(&rest)))
		add_line(s, name, line);
	return 0;
}

void state_card(struct state *s, const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);

	if (fd >= 0 && len < sizeof(request.ifr_name)) {
		memcpy(request.ifr_name, name, len + 1);
		if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
			state_add(s, "nic", name, "driver", info.driver);
			state_add(s, "nic", name, "driver_version",
				  info.version);
			state_add(s, "nic", name, "firmware",
				  info.fw_version);
		}
	}
	if (fd >= 0)
		close(fd);
}

int state_firmware(struct state *s)
{
	struct fw_devices list = { 0 };
	const char *why = NULL;
	sd_bus *bus = fw_bus();
	int done = fw_is_there(bus) ? fw_list(s->ctx, bus, "GetDevices", &list,
					      &why) : 0;

	sd_bus_flush_close_unref(bus);
	/* without it the rest is worth writing down */
	if (done == PD_REFUSED)
		pd_log(s->ctx, PD_LOG_WARN, "%s", why);
	for (size_t i = 0; done == 0 && i < list.n; i++) {
		const struct fw_device *d = &list.v[i];

		state_add(s, "firmware", d->id, "name", d->name);
		state_add(s, "firmware", d->id, "version", d->version);
		state_add(s, "firmware", d->id, "serial", d->serial);
	}
	return done == PD_REFUSED ? 0 : done;
}
