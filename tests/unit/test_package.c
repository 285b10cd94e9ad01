/* SPDX-License-Identifier: MIT */
/* Packages from a hostile hand: every byte of a small one is flipped, it is cut
 * off everywhere, and those that a trusted key has signed are unpacked only if
 * they are what their manifest says. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "payload.h"
#include "report/seal.h"
#include "store.h"
#include "tree.h"
#include "unit.h"

#define A_LUA "return 1\n"
#define DATA "what a driver is made of\n"

enum { ROOM = 1 << 16, MUTATIONS = 3000 };

static char dir[64], *key, *public_key, *good, *bad;

static char *in(const char *name)
{
	return pd_print("%s/%s", dir, name);
}

static void must(bool ok, struct pd_error *err)
{
	if (!ok)
		fprintf(stderr, "%s\n", err ? err->message : "it can't be set up"), exit(99);
}

static void put(const char *name, const char *text)
{
	pd_auto_free char *path = in(name);
	pd_auto_error *err = NULL;

	must(pd_file_write(path, 0644, text, strlen(text), &err), err);
}

static json_t *about(void)
{
	return json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:[]}", "format", 1, "api", 1, "name", "small",
			 "version", "1.0", "patchday", "0.1.0", "workflow", "small.lua", "needs");
}

static json_t *files(void)
{
	pd_auto_free char *source = in("source");
	pd_auto_json *roots = json_pack("[{s:s, s:s}]", "from", source, "to", "");
	pd_auto_error *err = NULL;
	json_t *list = tree_list(roots, NULL, &err);

	must(list != NULL, err);
	return list;
}

static void make(const char *out)
{
	pd_auto_json *rest = about(), *list = files();
	pd_auto_error *err = NULL;
	struct manifest m = {0};

	must(box_make(&m, rest, list, key, out, &err), err);
	manifest_clear(&m);
}

static void set_up(void)
{
	pd_auto_error *err = NULL;
	pd_auto_free char *assets = NULL;

	snprintf(dir, sizeof(dir), "%s/patchday-package-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL && sodium_init() >= 0, NULL);
	key = in("a.key");
	good = in("good.pdpkg");
	bad = in("bad.pdpkg");
	assets = in("source/assets");
	must(pd_seal_make(key, &public_key, &err) && pd_make_folders(assets, &err), err);
	put("source/small.lua", A_LUA);
	put("source/assets/data", DATA);
	make(good);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void tear_down(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(key);
	free(public_key);
	free(good);
	free(bad);
}

/* What becomes of a file: "" if it is proved, or the id of the error. */
static const char *fate(const char *path)
{
	pd_auto_error *err = NULL;
	struct box b;
	bool ok = box_open(&b, path, public_key, &err);

	box_clear(&b);
	return ok ? "" : err->id;
}

static const char *fate_of(const void *data, size_t len)
{
	int fd = open(bad, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0 && pd_write_all(fd, data, len) && close(fd) == 0, NULL);
	return fate(bad);
}

/* ------------------------------------------------------------ from outside */

static bool is_refusal(const char *id)
{
	return strcmp(id, "package-file") == 0 || strcmp(id, "package-signature") == 0 ||
	       strcmp(id, "package-damaged") == 0;
}

static void test_same_bytes(void)
{
	size_t a = 0, b = 0;
	pd_auto_free char *again = in("again.pdpkg"), *touched = in("source/small.lua");
	pd_auto_free char *first = NULL, *second = NULL;

	CU_ASSERT_EQUAL(chmod(touched, 0600), 0);
	put("source/small.lua", A_LUA); /* another inode, another time */
	make(again);
	first = pd_file_read(good, ROOM, &a, NULL);
	second = pd_file_read(again, ROOM, &b, NULL);
	CU_ASSERT(a == b && a > 2048 && memcmp(first, second, a) == 0);
	CU_ASSERT_STRING_EQUAL(fate(good), "");
}

