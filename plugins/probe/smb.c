/* SPDX-License-Identifier: MIT */
/* Step probe.smb: a user reaches a share, lists, writes, reads, deletes. */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BYTES 65536 /* more than one message of the protocol */

struct smb_args {
	const char *share;
	const char *server;
	const char *user;
	const struct pd_secret *password;
	bool guest;
	const char *folder;
	int64_t port;
	int64_t timeout;
};

static const struct pd_param params[] = {
	PD_PARAM(struct smb_args, share, PD_T_STRING, .flags = PD_P_REQUIRED,
		 .help = "name of the share"),
	PD_PARAM(struct smb_args, server, PD_T_STRING, .def = "localhost",
		 .help = "server that offers it"),
	PD_PARAM(struct smb_args, user, PD_T_STRING,
		 .help = "user to log in as, DOMAIN\\user or user"),
	PD_PARAM(struct smb_args, password, PD_T_SECRET,
		 .help = "password of the user"),
	PD_PARAM(struct smb_args, guest, PD_T_BOOL, .def = "false",
		 .help = "log in as a guest, without user and password"),
	PD_PARAM(struct smb_args, folder, PD_T_STRING, .def = "",
		 .help = "folder of the share to write in; empty: its top"),
	PD_PARAM(struct smb_args, port, PD_T_INT, .def = "445", .min = 1,
		 .max = 65535, .help = "TCP port"),
	PROBE_TIMEOUT(smb_args),
	PD_PARAM_END
};

static const struct pd_output outputs[] = { PROBE_MILLISECONDS,
					    PD_OUTPUT_END };

/* What samba answers, and what to do about it. */
static const struct { const char *status, *remedy; bool passing; } answers[] = {
	{ "NT_STATUS_LOGON_FAILURE", "check user and password (pdbedit -L "
	  "shows whom samba knows)", false },
	{ "NT_STATUS_ACCESS_DENIED", "check valid users, read only and the "
	  "permissions of the folder", false },
	{ "NT_STATUS_BAD_NETWORK_NAME", "there is no such share: see "
	  "testparm -s", false },
	{ "NT_STATUS_OBJECT_NAME_NOT_FOUND", "there is no such folder in the "
	  "share", false },
	{ "NT_STATUS_OBJECT_PATH_NOT_FOUND", "there is no such folder in the "
	  "share", false },
	{ "NT_STATUS_MEDIA_WRITE_PROTECTED", "the share is read only", false },
	{ "NT_STATUS_DISK_FULL", "make room on the volume of the share", false },
	{ "NT_STATUS_QUOTA_EXCEEDED", "the quota of the user is used up",
	  false },
	{ "NT_STATUS_ACCOUNT_DISABLED", "enable the account: smbpasswd -e",
	  false },
	{ "NT_STATUS_ACCOUNT_LOCKED_OUT", "unlock the account: pdbedit -z",
	  false },
	{ "NT_STATUS_PASSWORD_EXPIRED", "the user has to set a new password",
	  false },
	{ "NT_STATUS_PASSWORD_MUST_CHANGE", "the user has to set a new "
	  "password", false },
	{ "NT_STATUS_CONNECTION_REFUSED", "does smbd run? See systemctl status "
	  "smbd", true },
	{ "NT_STATUS_CONNECTION_RESET", "see smbd's log", true },
	{ "NT_STATUS_CONNECTION_DISCONNECTED", "see smbd's log", true },
	{ "NT_STATUS_HOST_UNREACHABLE", "check network and firewall", true },
	{ "NT_STATUS_NETWORK_UNREACHABLE", "check network and firewall", true },
	{ "NT_STATUS_IO_TIMEOUT", "check network, firewall and the name "
	  "service of the server", true },
	{ "NT_STATUS_NO_LOGON_SERVERS", "is a domain controller reachable?",
	  true },
	{ "NT_STATUS_RESOURCE_NAME_NOT_FOUND", "the name of the server can't "
	  "be looked up", true },
};

struct smb {
	const struct smb_args *args;
	char sent[BYTES];
};

static bool names_status(const char *line)
{
	return strstr(line, "NT_STATUS_") != NULL;
}

/* The first NT_STATUS_... in what smbclient says, or "". */
static const char *status_of(struct pd_ctx *ctx, const char *text)
{
	const char *at = strstr(text, "NT_STATUS_");

	return at ? pd_format(ctx, "%.*s",
			      (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
					      "0123456789"), at) : "";
}

