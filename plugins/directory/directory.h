/* SPDX-License-Identifier: MIT */
/* Inside of the plugin directory: a domain controller by Samba's own tools. */
#ifndef PD_PLUGIN_DIRECTORY_H
#define PD_PLUGIN_DIRECTORY_H

#include "../probe/probe.h"

#include <patchday/plugin.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define OUTPUT_MAX ((size_t)64 << 20)

/** This server, as its smb.conf has it. */
struct domain {
	struct pd_ctx *ctx;
	const char *name;    /**< "dc1" */
	const char *account; /**< "DC1$" */
	const char *host;    /**< "dc1.lab.example" */
	const char *dns;     /**< "lab.example" */
	const char *realm;   /**< "LAB.EXAMPLE" */
	const char *secrets; /**< folder of its databases and keys */
	const char *ticket;  /**< file; NULL: no ticket was got */
	const char *krb5;    /**< configuration that asks one server; NULL: the system's */
	int64_t patience;    /**< seconds for a program to end; 0: what the step has */
};

/* --------------------------------------------------------------- domain.c */

/** Are Samba's tools here? */
HIDDEN bool domain_tools(void);

/** What smb.conf says.  @return 1 if this server is a domain controller, 0 with its
 * *role if not, or below zero, reported. */
HIDDEN int PD_MUST_USE domain_read(struct pd_ctx *ctx, struct domain *d, const char **role);

/** @return 0, PD_REFUSED when this server is no domain controller, or below
 * zero, reported. */
HIDDEN int PD_MUST_USE domain_find(struct pd_ctx *ctx, struct domain *d);

/** Does the directory of this server answer?  For the check of a dry run alone: in a run it
 * may be on its way up, and apply waits for it.  @return 0, or PD_REFUSED, reported. */
HIDDEN int PD_MUST_USE domain_answers(const struct domain *d);

/** Run a program with the ticket, if there is one.  @return 0 when it ended well, 1
 * with its last words in *why, or below zero, reported. */
HIDDEN int PD_MUST_USE domain_run(const struct domain *d, const char *const argv[],
				  const struct pd_secret *input, struct pd_command_result *result,
				  const char **why);

/** The same, where a refusal is a failure: "@p what: ...". */
HIDDEN int PD_MUST_USE domain_must(const struct domain *d, const char *const argv[], const char *what,
				   struct pd_command_result *result);

/** Log in: a file in work_dir, until ticket_drop().  @param user NULL: this
 * server itself, by its key; @param kdc NULL: any.  @return as domain_run(). */
HIDDEN int PD_MUST_USE ticket_get(struct domain *d, const char *user, const struct pd_secret *password,
				  const char *kdc, const char **why);
HIDDEN void ticket_drop(struct domain *d);
/** The option that has a tool of Samba's use the ticket. */
HIDDEN const char *ticket_option(const struct domain *d);

/** Copy in lower case. */
HIDDEN const char *lower(struct pd_ctx *ctx, const char *text);
/** Is @p text an item of the list? */
HIDDEN bool list_has(const struct pd_list *list, const char *text);

/** Write a file into work_dir, as evidence. */
HIDDEN int PD_MUST_USE evidence_text(struct pd_ctx *ctx, const char *file, const char *text, const char *title);

/* ---------------------------------------------------------------- roles.c */

#define ROLES 7
extern const char *const role_names[] HIDDEN; /**< as samba-tool transfers them; ends with NULL */

/** Names of the servers that hold the roles, in lower case; NULL: nobody does. */
struct owners {
	const char *of[ROLES];
};

/** @param server NULL: as the database of this server has it, which need not
 * run; else what that server says.  @return as domain_run(). */
HIDDEN int PD_MUST_USE owners_read(const struct domain *d, const char *server, struct owners *out,
				   const char **why);

extern const struct pd_step directory_probe HIDDEN;
extern const struct pd_step directory_replication HIDDEN;
extern const struct pd_step directory_roles HIDDEN;
extern const struct pd_step directory_transfer HIDDEN;
extern const struct pd_step directory_backup HIDDEN;
extern const struct pd_step directory_dbcheck HIDDEN;

#endif