static void test_flips(void)
{
	size_t len = 0, unseen = 0;
	pd_auto_free char *data = pd_file_read(good, ROOM, &len, NULL);

	for (size_t i = 0; i < len; i += pd_unit_stride())
		for (int how = 0; how < 3; how++) {
			char was = data[i];

			data[i] = how == 0 ? (char)(was ^ 1 << i % 8) : how == 1 ? (char)~was : '\0';
			if (data[i] != was && !is_refusal(fate_of(data, len))) {
				printf("\nbyte %zu was changed, and it is not seen", i);
				unseen++;
			}
			data[i] = was;
		}
	CU_ASSERT_EQUAL(unseen, 0);
	CU_ASSERT_STRING_EQUAL(fate_of(data, len), "");
}

static void test_cut_and_added(void)
{
	size_t len = 0, unseen = 0;
	pd_auto_free char *data = pd_file_read(good, ROOM, &len, NULL);

	for (size_t i = 0; i < len; i += pd_unit_stride())
		unseen += !is_refusal(fate_of(data, i));
	CU_ASSERT_EQUAL(unseen, 0);
	data = pd_realloc(data, len + 1024, 1);
	memset(data + len, 0, 1024);
	CU_ASSERT_STRING_EQUAL(fate_of(data, len + 1), "package-damaged");
	CU_ASSERT_STRING_EQUAL(fate_of(data, len + 1024), "package-damaged");
	CU_ASSERT_STRING_EQUAL(fate("/dev/null"), "file-read");
	CU_ASSERT_STRING_EQUAL(fate(dir), "file-read");
}

static void test_other_key(void)
{
	pd_auto_free char *other = in("b.key"), *mine = public_key;
	pd_auto_error *err = NULL;

	must(pd_seal_make(other, &public_key, &err), err);
	CU_ASSERT_STRING_EQUAL(fate(good), "package-signature");
	free(public_key);
	public_key = mine;
	mine = NULL;
	CU_ASSERT_STRING_EQUAL(fate(good), "");
}

/* -------------------------------------------- by somebody who has the key */

/* A payload of these bytes under a manifest, signed: what becomes of it. */
static const char *signed_fate(json_t *manifest_take, const void *payload, size_t len)
{
	pd_auto_json *manifest = manifest_take;
	pd_auto(pd_seal_key) k = {0};
	pd_auto_error *err = NULL;
	pd_auto(pd_buffer) file = {0};
	pd_auto_free char *json = NULL, *line = NULL, *signature = NULL;
	pd_digest sha256;

	pd_digest_data(payload, len, sha256);
	json_object_set_new(manifest, "payload", json_pack("{s:s, s:I}", "sha256", sha256, "bytes", (json_int_t)len));
	json = pd_json_line(manifest);
	line = pd_print("%s\n", json);
	must(pd_seal_read(key, &k, &err), err);
	signature = pd_seal_sign(&k, line, strlen(line), "hostile");
	pd_buffer_text(&file, signature);
	pd_buffer_text(&file, line);
	pd_buffer_add(&file, payload, len);
	return fate_of(file.data, file.len);
}

static json_t *row(const char *path, const char *data, const char *mode)
{
	pd_digest sha256;

	pd_digest_data(data, strlen(data), sha256);
	return json_pack("{s:s, s:I, s:s, s:s}", "path", path, "bytes", (json_int_t)strlen(data), "mode", mode,
			 "sha256", sha256);
}

static json_t *manifest_of(json_t *rows_take)
{
	json_t *m = about();

	json_object_set_new(m, "files", rows_take);
	return m;
}

static json_t *honest(void)
{
	return manifest_of(json_pack("[o, o]", row("assets/data", DATA, "0644"), row("small.lua", A_LUA, "0644")));
}

struct entry {
	const char *path, *data;
	mode_t mode;          /* 0: 0644 */
	mode_t kind;          /* 0: a regular file */
	const char *link, *hardlink;
};

