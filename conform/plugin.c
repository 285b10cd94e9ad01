/* SPDX-License-Identifier: MIT */
/* The plugin as a whole: what its file exports, and what its manual says. */
#include <elf.h>
#include <stdio.h>

#include "rules.h"

/* ------------------------------------------------------------ its symbols */

static bool is_allowed(const char *name)
{
	static const char *const allowed[] = { "pd_plugin_entry", "_init", "_fini", "_edata", "_end" };

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strcmp(name, allowed[i]) == 0)
			return true;
	return strncmp(name, "__", 2) == 0 || !*name; /* the compiler's own */
}

/* What lies at @p offset, if so much is there; nothing in the file is believed. */
static const void *part(const char *data, size_t len, uint64_t offset, uint64_t size)
{
	return offset <= len && size <= len - offset ? data + offset : NULL;
}

static void look_at_table(struct verdicts *v, const char *data, size_t len, const Elf64_Shdr *s,
			  const Elf64_Shdr *names)
{
	const Elf64_Sym *symbols = part(data, len, s->sh_offset, s->sh_size);
	const char *texts = part(data, len, names->sh_offset, names->sh_size);

	for (size_t i = 0; symbols && texts && i < s->sh_size / sizeof(*symbols); i++) {
		unsigned bind = ELF64_ST_BIND(symbols[i].st_info);
		const char *name = texts + symbols[i].st_name;

		if (symbols[i].st_name >= names->sh_size || symbols[i].st_shndx == SHN_UNDEF ||
		    bind == STB_LOCAL || is_allowed(name))
			continue;
		verdict_broken(v, RULE_LOADS, "it exports '%.*s' beside pd_plugin_entry: build it with"
			       " -fvisibility=hidden", (int)strnlen(name, names->sh_size - symbols[i].st_name), name);
	}
}

/* Its dynamic symbols; other formats than ELF with 64 bits are passed over. */
static void look_at_symbols(struct verdicts *v, const char *file)
{
	size_t len = 0;
	pd_auto_free char *data = pd_file_read(file, (size_t)256 << 20, &len, NULL);
	const Elf64_Ehdr *head = (const void *)data;
	const Elf64_Shdr *sections;

	if (!data || len < sizeof(*head) || memcmp(data, ELFMAG, SELFMAG) != 0 ||
	    data[EI_CLASS] != ELFCLASS64)
		return;
	sections = part(data, len, head->e_shoff, (uint64_t)head->e_shnum * sizeof(*sections));
	for (size_t i = 0; sections && i < head->e_shnum; i++)
		if (sections[i].sh_type == SHT_DYNSYM && sections[i].sh_link < head->e_shnum)
			look_at_table(v, data, len, &sections[i], &sections[sections[i].sh_link]);
}

/* -------------------------------------------------------------- its manual */

/* From the heading that names @p name to the next one of its level; caller frees. */
static char *section(const char *text, const char *name)
{
	pd_auto(pd_buffer) out = {0};
	size_t n = strlen(name);
	bool in = false;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		if (strncmp(line, "## ", 3) == 0) {
			const char *at = memmem(line, (size_t)(end - line), name, n);

			in = at && !strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", at[-1]) &&
			     (!at[n] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789_", at[n]));
		}
		if (in)
			pd_buffer_add(&out, line, (size_t)(end - line) + (*end != '\0'));
	}
	return out.len ? pd_buffer_take(&out) : NULL;
}

static void named(struct verdicts *v, const char *text, const char *what, const char *row, const char *name)
{
	pd_auto_free char *quoted = pd_print("`%s`", name), *cell = pd_print("\n| %s |", name);

	if (!strstr(text, quoted) && !strstr(text, cell))
		verdict_broken(v, RULE_MANUAL, "the manual does not name the %s %s of %s: it is to stand"
			       " there as `%s`", what, name, row, name);
}

static void look_at_step(struct verdicts *v, const char *text, const char *plugin, const struct pd_step *s)
{
	pd_auto_free char *name = pd_print("%s.%s", plugin, s->name), *own = section(text, name);

	if (!own) {
		verdict_broken(v, RULE_MANUAL, "the manual has no section `## %s`", name);
		return;
	}
	for (size_t i = 0; s->params && s->params[i].name; i++)
		named(v, own, "parameter", name, s->params[i].name);
	for (size_t i = 0; s->outputs && s->outputs[i].name; i++)
		named(v, own, "output", name, s->outputs[i].name);
}

static void look_at_manual(struct verdicts *v, const struct pd_plugin *p, const char *text)
{
	verdict_kept(v, RULE_MANUAL);
	for (size_t i = 0; p->steps[i]; i++)
		look_at_step(v, text, p->name, p->steps[i]);
	for (size_t i = 0; p->readers[i]; i++)
		if (!strstr(text, p->readers[i]->name))
			named(v, text, "reader", p->name, p->readers[i]->name);
	for (size_t i = 0; p->scanners[i]; i++)
		if (!strstr(text, p->scanners[i]->name))
			named(v, text, "scanner", p->name, p->scanners[i]->name);
	for (size_t i = 0; p->filters[i]; i++)
		if (!strstr(text, p->filters[i]->name))
			named(v, text, "filter", p->name, p->filters[i]->name);
	for (size_t i = 0; p->transports[i]; i++)
		if (!strstr(text, p->transports[i]->name))
			named(v, text, "transport", p->name, p->transports[i]->name);
}

json_t *rules_plugin(const struct pd_plugin *plugin, const char *file, const char *manual)
{
	pd_auto_free char *text = manual ? pd_file_read(manual, 1 << 20, NULL, NULL) : NULL;
	struct verdicts v = {0};

	verdict_kept(&v, RULE_LOADS);
	look_at_symbols(&v, file);
	if (text)
		look_at_manual(&v, plugin, text);
	else
		verdict_untried(&v, RULE_MANUAL, "there is no manual: neither README.md nor %s.md beside"
				" the plugin, and no --manual", plugin->name);
	return verdicts_json_take(&v, "plugin", plugin->name);
}
