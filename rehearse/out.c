/* SPDX-License-Identifier: MIT */
/* Output of the programs. */
#include "out.h"

#include <stdio.h>

#include "base/text.h"

static void clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if ((*p < ' ' && *p != '\n' && *p != '\t') || *p == 127)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* C1 */
			p[0] = p[1] = '?';
}

void out_print(const char *fmt, ...)
{
	pd_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = pd_vprint(fmt, ap);
	va_end(ap);
	clean(text);
	fputs(text, stdout);
	fflush(stdout);
}

void out_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	putchar('\n');
}

void out_error(bool json, const struct pd_error *e)
{
	pd_auto_free char *raw = pd_error_text(e), *text = pd_utf8_text(raw); /* names in it can be any bytes */
	const char *advice = pd_error_advice(e);

	if (json) {
		pd_auto_json *j = json_pack("{s:{s:s, s:s, s:s*}}", "error", "id", e->id,
					    "message", text, "remedy", advice);

		out_json(j);
		return;
	}
	clean(text);
	fprintf(stderr, "patchday: %s [%s]\n", text, e->id);
	if (advice)
		fprintf(stderr, "  %s\n", advice);
}
