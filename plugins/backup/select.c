/* SPDX-License-Identifier: MIT */
/* Chooses members of an archive, extracts them and compares them with the
 * disk; hard links stay links, also when only some of their names are chosen. */
#include "backup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTRACT_FLAGS                                                         \
	(ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |  \
	 ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_FFLAGS | \
	 ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |    \
	 ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS | ARCHIVE_EXTRACT_SAFE_WRITES)

/* A name that leads out of the folder is nothing that we have written. */
static bool sound_name(const char *name)
{
	for (const char *p = name; *p; p += strcspn(p, "/"), p += *p == '/') {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return *name != '\0';
}

/* The member's name without the slash that ends a folder's; NULL, reported. */
static const char *member_name(struct pd_ctx *ctx, struct archive_entry *e,
			       char name[PATH_MAX])
{
	int len = snprintf(name, PATH_MAX, "%s", archive_entry_pathname(e));

	if (len > 1 && len < PATH_MAX && name[len - 1] == '/')
		name[len - 1] = '\0';
	if (len < PATH_MAX && sound_name(name))
		return name;
	pd_fail(ctx, PD_FAILED, "the archive has a member named %s, which a backup "
		"never has; it was made by somebody else", name);
	return NULL;
}

struct choosing {
	const struct pd_list *paths;
	struct selection *s;
	bool *found; /* for each of paths */
};

/* Folders on the way to a chosen path are chosen when they are missing. */
static bool chosen(struct choosing *c, const char *name, bool folder)
{
	size_t len = strlen(name);
	struct stat st = { 0 };
	bool yes = c->paths->len == 0;

	if (strncmp(name, BUNDLE_META, sizeof(BUNDLE_META) - 1) == 0)
		return false;
	for (size_t i = 0; i < c->paths->len; i++) {
		const char *path = c->paths->items[i] + 1;
		size_t n = strlen(path);

		if (strncmp(name, path, n) == 0 && (name[n] == '/' || name[n] == '\0'))
			yes = c->found[i] = true;
		else if (folder && n > len && strncmp(name, path, len) == 0 &&
			 path[len] == '/' && !look_at(name, &st))
			yes = true;
	}
	return yes;
}

static const char *find_moved(const struct selection *s, const char *name)
{
	const char *p = s->moved.data;

	while (p && p < s->moved.data + s->moved.len) {
		const char *link = p + strlen(p) + 1;

		if (strcmp(p, name) == 0)
			return link;
		p = link + strlen(link) + 1;
	}
	return NULL;
}

/* Linear, but only asked for links whose first name was not chosen. */
static bool listed(const struct selection *s, const char *name)
{
	const char *p = s->text.data;

	while (p && p < s->text.data + s->text.len) {
		if (strcmp(p + 1, name) == 0)
			return true;
		p += strlen(p) + 1;
	}
	return false;
}

static int choose_member(struct pd_ctx *ctx, struct archive *a,
			 struct archive_entry *e, void *user)
{
	struct choosing *c = user;
	bool folder = archive_entry_filetype(e) == AE_IFDIR;
	const char *target = archive_entry_hardlink(e);
	char buffer[PATH_MAX];
	const char *name = member_name(ctx, e, buffer);

	(void)a;
	if (!name)
		return PD_FAILED;
	if (!chosen(c, name, folder))
		return 0;
	bundle_text_add(&c->s->text, folder ? "d" : "f", 1);
	bundle_text_add(&c->s->text, name, strlen(name) + 1);
	c->s->count++;
	if (!target)
		c->s->bytes += archive_entry_size(e);
	if (target && c->paths->len > 0 && !listed(c->s, target) &&
	    !find_moved(c->s, target)) {
		bundle_text_add(&c->s->moved, target, strlen(target) + 1);
		bundle_text_add(&c->s->moved, name, strlen(name) + 1);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int selection_make(struct pd_ctx *ctx, const char *archive,
		   const struct pd_list *paths, struct selection *s)
{
	struct choosing c = { .paths = paths, .s = s };
	const char *p = NULL;
	int status = 0;

	*s = (struct selection){ 0 };
	c.found = pd_alloc_for(ctx, paths->len + 1);
	status = bundle_each(ctx, archive, choose_member, &c, NULL, NULL);
	if (status < 0)
		return status;
	for (size_t i = 0; i < paths->len; i++)
		if (!c.found[i])
			return pd_fail(ctx, PD_BAD_ARGS, "%s is not in the archive %s; "
				       "look at its manifest for what is",
				       paths->items[i], archive);
	s->sorted = pd_alloc_for(ctx, (s->count + 1) * sizeof(*s->sorted));
	p = s->text.data;
	for (size_t i = 0; i < s->count; i++, p += strlen(p) + 1)
		s->sorted[i] = p + 1;
	qsort(s->sorted, s->count, sizeof(*s->sorted), by_text);
	return 0;
}

bool selection_has(const struct selection *s, const char *name)
{
	return s->count > 0 && bsearch(&name, s->sorted, s->count,
				       sizeof(*s->sorted), by_text);
}

void selection_free(struct selection *s)
{
	bundle_text_free(&s->text);
	bundle_text_free(&s->moved);
}

/* -------------------------------------------------------------- extraction */

struct extraction {
	const struct selection *s;
	struct archive *disk;
	struct archive_entry **folders; /* finished last, so stripped last */
	size_t folder_count;
	size_t done;
};

/* Point the entry to the name that it gets.  False: nothing to extract. */
static bool settle_name(const struct selection *s, struct archive_entry *e,
			const char *name)
{
	const char *target = archive_entry_hardlink(e);
	const char *moved = find_moved(s, target ? target : name);

	if (!selection_has(s, name)) {
		if (target || !moved)
			return false;
		archive_entry_copy_pathname(e, moved);
		return true;
	}
	archive_entry_copy_pathname(e, name);
	if (target && moved && strcmp(moved, name) == 0)
		return false; /* it has got the content already */
	if (target && moved)
		archive_entry_copy_hardlink(e, moved);
	return true;
}

static int disk_failed(struct pd_ctx *ctx, struct archive_entry *e,
		       struct archive *a)
{
	return pd_fail(ctx, PD_FAILED, "can't write %s: %s",
		       archive_entry_pathname(e), archive_error_string(a));
}

static int copy_data(struct pd_ctx *ctx, struct archive *from, struct archive *to,
		     struct archive_entry *e)
{
	const void *data = NULL;
	la_int64_t offset = 0;
	size_t len = 0;
	int status = 0;

	while ((status = archive_read_data_block(from, &data, &len, &offset)) ==
	       ARCHIVE_OK) {
		if (pd_canceled(ctx))
			return pd_fail(ctx, PD_CANCELED, "stopped while %s was written",
				       archive_entry_pathname(e));
		if (archive_write_data_block(to, data, len, offset) < ARCHIVE_OK)
			return disk_failed(ctx, e, to);
	}
	if (status != ARCHIVE_EOF)
		return disk_failed(ctx, e, from);
	return 0;
}

/* libarchive replaces a regular file by a regular file without a gap.  All
 * else it does not tell apart there, so what is in the way goes first. */
static int make_way(struct pd_ctx *ctx, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	struct stat st = { 0 };

	if (!look_at(name, &st))
		return 0;
	if (S_ISREG(st.st_mode) && bundle_has_content(e))
		return 0;
	if (S_ISDIR(st.st_mode) && archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	if (remove(name) == 0)
		return 0;
	return pd_fail(ctx, PD_FAILED, "can't replace %s: %s", name, strerror(errno));
}

static int extract_member(struct pd_ctx *ctx, struct archive *a,
			  struct archive_entry *e, void *user)
{
	struct extraction *x = user;
	char buffer[PATH_MAX];
	const char *name = member_name(ctx, e, buffer);
	int status = 0;

	if (!name)
		return PD_FAILED;
	if (!settle_name(x->s, e, name))
		return 0;
	status = make_way(ctx, e);
	if (status < 0)
		return status;
	if (archive_write_header(x->disk, e) < ARCHIVE_WARN)
		return disk_failed(ctx, e, x->disk);
	status = bundle_has_content(e) ? copy_data(ctx, a, x->disk, e) : 0;
	if (status < 0)
		return status;
	status = archive_write_finish_entry(x->disk);
	if (status < ARCHIVE_WARN)
		return disk_failed(ctx, e, x->disk);
	if (status == ARCHIVE_WARN)
		pd_log(ctx, PD_LOG_WARN, "%s: %s", archive_entry_pathname(e),
		       archive_error_string(x->disk));
	if (archive_entry_filetype(e) == AE_IFDIR)
		x->folders[x->folder_count++] = archive_entry_clone(e);
	else if (!archive_entry_hardlink(e))
		strip_attributes(e, archive_entry_pathname(e));
	pd_progress(ctx, (int64_t)++x->done, (int64_t)x->s->count,
		    archive_entry_pathname(e));
	return 0;
}

int selection_extract(struct pd_ctx *ctx, const char *archive,
		      const struct selection *s)
{
	struct extraction x = { .s = s, .disk = archive_write_disk_new() };
	int status = 0;

	x.folders = pd_alloc_for(ctx, (s->count + 1) * sizeof(struct archive_entry *));
	archive_write_disk_set_options(x.disk, EXTRACT_FLAGS);
	status = bundle_each(ctx, archive, extract_member, &x, NULL, NULL);
	/* sets the folders' modes and times, also when something failed */
	if (archive_write_close(x.disk) < ARCHIVE_WARN && status == 0)
		status = pd_fail(ctx, PD_FAILED, "can't set the modes of folders: %s",
				 archive_error_string(x.disk));
	/* a folder after all that lies in it, because of its time */
	while (x.folder_count > 0) {
		struct archive_entry *e = x.folders[--x.folder_count];
		const char *name = archive_entry_pathname(e);

		if (!finish_folder(e, name) && status == 0)
			status = pd_fail(ctx, PD_FAILED, "can't set mode, ACL or time of "
					 "the folder %s: %s", name, strerror(errno));
		archive_entry_free(e);
	}
	archive_write_free(x.disk);
	return status;
}

struct comparison {
	const struct selection *s;
	const char **first;
	int64_t different;
};

static int compare_one(struct pd_ctx *ctx, struct archive *a,
		       struct archive_entry *e, void *user)
{
	struct comparison *c = user;
	char buffer[PATH_MAX];
	const char *name = member_name(ctx, e, buffer);
	const char *what = NULL;

	if (!name)
		return PD_FAILED;
	if (!settle_name(c->s, e, name))
		return 0;
	what = compare_member(ctx, a, e, archive_entry_pathname(e));
	if (what && c->different++ == 0)
		*c->first = pd_format(ctx, "%s: %s", archive_entry_pathname(e), what);
	return 0;
}

int64_t selection_compare(struct pd_ctx *ctx, const char *archive,
			  const struct selection *s, const char **first)
{
	struct comparison c = { .s = s, .first = first };
	int status = bundle_each(ctx, archive, compare_one, &c, NULL, NULL);

	return status < 0 ? status : c.different;
}
