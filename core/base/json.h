/* SPDX-License-Identifier: MIT */
/** JSON: what jansson does not have. */
#ifndef PD_BASE_JSON_H
#define PD_BASE_JSON_H

#include <jansson.h>

#include "base/file.h"

PD_AUTO_PTR(json_t *, pd_json_cleanup, json_decref)
#define pd_auto_json __attribute__((cleanup(pd_json_cleanup))) json_t

/** One line, keys sorted: the form that digests are made of; caller frees. */
char *pd_json_line(const json_t *value);
void pd_json_digest(const json_t *value, pd_digest out);
/** The text of a member, or @p otherwise; borrowed. */
const char *pd_json_text(const json_t *object, const char *key, const char *otherwise);
int64_t pd_json_number(const json_t *object, const char *key, int64_t otherwise);
bool pd_json_true(const json_t *object, const char *key);
/** New reference; bounded depth and size, errors with line and column. */
json_t *pd_json_parse(const char *text, size_t len, const char *name, struct pd_error **err);
json_t *pd_json_read(const char *path, size_t max, struct pd_error **err);

#endif
