/* SPDX-License-Identifier: MIT */
/* The words for the model's scales, both ways. */
#include "catalog/model.h"

const char *const pd_severity_words[] = { "unknown", "none", "low", "moderate",
					  "important", "critical", NULL };
const char *const pd_class_words[] = { "other", "security", "bugfix", "enhancement",
				       "newpackage", "driver", "firmware", "bundle",
				       NULL };
const char *const pd_restart_words[] = { "unknown", "none", "service", "session",
					 "reboot", NULL };
const char *const pd_scheme_words[] = { "none", "deb", "rpm", "alpine", "windows",
					"plain", NULL };
const char *const pd_status_words[] = { "final", "testing", "retired", NULL };
const char *const pd_exit_words[] = { "failed", "success", "success-reboot",
				      "failed-reboot", "already-installed",
				      "not-applicable", "retry-later",
				      "needs-operator", NULL };
const char *const pd_compare_words[] = { "exists", "eq", "ne", "lt", "le", "gt",
					 "ge", "match", NULL };
static const char *const verdict_words[] = { "unknown", "needed", "installed",
					     "superseded", "not-applicable", NULL };

int pd_word_value(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

size_t pd_word_count(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

static const char *word(const char *const *words, unsigned value)
{
	return value < pd_word_count(words) ? words[value] : words[0];
}

const char *pd_verdict_name(enum pd_verdict v) { return word(verdict_words, v); }
const char *pd_severity_name(unsigned v) { return word(pd_severity_words, v); }
const char *pd_class_name(unsigned v) { return word(pd_class_words, v); }
const char *pd_restart_name(unsigned v) { return word(pd_restart_words, v); }
const char *pd_scheme_name(unsigned v) { return word(pd_scheme_words, v); }

int pd_severity_value(const char *s) { return pd_word_value(pd_severity_words, s); }
int pd_class_value(const char *s) { return pd_word_value(pd_class_words, s); }
int pd_restart_value(const char *s) { return pd_word_value(pd_restart_words, s); }
int pd_scheme_value(const char *s) { return pd_word_value(pd_scheme_words, s); }
