/* SPDX-License-Identifier: MIT */
/*
 * A CA whose key makes signatures that do not hold, and one that others use, too: nothing leaves it
 * that should not.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "authority.h"
#include "clock.h"
#include "host.h"
#include "keyfile.h"
#include "load.h"

#include "tests/data/keys.h"

#define DAY_S 86400

static char base[80], reason[2048];
static uint8_t names[4][128];
static struct authority authority;
static struct issued issued;

static int
setup(void **state)
{
	(void)state;
	host_make_folder();
	(void)snprintf(base, sizeof base, "%s/ca", host_folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	authority_close(&authority);
	return host_remove_folder(state);
}

/* As if it had been asked for. */
static struct csr
make_csr(const char *name, uint8_t buffer[128], struct bytes public_key)
{
	struct csr csr = { .public_key = public_key, .is_signed = true };
	struct der d;

	der_start(&d, buffer, 128);
	x509_write_name(&d, text_of(name));
	csr.subject = (struct bytes){ d.at, (size_t)(d.end - d.at) };
	assert_null(key_read_public(public_key, &csr.key));
	return csr;
}

static struct order
make_order(enum profile profile)
{
	int64_t now_s = clock_now();

	return (struct order){
		.profile = profile, .from_s = now_s - DAY_S, .until_s = now_s + 99 * DAY_S,
		.path_length = -1,
	};
}

static void
take_key(struct key *k, struct bytes der)
{
	const char *why;

	assert_int_equal(key_import(k, der, &why), CUB_OK);
}

/* A CA that has signed itself, as files, and opened. */
static void
open_ca(struct bytes private_key, struct bytes public_key)
{
	char path[128], pem[8192];
	struct out why = OUT(reason), o = OUT(pem);
	struct csr csr = make_csr("Acme", names[0], public_key);
	struct order order = make_order(PROFILE_CA);
	struct key key;

	take_key(&key, private_key);
	CLAIM(authority_sign_itself(&csr, &order, &key, &issued, &why), "%s", out_finish(&why));
	load_put_chain(&o, issued.chain);
	(void)snprintf(path, sizeof path, "%s.crt", base);
	assert_true(disk_write(path, pem, o.len, 0644, true, &why));
	(void)snprintf(path, sizeof path, "%s.key", base);
	assert_true(keyfile_write(path, &key, NULL, true, &why));
	CLAIM(authority_open(&authority, base, (struct secret_source){ .file = NULL }, &why), "%s",
		out_finish(&why));
}

/* Break a key in a way that its public half does not show. */
static void
damage(struct key *k)
{
	if (k->type == BR_KEYTYPE_RSA) {
		k->rsa.dp[k->rsa.dplen / 2] ^= 4;
	} else {
		k->ec.x[k->ec.xlen - 1] ^= 1;
	}
}

static const struct bytes keys[][2] = {
	{ { key_p256, sizeof key_p256 }, { key_p256_public, sizeof key_p256_public } },
	{ { key_rsa2048, sizeof key_rsa2048 }, { key_rsa2048_public, sizeof key_rsa2048_public } },
};

static void
assert_thrown_away(struct out *why)
{
	CLAIM(strstr(out_finish(why), "does not hold, and was thrown away") != NULL, "%s", why->at);
	assert_int_equal(issued.chain.len, 0);
	assert_int_equal(issued.own.len, 0);
	for (size_t i = 0; i < sizeof issued.der; i++) {
		assert_int_equal(issued.der[i], 0);
	}
}

/* Sign a device's request. */
static bool
sign(struct out *why)
{
	struct csr csr = make_csr("router-17", names[1], BYTES(key_p384_public));
	struct order order = make_order(PROFILE_DEVICE);

	return authority_sign(&authority, &csr, &order, "x.crt", &issued, why);
}

static void
a_signature_that_does_not_hold_is_neither_recorded_nor_given_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(keys); i++) {
		struct out why = OUT(reason);

		open_ca(keys[i][0], keys[i][1]);
		CLAIM(sign(&why), "%s", out_finish(&why));
		assert_int_equal(authority.index.count, 1);
		damage(&authority.key);
		assert_false(sign(&why));
		assert_thrown_away(&why);
		assert_int_equal(authority.index.count, 1);
		authority_close(&authority);
		assert_true(index_open(&authority.index, base, false, &why));
		assert_int_equal(authority.index.count, 1);
		authority_close(&authority);
		assert_int_equal(remove(strcat(base, ".index")), 0);
		base[strlen(base) - strlen(".index")] = '\0';
	}
}

static void
a_ca_that_is_open_to_sign_keeps_no_other_run_waiting(void **state)
{
	struct out why = OUT(reason);
	char path[128];
	int fd;

	(void)state;
	open_ca(keys[0][0], keys[0][1]);
	(void)snprintf(path, sizeof path, "%s.index", base);
	fd = open(path, O_RDONLY);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
		assert_int_equal(flock(fd, LOCK_UN), 0);
		CLAIM(sign(&why), "%s", out_finish(&why));
	}
	damage(&authority.key);
	assert_false(sign(&why));
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	(void)close(fd);
}

static void
a_ca_that_was_replaced_meanwhile_signs_nothing(void **state)
{
	static struct authority first;
	struct out why = OUT(reason);

	(void)state;
	open_ca(keys[0][0], keys[0][1]);
	first = authority;
	open_ca(keys[1][0], keys[1][1]);
	CLAIM(sign(&why), "%s", out_finish(&why));
	authority_close(&authority);
	authority = first;
	assert_false(sign(&why));
	assert_non_null(strstr(out_finish(&why), "the CA was replaced meanwhile"));
	authority_close(&authority);
	assert_true(index_open(&authority.index, base, false, &why));
	assert_int_equal(authority.index.count, 1);
}

static void
a_ca_whose_own_signature_does_not_hold_is_not_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(keys); i++) {
		struct csr csr = make_csr("Acme", names[0], keys[i][1]);
		struct order order = make_order(PROFILE_CA);
		struct out why = OUT(reason);
		struct key key;

		take_key(&key, keys[i][0]);
		assert_true(authority_sign_itself(&csr, &order, &key, &issued, &why));
		damage(&key);
		assert_false(authority_sign_itself(&csr, &order, &key, &issued, &why));
		assert_thrown_away(&why);
	}
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(a_signature_that_does_not_hold_is_neither_recorded_nor_given_out),
	IN_FOLDER(a_ca_that_is_open_to_sign_keeps_no_other_run_waiting),
	IN_FOLDER(a_ca_that_was_replaced_meanwhile_signs_nothing),
	IN_FOLDER(a_ca_whose_own_signature_does_not_hold_is_not_made),
};

int
main(void)
{
	authority.index.fd = -1;
	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
