/* SPDX-License-Identifier: MIT */
/* An archive as openssl-enc(1) encrypts it for rear: "Salted__", eight bytes of salt, then AES-256-CBC with key and first
 * vector from PBKDF2 with SHA-256. */
#include "recovery.h"

#include <errno.h>
#include <nettle/cbc.h>
#include <nettle/pbkdf2.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "Salted__"
enum { HEAD = 16, BLOCK = AES_BLOCK_SIZE };

bool crypt_begins(int fd)
{
	char head[HEAD];

	return pread(fd, head, sizeof(head), 0) == HEAD && memcmp(head, MAGIC, strlen(MAGIC)) == 0;
}

bool crypt_begin(struct crypt *c, int fd, const char *passphrase, size_t len)
{
	uint8_t head[HEAD], made[AES256_KEY_SIZE + BLOCK];

	*c = (struct crypt){ .fd = fd };
	if (read(fd, head, sizeof(head)) != HEAD)
		return false;
	pbkdf2_hmac_sha256(len, (const uint8_t *)passphrase, CRYPT_ROUNDS, HEAD - strlen(MAGIC), head + strlen(MAGIC), sizeof(made),
			   made);
	aes256_set_decrypt_key(&c->aes, made);
	memcpy(c->vector, made + AES256_KEY_SIZE, BLOCK);
	sodium_memzero(made, sizeof(made));
	return true;
}

/* Until the buffer is full or the file at its end. */
static ssize_t read_all(int fd, uint8_t *to, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (len < size && n > 0) {
		n = read(fd, to + len, size - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	return n < 0 ? -1 : (ssize_t)len;
}

/* The last block says how much of it is none. */
static ssize_t last(struct crypt *c, uint8_t *to, const char **why)
{
	size_t none = c->held[BLOCK - 1];

	if (!c->holds)
		return 0;
	c->holds = false;
	for (size_t i = 0; i < none && i < BLOCK; i++)
		if (c->held[BLOCK - 1 - i] != none)
			none = 0;
	if (none == 0 || none > BLOCK) {
		*why = "it is encrypted with another passphrase, or damaged";
		return -1;
	}
	memcpy(to, c->held, BLOCK - none);
	return (ssize_t)(BLOCK - none);
}

ssize_t crypt_read(struct crypt *c, void *to, size_t size, const char **why)
{
	uint8_t *out = to;
	ssize_t n;
	size_t held = 0;

	for (;;) {
		n = read_all(c->fd, out + BLOCK, (size - BLOCK) / BLOCK * BLOCK);
		if (n < 0)
			*why = strerror(errno);
		if (n < 0)
			return -1;
		if (n == 0)
			return last(c, out, why);
		if (n % BLOCK) {
			*why = "it is cut off";
			return -1;
		}
		cbc_decrypt(&c->aes, (nettle_cipher_func *)aes256_decrypt, BLOCK, c->vector, (size_t)n, out + BLOCK, out + BLOCK);
		held = c->holds ? BLOCK : 0;
		memcpy(out + BLOCK - held, c->held, held);
		memcpy(c->held, out + n, BLOCK);
		c->holds = true;
		memmove(out, out + BLOCK - held, held + (size_t)n - BLOCK);
		if (held + (size_t)n > BLOCK)
			return (ssize_t)(held + (size_t)n - BLOCK);
	}
}
