/* SPDX-License-Identifier: MIT */
/* network - save the network's state and configuration as text evidence. */
#include "network.h"
#include "../shared/store.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "SHA256SUMS"
#define FILE_MAX (16 * 1024 * 1024)
#define DEPTH_MAX 6
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct save_args {
	const char *to;
};

static const struct pd_param params[] = {
	PD_PARAM(struct save_args, to, PD_T_PATH, .flags = PD_P_REQUIRED,
		 .help = "folder that gets a subfolder for this run"),
	PD_PARAM_END
};

static const struct pd_output outputs[] = {
	PD_OUTPUT("folder", PD_T_PATH, "folder with what was saved"),
	PD_OUTPUT("files", PD_T_INT, "number of files in it"),
	PD_OUTPUT_END
};

/** What is asked for, into a file of its own. */
static const struct {
	const char *file;
	const char *title;
	const char *argv[9];
	bool optional; /**< the program need not be installed */
} questions[] = {
	{ "addresses.json", "Addresses",
	  { "ip", "-j", "-d", "address", "show", NULL }, false },
	{ "addresses.txt", "Addresses, to read", { "ip", "address", "show", NULL },
	  false },
	{ "routes-inet.json", "Routes of IPv4",
	  { "ip", "-j", "-4", "route", "show", "table", "all", NULL }, false },
	{ "routes-inet6.json", "Routes of IPv6",
	  { "ip", "-j", "-6", "route", "show", "table", "all", NULL }, false },
	{ "rules-inet.json", "Routing rules of IPv4",
	  { "ip", "-j", "-4", "rule", "show", NULL }, false },
	{ "rules-inet6.json", "Routing rules of IPv6",
	  { "ip", "-j", "-6", "rule", "show", NULL }, false },
	{ "listening.txt", "Sockets that listen",
	  { "ss", "-H", "-n", "-l", "-t", "-u", "-p", NULL }, false },
	{ "resolver.txt", "Resolver of systemd",
	  { "resolvectl", "--no-pager", "status", NULL }, true },
	{ "firewall.txt", "Firewall rules", { "nft", "list", "ruleset", NULL },
	  true }
};

/** Configuration that is copied, file or folder, as far as it is there. */
static const char *const config[] = {
	"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
	"/etc/host.conf", "/etc/networks", "/etc/gai.conf", "/etc/network",
	"/etc/systemd/network", "/etc/systemd/networkd.conf",
	"/etc/systemd/networkd.conf.d", "/etc/systemd/resolved.conf",
	"/etc/systemd/resolved.conf.d", "/etc/NetworkManager", "/etc/netplan",
	"/etc/dhcp", "/etc/dhcpcd.conf", "/etc/sysconfig/network",
	"/etc/sysconfig/network-scripts", "/etc/wicked", "/etc/nftables.conf",
	"/etc/iptables", "/etc/firewalld"
};

/** One save while it is made: the manifest grows with each file. */
struct save {
	struct pd_ctx *ctx;
	const char *folder;
	FILE *manifest;
	char *text; /* of the manifest; freed by save_end() */
	size_t len;
	int64_t files;
};

static const char *sha256(struct pd_ctx *ctx, const char *data, size_t len)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(digest) + 1] = "";

	crypto_hash_sha256(digest, (const unsigned char *)data, len);
	return pd_format(ctx, "%s", sodium_bin2hex(hex, sizeof(hex), digest,
						   sizeof(digest)));
}

/* ------------------------------------------------------------- writing */

static int make_folders(struct pd_ctx *ctx, const char *path, mode_t mode)
{
	for (const char *p = strchr(path + 1, '/'); ;
	     p = strchr(p + 1, '/')) {
		const char *part = p ? pd_format(ctx, "%.*s", (int)(p - path),
						 path) : path;

		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return pd_fail(ctx, PD_FAILED, "cannot make folder %s: "
				       "%s", part, strerror(errno));
		if (!p)
			return 0;
	}
}

static int put(struct save *save, const char *name, const char *data, size_t len)
{
	const char *path = pd_format(save->ctx, "%s/%s", save->folder, name);
	const char *slash = strrchr(path, '/');

	if (make_folders(save->ctx, pd_format(save->ctx, "%.*s",
					      (int)(slash - path), path), 0700) < 0 ||
	    pd_write_file(save->ctx, path, 0600, data, len) < 0)
		return PD_FAILED;
	fprintf(save->manifest, "%s  %s\n", sha256(save->ctx, data, len), name);
	save->files++;
	return 0;
}

