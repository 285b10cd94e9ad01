/* SPDX-License-Identifier: MIT */
/* Keys and signatures in minisign's format.  Each file has an untrusted comment
 * and base64 of:
 *   public key  "Ed", id (8 bytes), public half (32)
 *   secret key  "Ed", kdf (2, zero: no password), "B2", salt and limits of the kdf
 *               (48, zero), id (8), seed and public half (64), BLAKE2b-256 of
 *               "Ed", id and those
 *   signature   "ED", id (8), Ed25519 (64) of the file's BLAKE2b-512, or "Ed" and
 *               of the file itself; then a trusted comment, and Ed25519 (64) of that
 *               signature and comment */
#include "report/seal.h"

#include <errno.h>
#include <libgen.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID = 8, HALF = 32, SECRET = 64, SIGNATURE = 64, HASH = 64,
       PUBLIC_FILE = 2 + ID + HALF, ID_AT = 54, SECRET_AT = ID_AT + ID,
       SUM_AT = SECRET_AT + SECRET, SECRET_FILE = SUM_AT + 32, SIGNED = 2 + ID + SIGNATURE };

#define TRUSTED "trusted comment: "
#define OURS "untrusted comment: certificate of patchday\n"

void pd_seal_key_cleanup(struct pd_seal_key *k)
{
	sodium_memzero(k, sizeof(*k));
}

/* minisign shows the id as a number, lowest byte first. */
static void name_it(struct pd_seal_key *k)
{
	for (size_t i = 0; i < ID; i++)
		snprintf(k->name + 2 * i, 3, "%02X", k->id[ID - 1 - i]);
}

static char *encode(const unsigned char *data, size_t len)
{
	size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *out = pd_alloc(room);

	return sodium_bin2base64(out, room, data, len, sodium_base64_VARIANT_ORIGINAL);
}

static const char *line(const char *text, unsigned i)
{
	while (text && i--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

/* Line @p i holds base64 of just these many bytes. */
static bool decode(const char *text, unsigned i, unsigned char *out, size_t len)
{
	const char *at = line(text, i);
	size_t n = 0;

	return at && sodium_base642bin(out, len, at, strcspn(at, "\r\n"), NULL, &n, NULL,
				       sodium_base64_VARIANT_ORIGINAL) == 0 && n == len;
}

static char *beside(const char *path)
{
	size_t len = strlen(path);
	bool ends = len > 4 && strcmp(path + len - 4, ".key") == 0;

	return pd_print("%.*s.pub", (int)(ends ? len - 4 : len), path);
}

static void sum(const unsigned char file[SECRET_FILE], unsigned char out[32])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, file, 2);
	crypto_generichash_update(&state, file + ID_AT, ID + SECRET);
	crypto_generichash_final(&state, out, 32);
}

static bool write_pair(const struct pd_seal_key *k, const char *path, const char *public_path,
		       struct pd_error **err)
{
	unsigned char open_half[PUBLIC_FILE] = "Ed", secret[SECRET_FILE] = "Ed\0\0B2";
	pd_auto_free char *a = NULL, *b = NULL, *text = NULL, *hidden = NULL;
	bool ok;

