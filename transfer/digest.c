/* SPDX-License-Identifier: MIT */
/* Digests of files by nettle. */
#include "digest.h"

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <strings.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

static const struct nettle_hash *algorithm(const char *digest)
{
	static const struct nettle_hash *const all[] = { &nettle_md5, &nettle_sha1, &nettle_sha224,
		&nettle_sha256, &nettle_sha384, &nettle_sha512 };
	size_t len = strcspn(digest, ":");

	for (size_t i = 0; digest[len] && i < sizeof(all) / sizeof(*all); i++)
		if (strlen(all[i]->name) == len && strncasecmp(all[i]->name, digest, len) == 0)
			return all[i];
	return NULL;
}

bool digest_known(const char *digest)
{
	const struct nettle_hash *hash = algorithm(digest);
	const char *hex = strchr(digest, ':');

	return hash && strlen(hex + 1) == 2 * hash->digest_size &&
	       strspn(hex + 1, "0123456789abcdefABCDEF") == 2 * hash->digest_size;
}

char *digest_of(int fd, const char *like)
{
	const struct nettle_hash *hash = algorithm(like);
	pd_auto_free void *state = pd_alloc(hash->context_size);
	pd_auto_free uint8_t *block = pd_alloc(BLOCK);
	struct pd_buffer text = {0};
	uint8_t sum[SHA512_DIGEST_SIZE];
	off_t at = 0;
	ssize_t n;

	hash->init(state);
	while ((n = pread(fd, block, BLOCK, at)) > 0) {
		hash->update(state, (size_t)n, block);
		at += n;
	}
	if (n < 0)
		return NULL;
	hash->digest(state, hash->digest_size, sum);
	pd_buffer_print(&text, "%s:", hash->name);
	for (unsigned i = 0; i < hash->digest_size; i++)
		pd_buffer_print(&text, "%02x", sum[i]);
	return pd_buffer_take(&text);
}