static int ask(struct save *save, size_t i)
{
	struct pd_ctx *ctx = save->ctx;
	struct pd_command command = { .size = sizeof(command), .flags = 0,
				      .argv = questions[i].argv,
				      .output_max = FILE_MAX };
	struct pd_command_result result = { 0 };
	const char *program = questions[i].argv[0];

	if (questions[i].optional &&
	    access(pd_format(ctx, "/usr/bin/%s", program), X_OK) < 0 &&
	    access(pd_format(ctx, "/usr/sbin/%s", program), X_OK) < 0)
		return 0;
	if (pd_command_run(ctx, &command, &result) < 0)
		return PD_FAILED;
	if (result.status != 0 && questions[i].optional) {
		pd_log(ctx, PD_LOG_INFO, "%s tells nothing (status %d): passed "
		       "over", program, result.status);
		return 0;
	}
	if (result.status != 0)
		return pd_fail(ctx, PD_FAILED, "%s for %s failed with status %d: "
			       "%s; is iproute2 installed?", program,
			       questions[i].file, result.status, result.err);
	return put(save, questions[i].file, result.out, result.out_len);
}

static int copy_file(struct save *save, const char *path)
{
	struct pd_ctx *ctx = save->ctx;
	char *real = realpath(path, NULL);
	const char *data;
	size_t len = 0;

	if (!real) {
		fprintf(save->manifest, "# %s points to nothing\n", path);
		return 0;
	}
	if (strcmp(real, path) != 0)
		fprintf(save->manifest, "# %s is %s\n", path, real);
	data = pd_read_file(ctx, real, FILE_MAX, &len);
	free(real);
	if (!data)
		return pd_fail(ctx, PD_FAILED, "cannot read %s: %s", path,
			       strerror(errno));
	return put(save, pd_format(ctx, "config%s", path), data, len);
}

static int copy_tree(struct save *save, const char *path, int depth)
{
	struct dirent **names = NULL;
	struct stat st;
	int r = 0;
	int n;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 :
			pd_fail(save->ctx, PD_FAILED, "cannot look at %s: %s",
				path, strerror(errno));
	/* a link to a file is followed, a link to a folder could go anywhere */
	if (S_ISREG(st.st_mode) ||
	    (S_ISLNK(st.st_mode) && (stat(path, &st) < 0 || S_ISREG(st.st_mode))))
		return copy_file(save, path);
	if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX)
		return 0;
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		return pd_fail(save->ctx, PD_FAILED, "cannot list %s: %s", path,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (r == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			r = copy_tree(save, pd_format(save->ctx, "%s/%s", path,
						      name), depth + 1);
		free(names[i]);
	}
	free(names);
	return r;
}

/* --------------------------------------------------------------- steps */

/* A folder that is not there yet: a run may save the network twice. */
static const char *free_folder(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	const char *run = *ctx->run ? ctx->run : "manual";

	for (int i = 1;; i++) {
		const char *path = i == 1 ?
			pd_format(ctx, "%s/%s/network-save", args->to, run) :
			pd_format(ctx, "%s/%s/network-save-%d", args->to, run, i);

		if (access(path, F_OK) < 0)
			return path;
	}
}

static int save_all(struct save *save)
{
	int64_t total = (int64_t)(COUNT(questions) + COUNT(config));
	int64_t done = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(questions); i++) {
		pd_progress(save->ctx, done++, total, questions[i].title);
		r = ask(save, i);
	}
	for (size_t i = 0; r == 0 && i < COUNT(config); i++) {
		pd_progress(save->ctx, done++, total, config[i]);
		r = copy_tree(save, config[i], 0);
		if (r == 0 && pd_canceled(save->ctx))
			r = pd_fail(save->ctx, PD_CANCELED, "stopped while saving "
				    "%s", config[i]);
	}
	return r;
}

static int save_end(struct save *save, int r)
{
	struct pd_ctx *ctx = save->ctx;
	const char *path = pd_format(ctx, "%s/" MANIFEST, save->folder);

	fclose(save->manifest);
	if (r == 0)
		r = pd_write_file(ctx, path, 0600, save->text, save->len);
	free(save->text);
	if (r == 0)
		r = pd_evidence(ctx, path, "Digests of the saved network files");
	for (size_t i = 0; r == 0 && i < COUNT(questions); i++) {
		path = pd_format(ctx, "%s/%s", save->folder, questions[i].file);
		if (access(path, F_OK) == 0)
			r = pd_evidence(ctx, path, questions[i].title);
	}
	return r;
}

