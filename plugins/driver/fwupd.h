/* SPDX-License-Identifier: MIT */
/* Private: what fwupd says over D-Bus, and what it is asked to do. */
#ifndef FWUPD_H
#define FWUPD_H

#include <patchday/plugin.h>
#include <systemd/sd-bus.h>

/* Of a device's flags. */
#define FW_UPDATABLE      (UINT64_C(1) << 1)
#define FW_NEEDS_REBOOT   (UINT64_C(1) << 8)
#define FW_NEEDS_SHUTDOWN (UINT64_C(1) << 17)
#define FW_NEEDS_ACTIVATION (UINT64_C(1) << 20)

/* Of the state of an update. */
enum { FW_UNKNOWN, FW_PENDING, FW_SUCCESS, FW_FAILED, FW_REBOOT };

/** A device, or what an archive has for one.  Texts are never NULL. */
struct fw_device {
	const char *id, *name, *plugin, *serial;
	const char *vendor; /**< "USB:0x046D", of several with | between them */
	const char *branch; /**< "": the vendor's own */
	const char *version, *lowest; /**< lowest that it goes back to; "" any */
	const char *error;            /**< of its last update */
	const char *release;          /**< version of the archive's release, or
				       *   the one that was installed */
	const char *message;          /**< what a person has to do */
	uint64_t flags, state, format;
	const char *const *guids;
	size_t n_guids;
};

struct fw_devices {
	struct fw_device *v;
	size_t n, cap;
};

/** The system bus; @return NULL, not reported. */
sd_bus *fw_bus(void);
/** Is fwupd there, running or to be started by the first who asks? */
bool fw_is_there(sd_bus *bus);
/** Call "GetDevices" or "GetHistory", which waits until it has written what it
 * writes.  @return 0; PD_REFUSED, with *why, which may be NULL: it can't be started
 * here; PD_FAILED, reported. */
int fw_list(struct pd_ctx *ctx, sd_bus *bus, const char *method,
	    struct fw_devices *out, const char **why);
/** What an archive is for, by its open file.  @return 0; PD_REFUSED: it is none
 * that fwupd can read, with *why; PD_FAILED, reported. */
int fw_details(struct pd_ctx *ctx, sd_bus *bus, int fd, struct fw_devices *out,
	       const char **why);
/** Have an archive installed on a device, and wait for the end of it.
 * @param back an older release, or the same one again. */
int fw_install(struct pd_ctx *ctx, sd_bus *bus, const struct fw_device *device,
	       int fd, bool back);
bool fw_has_guid(const struct fw_device *device, const char *guid);
const char *fw_format(uint64_t format);
/** Is the device's version older (below zero), the same or newer than the other
 * one, by its own format?  @return false: they can't be compared. */
bool fw_compare(struct pd_ctx *ctx, const struct fw_device *device,
		const char *other, int *order);
const struct fw_device *fw_find(const struct fw_devices *list, const char *id);

/** The scanner of facts. */
int fw_scan(struct pd_ctx *ctx);

#endif /* FWUPD_H */