static size_t tar(const struct entry *e, size_t n, int format, char *out)
{
	struct archive *a = archive_write_new();
	size_t len = 0;

	archive_write_set_format(a, format);
	archive_write_set_bytes_in_last_block(a, 1);
	must(archive_write_open_memory(a, out, ROOM, &len) == ARCHIVE_OK, NULL);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *entry = archive_entry_new();
		size_t bytes = e[i].data ? strlen(e[i].data) : 0;

		archive_entry_set_pathname(entry, e[i].path);
		archive_entry_set_filetype(entry, e[i].kind ? e[i].kind : AE_IFREG);
		archive_entry_set_perm(entry, e[i].mode ? e[i].mode : 0644);
		archive_entry_set_size(entry, (la_int64_t)bytes);
		if (e[i].link)
			archive_entry_set_symlink(entry, e[i].link);
		if (e[i].hardlink)
			archive_entry_set_hardlink(entry, e[i].hardlink);
		must(archive_write_header(a, entry) == ARCHIVE_OK, NULL);
		if (bytes)
			archive_write_data(a, e[i].data, bytes);
		archive_entry_free(entry);
	}
	archive_write_close(a);
	archive_write_free(a);
	return len;
}

/* The honest manifest over such an archive of two; filled up to the size that
 * the manifest's files take, so that nothing but the archive itself is wrong. */
static const char *tar_fate(struct entry first, struct entry second)
{
	const struct entry both[] = { first, second };
	pd_auto_free char *payload = pd_alloc(ROOM);
	pd_auto_json *m = honest();

	tar(both, 2, ARCHIVE_FORMAT_TAR_USTAR, payload);
	return signed_fate(json_incref(m), payload, (size_t)manifest_payload(json_object_get(m, "files")));
}

#define D (struct entry){ .path = "assets/data", .data = DATA }
#define L (struct entry){ .path = "small.lua", .data = A_LUA }
#define NOT_AS_IT_SAYS(first, second) CU_ASSERT_STRING_EQUAL(tar_fate(first, second), "package-content")

static void test_archive(void)
{
	CU_ASSERT_STRING_EQUAL(tar_fate(D, L), "");
	NOT_AS_IT_SAYS(L, D);
	NOT_AS_IT_SAYS(D, D);
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "/small.lua", .data = A_LUA }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "../small.lua", .data = A_LUA }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "./small.lua", .data = A_LUA }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .data = "return 2\n" }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .data = "return 11\n" }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .data = A_LUA, .mode = 0755 }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .data = A_LUA, .mode = 04644 }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .kind = AE_IFLNK, .link = "/etc/shadow" }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .hardlink = "assets/data" }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .kind = AE_IFIFO }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua", .kind = AE_IFBLK }));
	NOT_AS_IT_SAYS(D, ((struct entry){ .path = "small.lua/", .kind = AE_IFDIR }));
}

/* More or less than the manifest has, and what hides between. */
static void test_archive_size(void)
{
	const struct entry three[] = { D, L, { .path = "zzz.test", .data = "x\n" } };
	pd_auto_free char *payload = pd_alloc(ROOM);
	size_t len = tar(three, 3, ARCHIVE_FORMAT_TAR_USTAR, payload);

	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), payload, len), "package-manifest");
	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), payload, len - 1024), "package-content");
	len = tar(three, 2, ARCHIVE_FORMAT_TAR_USTAR, payload);
	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), payload, len), "");
	memcpy(payload + len - 1024, payload, 1024); /* in place of the end */
	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), payload, len), "package-content");
	len = tar(three, 2, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, payload);
	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), payload, len + 512), "package-manifest");
	CU_ASSERT_STRING_EQUAL(signed_fate(honest(), "", 0), "package-manifest");
}

/* A manifest with one thing in it that can't be, over an archive of its files. */
static const char *manifest_fate(json_t *manifest_take)
{
	pd_auto_json *m = manifest_take;
	pd_auto_free char *payload = pd_alloc(ROOM);

	return signed_fate(json_incref(m), payload, (size_t)manifest_payload(json_object_get(m, "files")) % ROOM);
}

static const char *path_fate(const char *path)
{
	return manifest_fate(manifest_of(json_pack("[o, o]", row(path, DATA, "0644"), row("small.lua", A_LUA, "0644"))));
}

