/* SPDX-License-Identifier: MIT */
/* Private to the plugin dell: the component or bundle that is open. */
#ifndef PD_PLUGIN_DELL_H
#define PD_PLUGIN_DELL_H

#include "../shared/path.h"

#define HIDDEN __attribute__((visibility("hidden")))

struct texts {
	const char **items;
	size_t len, cap;
};

/* A kind of device, known by its number to Dell's inventory, and those of its
 * ids on the PCI bus that the component names. */
struct device {
	const char *component;
	struct texts pci; /* patterns for the kernel's modalias */
};

struct system {
	const char *vendor, *version; /* of an operating system */
};

/* A <SoftwareComponent> or <SoftwareBundle>. */
struct entry {
	const char *id, *release, *path, *version, *package_type, *digest, *restart;
	const char *title, *description, *url, *type, *criticality, *criticality_text;
	int64_t time, bytes;
	uint32_t line;
	struct texts models, contents;
	struct device *devices;
	size_t n_devices, devices_cap;
	struct system *systems;
	size_t n_systems, systems_cap;
};

/* Bundles name their components by file, and stand before them. */
struct file {
	const char *name, *id;
};

struct reader {
	struct path path;
	const char *base; /* of all payloads: "https://.../"; "": beside the catalog */
	struct entry *open; /* NULL: none */
	struct entry **bundles;
	size_t n_bundles, bundles_cap;
	struct file *files;
	size_t n_files, files_cap;
	struct texts unknown; /* elements that were passed over */
	const char *algorithm, *language; /* of the <Hash> and <Display> that is open */
};

HIDDEN void dell_add(struct reader *r, struct texts *list, const char *s);
/** The last part of a path, with either kind of slash. */
HIDDEN const char *dell_base_name(const char *path);
HIDDEN int dell_emit_component(struct reader *r, const struct entry *e);
HIDDEN int dell_emit_bundles(struct reader *r);

#endif
