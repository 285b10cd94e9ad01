/* SPDX-License-Identifier: MIT */
/* Verdicts to show: all of a catalog in their order, and as JSON. */
#include "catalog/model.h"

char *pd_installed_reason(const char *package, const char *version, uint32_t n)
{
	return n == 1 ? pd_texts(package, " ", version, " is installed", NULL) :
	       pd_print("%s %s is installed, and %u more", package, version, n - 1);
}

char *pd_absent_reason(const char *package, uint32_t n)
{
	return n == 1 && *package ? pd_texts(package, " is not installed", NULL) :
	       pd_print("none of its %u packages is installed", n);
}

enum pd_verdict pd_brief_verdict(const struct pd_catalog_brief *b)
{
	return b->installed && b->status != PD_STATUS_RETIRED ? PD_VERDICT_INSTALLED :
								PD_VERDICT_NOT_APPLICABLE;
}

void pd_catalog_count(const struct pd_catalog *c, int64_t *counts)
{
	for (size_t i = 0; i < c->n_briefs; i++)
		counts[pd_brief_verdict(&c->briefs[i])] += c->briefs[i].id != NULL;
}

static char *brief_reason(const struct pd_catalog_brief *b)
{
	if (b->status == PD_STATUS_RETIRED)
		return pd_strdup("it was withdrawn");
	return b->installed ? pd_installed_reason(b->package, b->installed, b->packages) :
			      pd_absent_reason(b->package, b->packages);
}

const char *pd_verdict_reason(struct pd_verdict_walk *w)
{
	if (w->row && w->row->late)
		pd_judge_late((struct pd_verdict_row *)(uintptr_t)w->row);
	free(w->made);
	w->made = w->brief ? brief_reason(w->brief) : NULL;
	return w->made ? w->made : w->row->reason ? w->row->reason : "";
}

void pd_verdicts_clear(struct pd_verdicts *v)
{
	for (size_t i = 0; i < v->len; i++) {
		if (v->rows[i].late) /* nothing was made of it yet */
			continue;
		free(v->rows[i].reason);
		free(v->rows[i].needed);
		free(v->rows[i].installed);
		free(v->rows[i].olds);
	}
	free(v->rows);
	*v = (struct pd_verdicts){0};
}

void pd_verdict_walk_clear(struct pd_verdict_walk *w)
{
	free(w->made);
	*w = (struct pd_verdict_walk){0};
}

static void show_row(struct pd_verdict_walk *w, struct pd_verdict_row *row)
{
	const struct pd_catalog_update *u = row->update;

	if (row->late && row->verdict == PD_VERDICT_NEEDED)
		pd_judge_late(row);
	w->row = row;
	w->brief = NULL;
	w->id = u->id;
	w->revision = u->revision;
	w->verdict = row->verdict;
	w->severity = u->severity;
	w->kind = u->kind;
	w->restart = pd_verdict_restart(row);
	w->barred = u->barred;
}

static void show_brief(struct pd_verdict_walk *w, const struct pd_catalog_brief *b)
{
	w->row = NULL;
	w->brief = b;
	w->id = b->id;
	w->revision = b->revision;
	w->verdict = pd_brief_verdict(b);
	w->severity = b->severity;
	w->kind = b->kind;
	w->restart = b->restart;
	w->barred = b->barred;
}

bool pd_verdict_next(const struct pd_catalogs *list, const struct pd_verdicts *v,
		     const bool *only, struct pd_verdict_walk *w)
{
	for (; w->at < list->len; w->at++, w->next_brief = 0) {
		const struct pd_catalog *c = w->catalog = list->items[w->at];
		struct pd_verdict_row *row = &v->rows[w->next_row];
		const struct pd_verdict_row *end = v->rows + v->len;
		const struct pd_catalog_brief *brief;
		bool rows;

		while (row < end && row->catalog == c && !only[row->verdict])
			row++;
		rows = row < end && row->catalog == c;
		w->next_row = (size_t)(row - v->rows);
		while (w->next_brief < c->n_briefs && !c->briefs[w->next_brief].id)
			w->next_brief++;
		brief = w->next_brief < c->n_briefs ? &c->briefs[w->next_brief] : NULL;
		if (rows && (!brief || row->update->place < brief->place)) {
			show_row(w, row);
			w->next_row++;
			return true;
		}
		if (brief) {
			show_brief(w, brief);
			w->next_brief++;
			return true;
		}
	}
	return false;
}