static void test_paths(void)
{
	static const char *const paths[] = { "", "/assets/x", "/etc/passwd", "../x", "assets/../../x", "assets/..",
		"assets/.", "assets//x", "assets/", "assets/.hidden", "assets/a\\b", "assets/a\nb", "assets/\x7f",
		"assets", "manifest.json", "key.pub", "current", "bin/x", "catalogs", ".lua", "assets/\xc3\xa4" };
	char wide[256] = "assets/";

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *id = path_fate(paths[i]);

		if (strcmp(id, "package-path") != 0)
			printf("\n'%s' is refused with '%s'", paths[i], id);
		CU_ASSERT_STRING_EQUAL(id, "package-path");
	}
	memset(wide + 7, 'x', 101);
	CU_ASSERT_STRING_EQUAL(path_fate(wide), "package-path");
	for (size_t i = 8; i < 40; i += 2)
		wide[i] = '/';
	CU_ASSERT_STRING_EQUAL(path_fate(wide), "package-path");
}

static const char *with(const char *name, json_t *value_take)
{
	json_t *m = honest();

	json_object_set_new(m, name, value_take);
	return manifest_fate(m);
}

#define BROKEN(fate) CU_ASSERT_STRING_EQUAL(fate, "package-manifest")

static void test_manifest(void)
{
	BROKEN(with("format", json_integer(2)));
	BROKEN(with("api", json_string("1")));
	BROKEN(with("name", json_string("../x")));
	BROKEN(with("name", json_string("Small")));
	BROKEN(with("version", json_string("1.0/../..")));
	BROKEN(with("version", json_string("1..0")));
	BROKEN(with("version", json_string("01")));
	BROKEN(with("version", json_string("")));
	BROKEN(with("version", json_null()));
	BROKEN(with("patchday", json_integer(1)));
	BROKEN(with("workflow", json_string("other.lua")));
	BROKEN(with("workflow", json_string("assets/data")));
	BROKEN(with("needs", json_object()));
	BROKEN(with("needs", json_pack("[s]", "host")));
	BROKEN(with("needs", json_pack("[{s:s, s:[s]}]", "plugin", "host", "steps", "../x")));
	BROKEN(with("files", json_object()));
	BROKEN(with("files", json_array()));
	BROKEN(with("files", json_pack("[o, o]", row("small.lua", A_LUA, "0644"), row("small.lua", A_LUA, "0644"))));
	BROKEN(with("files", json_pack("[o, o]", row("small.lua", A_LUA, "0644"), row("assets/data", DATA, "0644"))));
	BROKEN(with("files", json_pack("[o, o]", row("a.lua", A_LUA, "0644"), row("small.lua", A_LUA, "0644"))));
	BROKEN(with("files", json_pack("[o]", row("small.lua", A_LUA, "4755"))));
	BROKEN(with("files", json_pack("[o]", row("small.lua", A_LUA, ""))));
	BROKEN(with("files", json_pack("[{s:s, s:I, s:s, s:s}]", "path", "small.lua", "bytes", (json_int_t)-512,
				       "mode", "0644", "sha256", "")));
	BROKEN(with("files", json_pack("[{s:s, s:I, s:s, s:s}]", "path", "small.lua", "bytes", (json_int_t)3 << 30,
				       "mode", "0644", "sha256", "")));
}

/* What libarchive sees of it is noise; the seed is fixed. */
static void test_noise(void)
{
	const struct entry both[] = { D, L };
	pd_auto_free char *payload = pd_alloc(ROOM), *noisy = pd_alloc(ROOM);
	size_t len = tar(both, 2, ARCHIVE_FORMAT_TAR_USTAR, payload), refused = 0;
	unsigned char seed[randombytes_SEEDBYTES] = "patchday";
	uint32_t dice[MUTATIONS][8];

	randombytes_buf_deterministic(dice, sizeof(dice), seed);
	for (size_t i = 0; i < MUTATIONS; i += pd_unit_stride()) {
		const char *id;

		memcpy(noisy, payload, len);
		for (size_t k = 0; k < 2 + 2 * (dice[i][7] % 3); k += 2) /* mostly in the headers */
			noisy[dice[i][k] % (i % 4 ? 512 : len)] = (char)dice[i][k + 1];
		id = signed_fate(honest(), noisy, len);
		refused += *id != '\0';
		CU_ASSERT(*id == '\0' || strcmp(id, "package-content") == 0);
	}
	CU_ASSERT(refused > MUTATIONS / 2 / pd_unit_stride());
}