static enum outcome judge(struct probe *probe, const struct smb_args *args,
			  const char *stage, const struct pd_command_result *r)
{
	struct pd_ctx *ctx = probe->ctx;
	/* errors of commands come on standard output, of the login on error */
	const char *said = names_status(r->err) ? r->err : r->out;
	const char *status = status_of(ctx, said);
	const char *who = args->guest ? "a guest" : args->user;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (strcmp(answers[i].status, status) == 0)
			return probe_why(probe, answers[i].passing ? NOT_YET :
						NEVER,
					 "%s of //%s/%s as %s fails: %s; %s",
					 stage, args->server, args->share, who,
					 status, answers[i].remedy);
	return probe_why(probe, NEVER, "%s of //%s/%s as %s fails: %.300s "
			 "(smbclient ended with %d)", stage, args->server,
			 args->share, who, *status ? status : *r->err ? r->err :
			 r->out, r->status);
}

/* Run commands of smbclient on the share.  The password goes in by standard
 * input: it is never among the arguments and in no file. */
static enum outcome talk(struct probe *probe, const struct smb_args *args,
			 const char *folder, const char *commands,
			 struct pd_command_result *r)
{
	struct pd_ctx *ctx = probe->ctx;
	static const char *const env[] = { "PASSWD_FD=0", NULL };
	int64_t patience = probe_left(probe);
	const char *argv[] = {
		"smbclient", pd_format(ctx, "//%s/%s", args->server, args->share),
		"-p", pd_format(ctx, "%lld", (long long)args->port), "-t",
		pd_format(ctx, "%lld", (long long)(patience > 20 ? 20 : patience)),
		"-c", commands, "-U", args->guest ? "%" : args->user,
		*folder ? "-D" : NULL, folder, NULL
	};
	struct pd_command command = {
		.size = sizeof(command),
		.argv = argv,
		.env = args->guest ? NULL : env,
		.input_secret = args->guest ? NULL : args->password,
		.directory = ctx->work_dir,
		.time_limit = patience + 30, /* smbclient gives up by itself */
	};

	return pd_command_run(ctx, &command, r) ?
		probe_why(probe, NEVER, "smbclient did not end in time") : PASSED;
}

static enum outcome stage(struct probe *probe, const struct smb_args *args,
			  const char *name, const char *folder,
			  const char *commands)
{
	struct pd_command_result r = { 0 };
	int64_t start = now_ms();
	enum outcome outcome = talk(probe, args, folder, commands, &r);

	if (outcome != PASSED)
		return outcome;
	/* `ls` and `del` tell an error and end with 0 all the same */
	if (r.status != 0 || strncmp(r.out, "NT_STATUS_", 10) == 0 ||
	    strstr(r.out, "\nNT_STATUS_") || strstr(r.err, "\nNT_STATUS_"))
		return judge(probe, args, name, &r);
	probe_note(probe, "%s: %lld ms", name, (long long)(now_ms() - start));
	return PASSED;
}

static enum outcome compare(struct probe *probe, const struct smb *smb)
{
	size_t len = 0;
	const char *path = pd_format(probe->ctx, "%s/received",
				     probe->ctx->work_dir);
	const char *back = pd_read_file(probe->ctx, path, BYTES * 2, &len);

	if (!back)
		return probe_why(probe, NEVER, "compare fails: nothing was read "
				 "back from //%s/%s", smb->args->server,
				 smb->args->share);
	if (len != BYTES || memcmp(back, smb->sent, BYTES) != 0)
		return probe_why(probe, NEVER, "compare fails: //%s/%s gives "
				 "back %zu bytes that are not the %d that were "
				 "written; check the volume of the share",
				 smb->args->server, smb->args->share, len, BYTES);
	probe_note(probe, "compare: %d bytes are the same", BYTES);
	return PASSED;
}

/* Gone?  Some servers say that they deleted, and did not. */
static enum outcome check_gone(struct probe *probe, const struct smb_args *args,
			       const char *name)
{
	struct pd_command_result r = { 0 };
	enum outcome outcome = talk(probe, args, args->folder,
				    pd_format(probe->ctx, "ls \"%s\"", name), &r);

	if (outcome != PASSED)
		return outcome;
	if (strstr(r.out, "NT_STATUS_NO_SUCH_FILE") ||
	    strstr(r.out, "NT_STATUS_OBJECT_NAME_NOT_FOUND"))
		return PASSED;
	return probe_why(probe, NEVER, "delete of %s in //%s/%s fails: it is "
			 "still there; check the permissions of the folder",
			 name, args->server, args->share);
}