static int report(struct pd_ctx *ctx, const char *folder, int64_t files)
{
	if (pd_output(ctx, "folder", folder) < 0 ||
	    pd_output(ctx, "files", pd_format(ctx, "%lld", (long long)files)) < 0)
		return PD_FAILED;
	return 0;
}

/* Each file of the manifest is read again; what is counted is returned. */
static int read_back(struct pd_ctx *ctx, const char *folder)
{
	const char *path = pd_format(ctx, "%s/" MANIFEST, folder);
	const char *text = pd_read_file(ctx, path, FILE_MAX, NULL);
	int n = 0;

	if (!text)
		return pd_fail(ctx, PD_FAILED, "cannot read %s: %s", path,
			       strerror(errno));
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *name, *data;
		size_t len = 0;

		if (*text == '#' || strcspn(text, "\n") < 67)
			continue;
		name = pd_format(ctx, "%s/%.*s", folder,
				 (int)strcspn(text + 66, "\n"), text + 66);
		data = pd_read_file(ctx, name, FILE_MAX, &len);
		if (!data)
			return pd_fail(ctx, PD_FAILED, "cannot read back %s: %s",
				       name, strerror(errno));
		if (strncmp(sha256(ctx, data, len), text, 64) != 0)
			return pd_fail(ctx, PD_FAILED, "%s is not what was saved: "
				       "its SHA-256 differs from %s", name, path);
		n++;
	}
	if (n == 0)
		return pd_fail(ctx, PD_FAILED, "%s names no file", path);
	return n;
}

/* Only a save that came to its end has a manifest. */
static int save_check(struct pd_ctx *ctx)
{
	const struct save_args *args = ctx->args;
	const char *folder = pd_recall(ctx, "folder");
	int n;

	if (folder && access(pd_format(ctx, "%s/" MANIFEST, folder), F_OK) == 0) {
		n = read_back(ctx, folder);
		return n < 0 || report(ctx, folder, n) < 0 ? PD_FAILED :
							      PD_UNCHANGED;
	}
	if (store_can_take(ctx, args->to, "the network's state could not be saved") < 0)
		return PD_REFUSED;
	pd_expect(ctx, 2);
	if (pd_output(ctx, "folder", free_folder(ctx)) < 0)
		return PD_FAILED;
	return PD_CHANGED;
}

static int save_apply(struct pd_ctx *ctx)
{
	const char *known = pd_recall(ctx, "folder");
	struct save save = { .ctx = ctx, .folder = known ? known :
							   free_folder(ctx) };
	int r;

	if (pd_remember(ctx, "folder", save.folder) < 0 ||
	    make_folders(ctx, save.folder, 0700) < 0)
		return PD_FAILED;
	save.manifest = open_memstream(&save.text, &save.len);
	if (!save.manifest)
		return pd_fail(ctx, PD_FAILED, "no memory for the manifest");
	r = save_end(&save, save_all(&save));
	if (r == 0)
		r = report(ctx, save.folder, save.files);
	return r < 0 ? r : PD_CHANGED;
}

static int save_verify(struct pd_ctx *ctx)
{
	const char *folder = pd_recall(ctx, "folder");
	int n;

	if (!folder)
		return pd_fail(ctx, PD_FAILED, "nothing has been saved yet");
	n = read_back(ctx, folder);
	return n < 0 || report(ctx, folder, n) < 0 ? PD_FAILED : PD_UNCHANGED;
}

static const struct pd_step save = {
	PD_STEP, .name = "save",
	.help = "save addresses, routes, resolvers, names and configuration",
	.flags = PD_S_NEEDS_ROOT, .reversibility = PD_READONLY,
	.params = params, .args_size = sizeof(struct save_args),
	.outputs = outputs, .check = save_check, .apply = save_apply,
	.verify = save_verify, .expected = 2
};

static const struct pd_step *const steps[] = { &save, NULL };
static const struct pd_scanner *const scanners[] = { &listeners, NULL };

PD_PLUGIN(.name = "network", .version = "1.0",
	  .help = "the server's network: state and configuration as evidence",
	  .steps = steps, .scanners = scanners);
