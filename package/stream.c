/* SPDX-License-Identifier: MIT */
/* Bytes of a file on their way. */
#include "stream.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

bool stream(int fd, off_t at, int64_t bytes, stream_take *take, void *user, pd_digest out)
{
	unsigned char piece[PIECE], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	while (bytes > 0) {
		ssize_t n = pread(fd, piece, bytes < PIECE ? (size_t)bytes : PIECE, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = 0;
		if (n <= 0 || (take && !take(user, piece, (size_t)n)))
			return false;
		crypto_hash_sha256_update(&state, piece, (unsigned long long)n);
		at += n;
		bytes -= n;
	}
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(out, sizeof(pd_digest), hash, sizeof(hash));
	return true;
}