	memcpy(open_half + 2, k->id, ID);
	memcpy(open_half + 2 + ID, k->public_half, HALF);
	memcpy(secret + ID_AT, k->id, ID);
	memcpy(secret + SECRET_AT, k->secret, SECRET);
	sum(secret, secret + SUM_AT);
	a = encode(open_half, sizeof(open_half));
	b = encode(secret, sizeof(secret));
	text = pd_print("untrusted comment: minisign public key %s\n%s\n", k->name, a);
	hidden = pd_print("untrusted comment: patchday's secret key %s\n%s\n", k->name, b);
	ok = pd_file_write(path, 0600, hidden, strlen(hidden), err);
	if (ok && !pd_file_write(public_path, 0644, text, strlen(text), err)) {
		ok = false;
		unlink(path);
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(b, strlen(b));
	sodium_memzero(hidden, strlen(hidden));
	return ok;
}

bool pd_seal_make(const char *path, char **public_path, struct pd_error **err)
{
	pd_auto(pd_seal_key) k = {0};
	pd_auto_free char *folder = pd_strdup(path);

	*public_path = beside(path);
	if (access(path, F_OK) == 0 || access(*public_path, F_OK) == 0)
		return pd_error_set(err, "seal-exists", "there is a key %s or %s already", path,
				    *public_path);
	if (strchr(path, '/') && !pd_make_folders(dirname(folder), err))
		return false;
	randombytes_buf(k.id, ID);
	crypto_sign_keypair(k.public_half, k.secret);
	name_it(&k);
	return write_pair(&k, path, *public_path, err);
}

/* Both halves come from the seed, the first half of what is kept. */
static bool is_pair(struct pd_seal_key *k)
{
	pd_auto(pd_seal_key) made = {0};

	crypto_sign_seed_keypair(k->public_half, made.secret, k->secret);
	return sodium_memcmp(made.secret, k->secret, SECRET) == 0;
}

bool pd_seal_read(const char *path, struct pd_seal_key *k, struct pd_error **err)
{
	char *text = pd_file_read(path, 65536, NULL, err);
	unsigned char file[SECRET_FILE] = {0};
	struct stat st = {0};
	bool ok = text && decode(text, 1, file, sizeof(file));

	if (text)
		sodium_memzero(text, strlen(text));
	else
		pd_error_remedy(err, "`patchday final --make-key --key FILE` makes one.");
	memcpy(k->id, file + ID_AT, ID);
	memcpy(k->secret, file + SECRET_AT, SECRET);
	name_it(k);
	if (!text)
		ok = false;
	else if (stat(path, &st) < 0 || (st.st_mode & 077) || st.st_uid != geteuid())
		ok = pd_error_set(err, "seal-key-open", "the key %s is not this user's, or others"
				  " can read it", path);
	else if (ok && memcmp(file, "EdSc", 4) == 0)
		ok = pd_error_set(err, "seal-key-bad", "the key %s has a password, and nobody can"
				  " be asked for it", path);
	else if (!ok || memcmp(file, "Ed\0\0", 4) != 0 || !is_pair(k))
		ok = pd_error_set(err, "seal-key-bad", "%s is no secret key, or a damaged one", path);
	free(text);
	sodium_memzero(file, sizeof(file));
	return ok;
}

bool pd_seal_read_public(const char *path, struct pd_seal_key *k, struct pd_error **err)
{
	pd_auto_free char *text = pd_file_read(path, 65536, NULL, err);
	unsigned char file[PUBLIC_FILE] = {0};

	if (!text)
		return false;
	if (!decode(text, 1, file, sizeof(file)) || memcmp(file, "Ed", 2) != 0)
		return pd_error_set(err, "seal-key-bad", "%s is no public key", path);
	memcpy(k->id, file + 2, ID);
	memcpy(k->public_half, file + 2 + ID, HALF);
	name_it(k);
	return true;
}

static char *render(const unsigned char blob[SIGNED], const char *comment,
		    const unsigned char global[SIGNATURE])
{
	pd_auto_free char *a = encode(blob, SIGNED), *b = encode(global, SIGNATURE);

	return pd_print(OURS "%s\n" TRUSTED "%s\n%s\n", a, comment, b);
}

/* What the second signature is of: the first one, then the comment. */
static char *joined(const unsigned char *signature, const char *comment)
{
	char *out = pd_alloc(SIGNATURE + strlen(comment));

	memcpy(out, signature, SIGNATURE);
	memcpy(out + SIGNATURE, comment, strlen(comment));
	return out;
}

char *pd_seal_sign(const struct pd_seal_key *k, const void *data, size_t len,
		   const char *comment)
{
	unsigned char blob[SIGNED] = "ED", global[SIGNATURE], hash[HASH];
	pd_auto_free char *both = NULL;

	crypto_generichash(hash, HASH, data, len, NULL, 0);
	memcpy(blob + 2, k->id, ID);
	crypto_sign_detached(blob + 2 + ID, NULL, hash, HASH, k->secret);
	both = joined(blob + 2 + ID, comment);
	crypto_sign_detached(global, NULL, (unsigned char *)both, SIGNATURE + strlen(comment),
			     k->secret);
	return render(blob, comment, global);
}

/* By the key, of the data or, as everybody signs today, of their hash. */
static bool is_of(const struct pd_seal_key *k, const unsigned char blob[SIGNED], const void *data,
		  size_t len)
{
	unsigned char hash[HASH];

	if (memcmp(blob, "Ed", 2) == 0)
		return crypto_sign_verify_detached(blob + 2 + ID, data, len, k->public_half) == 0;
	crypto_generichash(hash, HASH, data, len, NULL, 0);
	return memcmp(blob, "ED", 2) == 0 &&
	       crypto_sign_verify_detached(blob + 2 + ID, hash, HASH, k->public_half) == 0;
}

bool pd_seal_check_any(const struct pd_seal_key *k, const void *data, size_t len,
		       const char *text, char **comment, struct pd_error **err)
{
	unsigned char blob[SIGNED], global[SIGNATURE];
	const char *third = line(text, 2);
	pd_auto_free char *trusted = third && strncmp(third, TRUSTED, strlen(TRUSTED)) == 0 ?
		pd_strndup(third + strlen(TRUSTED), strcspn(third, "\n") - strlen(TRUSTED)) : NULL;
	pd_auto_free char *both = NULL, *again = NULL;

	if (!trusted || !decode(text, 1, blob, SIGNED) || !decode(text, 3, global, SIGNATURE))
		return pd_error_set(err, "seal-bad", "the signature is none, or damaged");
	again = render(blob, trusted, global); /* but for its first line nothing else may be in the file */
	both = joined(blob + 2 + ID, trusted);
	if (memcmp(blob + 2, k->id, ID) != 0)
		return pd_error_set(err, "seal-bad", "the signature is of another key than %s",
				    k->name);
	if (strcmp(line(again, 1), line(text, 1)) != 0 || !is_of(k, blob, data, len) ||
	    crypto_sign_verify_detached(global, (unsigned char *)both,
					SIGNATURE + strlen(trusted), k->public_half) != 0)
		return pd_error_set(err, "seal-bad", "it is not what was signed with the key %s",
				    k->name);
	*comment = trusted;
	trusted = NULL;
	return true;
}

bool pd_seal_check(const struct pd_seal_key *k, const void *data, size_t len,
		   const char *text, char **comment, struct pd_error **err)
{
	if (strncmp(text, OURS, strlen(OURS)) != 0)
		return pd_error_set(err, "seal-bad", "the signature is none that patchday has made");
	return pd_seal_check_any(k, data, len, text, comment, err);
}