/* What the packages that are going to change ask for, if they say so. */
unsigned pd_verdict_restart(const struct pd_verdict_row *row)
{
	unsigned restart = PD_RESTART_UNKNOWN;

	for (uint32_t i = 0; i < row->n_needed; i++)
		if (row->update->packages[row->needed[i]].restart > restart)
			restart = row->update->packages[row->needed[i]].restart;
	return restart ? restart : row->update->restart;
}

static const char *sha256_of(const struct pd_payload *file)
{
	return file && strncmp(file->digest, "sha256:", 7) == 0 ? file->digest + 7 : "";
}

char *pd_trust_text(const struct pd_catalog *c, const struct pd_catalog_update *u)
{
	bool own = !c->path && *u->trust; /* who reads the server itself has proved each, or says why not */

	return pd_print("%s%s%s", own ? "" : c->trust ? c->trust : "not signed",
			own || !*u->trust ? "" : "; on record: ", u->trust);
}

json_t *pd_verdict_json(const struct pd_verdict_row *row)
{
	const struct pd_catalog_update *u = row->update;
	pd_auto_free char *trust = pd_trust_text(row->catalog, u);
	json_t *packages = json_array();

	for (uint32_t i = 0; i < row->n_needed; i++) {
		const struct pd_package_row *p = &u->packages[row->needed[i]];
		const struct pd_payload *file = p->payload ? &u->payloads[p->payload - 1] : NULL;

		json_array_append_new(packages, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", p->name,
			"version", p->version, "arch", p->arch, "scheme",
			pd_scheme_name(p->scheme), "installed", row->installed[i],
			"url", file ? file->url : "",
			"sha256", sha256_of(file),
			"bytes", (json_int_t)(file ? file->bytes : -1)));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o*}",
			 "catalog", row->catalog->name, "trust", trust, "id", u->id,
			 "revision", u->revision, "title", u->title,
			 "severity", pd_severity_name(u->severity),
			 "kind", pd_class_name(u->kind),
			 "restart", pd_restart_name(pd_verdict_restart(row)), "packages", packages,
			 "expected", u->expected > 0 ? json_integer(u->expected) : NULL);
}

/* How much of a text JSON takes as it is; eight bytes at a time as long as none of
 * them could be another one. */