static enum outcome use_file(struct probe *probe, const struct smb *smb,
			     const char *name)
{
	const struct smb_args *args = smb->args;
	const char *put = pd_format(probe->ctx, "put sent \"%s\"", name);
	const char *get = pd_format(probe->ctx, "get \"%s\" received", name);
	const char *del = pd_format(probe->ctx, "del \"%s\"", name);
	enum outcome outcome = stage(probe, args, "write", args->folder, put);
	const char *why = NULL;

	if (outcome == PASSED)
		outcome = stage(probe, args, "read", args->folder, get);
	if (outcome == PASSED)
		outcome = compare(probe, smb);
	why = probe->why; /* of the stage that failed, not of the clean-up */
	if (outcome != PASSED) {
		struct pd_command_result r = { 0 };

		talk(probe, args, args->folder, del, &r);
		probe->why = why;
		return outcome;
	}
	outcome = stage(probe, args, "delete", args->folder, del);
	return outcome == PASSED ? check_gone(probe, args, name) : outcome;
}

static enum outcome attempt(struct probe *probe, void *user)
{
	const struct smb *smb = user;
	struct pd_ctx *ctx = probe->ctx;
	const char *name = pd_recall(ctx, "file");
	enum outcome outcome = probe_lookup(probe, smb->args->server);

	if (outcome == PASSED)
		outcome = stage(probe, smb->args, "connect", "", "pwd");
	if (outcome == PASSED)
		outcome = stage(probe, smb->args, "list", smb->args->folder,
				"ls");
	if (outcome == PASSED) {
		struct pd_command_result r = { 0 };

		/* of an attempt that was cut short */
		if (pd_recall(ctx, "written"))
			talk(probe, smb->args, smb->args->folder,
			     pd_format(ctx, "del \"%s\"", name), &r);
		if (pd_remember(ctx, "written", "1"))
			return probe_why(probe, NEVER, "nothing to remember by");
		outcome = use_file(probe, smb, name);
	}
	unlink(pd_format(ctx, "%s/received", ctx->work_dir));
	return outcome;
}

static bool plain(const char *text, const char *without)
{
	return !text || (!strpbrk(text, without) && !strpbrk(text, "\"\n\r;") &&
			 text[0] != '-');
}

/* Is one of the names of a path in a share ".."? */
static bool goes_up(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/\\");

		if (len == 2 && strncmp(path, "..", 2) == 0)
			return true;
		path += len;
		path += strspn(path, "/\\");
	}
	return false;
}

static int check(struct pd_ctx *ctx)
{
	const struct smb_args *args = ctx->args;
	int rc = 0;

	if (args->guest ? args->user || args->password :
			  !args->user || !args->password)
		return pd_fail(ctx, PD_BAD_ARGS, "say who tries the share: "
			       "either user and password, or guest = true");
	if (!*args->share || !plain(args->share, "/\\") ||
	    !plain(args->server, "/\\") || !plain(args->user, "%") ||
	    !plain(args->folder, ""))
		return pd_fail(ctx, PD_BAD_ARGS, "share is the name alone, "
			       "without // and server; no %% in user, no "
			       "quotation marks or semicolons in any of them");
	if (goes_up(args->folder))
		return pd_fail(ctx, PD_BAD_ARGS, "folder is \"%s\"; write a folder "
			       "below the top of the share, without ..", args->folder);
	rc = probe_tool(ctx, "smbclient", "install the package smbclient "
			"(samba-client)");
	return rc == PD_CHANGED ? probe_host(ctx, args->server) : rc;
}

static int apply(struct pd_ctx *ctx)
{
	const struct smb_args *args = ctx->args;
	struct smb *smb = pd_alloc_for(ctx, sizeof(*smb));
	uint64_t number = 0;

	smb->args = args;
	for (size_t i = 0; i < BYTES; i += 256) /* never less than 256 at once */
		if (getrandom(smb->sent + i, 256, 0) != 256)
			return pd_fail(ctx, PD_FAILED, "no random bytes: %s",
				       strerror(errno));
	memcpy(&number, smb->sent, sizeof(number));
	if (!pd_recall(ctx, "file") &&
	    pd_remember(ctx, "file", pd_format(ctx, "patchday-probe-%016llx.tmp",
					       (unsigned long long)number)))
		return PD_FAILED;
	if (pd_write_file(ctx, pd_format(ctx, "%s/sent", ctx->work_dir), 0600,
			  smb->sent, BYTES))
		return PD_FAILED;
	return probe_run(ctx, args->timeout, attempt, smb);
}

const struct pd_step step_smb = {
	PD_STEP,
	.name = "smb",
	.help = "reach a share as a user: list, write, read back, delete",
	.params = params,
	.args_size = sizeof(struct smb_args),
	.outputs = outputs,
	.check = check,
	.apply = apply,
	.verify = probe_verify,
	.reversibility = PD_READONLY,
	.time_limit = 90000,
	.expected = 2,
};