/* ------------------------------------------------------------ installed */

static bool install(const char *file)
{
	pd_auto_free char *store = in("store");
	pd_auto_error *err = NULL;
	struct box b;
	bool ok = box_open(&b, file, public_key, &err) && store_put(&b, store, public_key, &err);

	box_clear(&b);
	return ok;
}

static const char *installed(void)
{
	pd_auto_free char *folder = in("store/small/1.0");
	pd_auto_error *err = NULL;
	struct box b;
	bool ok = store_prove(&b, folder, &err);

	box_clear(&b);
	return ok ? "" : err->id;
}

/* One change of what is installed, seen and taken back. */
#define DRIFT(change, back)                                       \
	do {                                                      \
		CU_ASSERT(change);                                \
		CU_ASSERT_STRING_EQUAL(installed(), "package-drift"); \
		CU_ASSERT(back);                                  \
		CU_ASSERT_STRING_EQUAL(installed(), "");          \
	} while (0)

static bool link_to(const char *target, const char *path)
{
	return symlink(target, path) == 0;
}

static void test_store(void)
{
	pd_auto_free char *script = in("store/small/1.0/small.lua"), *away = in("away");
	pd_auto_free char *extra = in("store/small/1.0/assets/.x"), *data = in("store/small/1.0/assets/data");
	pd_auto_free char *manifest = in("store/small/1.0/manifest.json"), *cut_off = in("store/small/.new");
	pd_auto_free char *junk = in("store/small/.new/junk");
	pd_auto_error *err = NULL;

	must(pd_make_folders(junk, &err), err); /* of an installation that was cut off */
	CU_ASSERT(install(good));
	CU_ASSERT_STRING_EQUAL(installed(), "");
	CU_ASSERT(access(cut_off, F_OK) < 0);
	CU_ASSERT_FALSE(install(good)); /* a version is never written over */
	CU_ASSERT_STRING_EQUAL(installed(), "");
	DRIFT(rename(script, away) == 0, rename(away, script) == 0);
	DRIFT(link_to("/etc/passwd", extra), unlink(extra) == 0);
	DRIFT(chmod(data, 0755) == 0, chmod(data, 0644) == 0);
	DRIFT(chmod(data, 04644) == 0, chmod(data, 0644) == 0);
	DRIFT(rename(data, away) == 0 && link_to(away, data), unlink(data) == 0 && rename(away, data) == 0);
	put("store/small/1.0/small.lua", "return 2\n");
	CU_ASSERT_STRING_EQUAL(installed(), "package-drift");
	put("store/small/1.0/small.lua", A_LUA);
	CU_ASSERT_STRING_EQUAL(installed(), "");
	DRIFT(rename(manifest, away) == 0, rename(away, manifest) == 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the same files make the same bytes", test_same_bytes },
		{ "every byte that is changed is seen", test_flips },
		{ "what is cut off or added is seen", test_cut_and_added },
		{ "the key has to be the right one", test_other_key },
		{ "an archive is what its manifest says", test_archive },
		{ "and nothing more", test_archive_size },
		{ "paths stay inside", test_paths },
		{ "a manifest is in order", test_manifest },
		{ "noise is refused", test_noise },
		{ "what is installed stays as it was signed", test_store },
		CU_TEST_INFO_NULL
	};
	CU_SuiteInfo suites[] = { { "package", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned failed = 1;

	set_up();
	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_NORMAL);
		CU_basic_run_tests();
		failed = CU_get_number_of_failures() + (CU_get_number_of_asserts() == 0);
	}
	CU_cleanup_registry();
	tear_down();
	return failed ? 1 : 0;
}