static size_t plain(const char *s, size_t len)
{
	static const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t n = 0;

	for (uint64_t w, q, b; n + sizeof(w) <= len; n += sizeof(w)) {
		memcpy(&w, s + n, sizeof(w));
		q = w ^ ones * '"';
		b = w ^ ones * '\\';
		if ((((w - ones * ' ') & ~w) | ((q - ones) & ~q) | ((b - ones) & ~b)) & tops)
			break;
	}
	while (n < len && (unsigned char)s[n] >= ' ' && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* The text and a quote, with all that JSON does not allow escaped. */
static void quote(struct pd_buffer *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t len = strlen(text);;) {
		char escaped[6] = "\\u00";
		size_t n = plain(text, len);

		pd_buffer_add(out, text, n);
		text += n;
		len -= n;
		if (!len--)
			break;
		escaped[4] = hex[(unsigned char)*text >> 4];
		escaped[5] = hex[*text++ & 15];
		pd_buffer_add(out, escaped, sizeof(escaped));
	}
	pd_buffer_add(out, "\"", 1);
}

/* What is written in the source: how long it is need not be counted. */
#define PUT(out, words) pd_buffer_add(out, words, sizeof(words) - 1)
#define MEMBER(out, before, name, text) (PUT(out, before "\"" name "\":\""), quote(out, text))

static void number(struct pd_buffer *out, const char *name, int64_t n)
{
	pd_buffer_print(out, ",\"%s\":%lld", name, (long long)n);
}

static void add_package(struct pd_buffer *out, const struct pd_verdict_row *row,
			const struct pd_package_row *p, const char *installed, bool fixed)
{
	const struct pd_payload *file = p->payload ? &row->update->payloads[p->payload - 1] : NULL;

	if (out->data[out->len - 1] != '[')
		PUT(out, ",");
	MEMBER(out, "{", "arch", p->arch);
	if (!fixed) {
		number(out, "bytes", file ? file->bytes : -1);
		MEMBER(out, ",", "installed", installed);
	}
	MEMBER(out, ",", "name", p->name);
	if (!fixed) {
		MEMBER(out, ",", "scheme", pd_scheme_name(p->scheme));
		MEMBER(out, ",", "sha256", sha256_of(file));
		MEMBER(out, ",", "url", file ? file->url : "");
	}
	MEMBER(out, ",", "version", p->version);
	PUT(out, "}");
}

static void add_packages(struct pd_buffer *out, const struct pd_verdict_row *row, bool fixed)
{
	for (uint32_t i = 0; i < row->n_needed; i++)
		add_package(out, row, &row->update->packages[row->needed[i]], row->installed[i], fixed);
	for (uint32_t i = 0; i < row->n_olds; i++) {
		const struct pd_old *old = &row->olds[i];
		const struct pd_package_row p = { .scheme = old->rule->scheme,
			.version = old->rule->value + (strncmp(old->rule->value, "0:", 2) ? 0 : 2),
			.name = pd_json_text(old->package, "name", ""),
			.arch = pd_json_text(old->package, "arch", "") };

		add_package(out, row, &p, pd_json_text(old->package, "version", ""), fixed);
	}
}

/* The text, and blanks up to the next column, at least one. */
static void column(struct pd_buffer *out, const char *text, size_t width)
{
	static const char blanks[] = "                                         ";
	size_t places = 0;

	for (const char *s = text; *s; s++)
		places += (*s & 0xc0) != 0x80; /* what continues a character takes no place */
	pd_buffer_text(out, text);
	pd_buffer_add(out, blanks, places < width ? width + 1 - places : 1);
}

void pd_verdict_text(struct pd_verdict_walk *w, const char *mark, struct pd_buffer *out)
{
	column(out, pd_verdict_name(w->verdict), 15);
	column(out, pd_severity_name(w->severity), 10);
	column(out, w->id, 40);
	pd_buffer_text(out, w->barred ? mark : "");
	pd_buffer_text(out, pd_verdict_reason(w));
	PUT(out, "\n");
}

/* As json_dumps() with sorted keys writes it. */
void pd_verdict_line(struct pd_verdict_walk *w, bool fixed, const char *server,
		     struct pd_buffer *out)
{
	const struct pd_catalog_update *u = w->row && !fixed ? w->row->update : NULL;
	pd_auto_free char *trust = u ? pd_trust_text(w->catalog, u) : NULL;

	PUT(out, "{");
	if (w->catalog->approvals && !fixed)
		pd_buffer_text(out, w->barred ? "\"approved\":false," : "\"approved\":true,");
	MEMBER(out, "", "catalog", w->catalog->name);
	if (u && u->expected > 0)
		number(out, "expected", u->expected);
	MEMBER(out, ",", "id", w->id);
	if (!fixed)
		MEMBER(out, ",", "kind", pd_class_name(w->kind));
	PUT(out, ",\"packages\":[");
	if (w->row && w->row->verdict == PD_VERDICT_NEEDED)
		add_packages(out, w->row, fixed);
	PUT(out, "]");
	MEMBER(out, ",", "reason", pd_verdict_reason(w));
	if (!fixed)
		MEMBER(out, ",", "restart", pd_restart_name(w->restart));
	MEMBER(out, ",", "revision", w->revision);
	if (server)
		MEMBER(out, ",", "server", server);
	if (!fixed)
		MEMBER(out, ",", "severity", pd_severity_name(w->severity));
	if (u) {
		MEMBER(out, ",", "title", u->title);
		MEMBER(out, ",", "trust", trust);
	}
	MEMBER(out, ",", "verdict", pd_verdict_name(w->verdict));
	PUT(out, "}\n");
}

json_t *pd_verdict_walk_json(struct pd_verdict_walk *w)
{
	pd_auto(pd_buffer) line = {0};

	pd_verdict_line(w, false, NULL, &line);
	return json_loads(line.data, 0, NULL);
}

/* ------------------------------------------------------------- the words */

#define WORDS(function, type, ...)                                            \
	const char *function(type v)                                          \
	{                                                                     \
		static const char *const words[] = { __VA_ARGS__ };           \
									      \
		return words[(size_t)v < sizeof(words) / sizeof(*words) ? v : 0]; \
	}

WORDS(pd_verdict_name, enum pd_verdict, "unknown", "needed", "installed", "superseded",
      "not-applicable")
WORDS(pd_severity_name, unsigned, "unknown", "none", "low", "moderate", "important", "critical")
WORDS(pd_class_name, unsigned, "other", "security", "bugfix", "enhancement", "newpackage",
      "driver", "firmware", "bundle")
WORDS(pd_restart_name, unsigned, "unknown", "none", "service", "session", "reboot")

const char *pd_scheme_name(unsigned scheme)
{
	return pd_schemes[scheme <= PD_SCHEME_LAST ? scheme : 0];
}
