/* SPDX-License-Identifier: MIT */
/*
 * /.provision as a folder that clients read: the same entries in every form of listing, files
 * that are as long as they say, whole or in pieces of any size, and for everybody but an
 * administrator nothing at all.
 */
#include "folder.h"
#include "log.h"

static char again[sizeof got];

static const char *const folders[] = { "", "/ca", "/pending", "/trusted" };

/* All files of a device that has one thing of each kind. */
static const char *const files[] = {
	"device.csr", "device.crt", "device.json", "log.txt", "ca/Acme.crt", "trusted/tech.crt",
	NULL,  /* the pending one, whose name is made */
};

#define FILES (sizeof files / sizeof files[0])

static const char *
path_of(const char *verb, size_t which)
{
	static char line[256];

	if (files[which] == NULL) {
		snprintf(line, sizeof line, "%s /.provision/pending/", verb);
		return folder_name(line, DER(cert_leaf));
	}
	snprintf(line, sizeof line, "%s /.provision/%s", verb, files[which]);
	return line;
}

/* One CA, one trusted and one pending certificate. */
static void
fill(void)
{
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/ca/Acme.crt",
		folder_pem(DER(cert_root), (struct bytes){ NULL, 0 })), 226);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/tech+anna.crt",
		folder_pem(DER(cert_foreign), (struct bytes){ NULL, 0 })), 226);
	folder_pending(DER(cert_leaf), "anna");
}

/* How often a text stands in another one. */
static unsigned
count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
		n++;
	}
	return n;
}

/* ---- Listings ---- */

/* Each line of NLST ends a line of every other form, and there are no more of those. */
static void
compare_with_names(const char *listing, const char *form)
{
	char name[300];

	CHECK(count(listing, "\r\n") == count(again, "\r\n"));
	for (const char *at = again; *at != '\0'; at = strchr(at, '\n') + 1) {
		snprintf(name, sizeof name, " %.*s\r\n", (int)strcspn(at, "\r"), at);
		if (count(listing, name) != 1) {
			sim_fail("%s has not one line that ends in %s: %s", form, name, listing);
		}
	}
}

static void
the_folders_list_the_same_in_every_form(void **state)
{
	static const unsigned entries[] = { 7, 1, 1, 1 };
	static const char *const forms[] = { "LIST", "MLSD" };
	char command[64];

	(void)state;
	fill();
	for (unsigned i = 0; i < 4; i++) {
		CHECK_CODE(&p, peer_ask(&p, "CWD /.provision%s", folders[i]), 250);
		CHECK_CODE(&p, folder_fetch(&p, "NLST", again), 226);
		CHECK(count(again, "\r\n") == entries[i]);
		for (unsigned form = 0; form < 2; form++) {
			snprintf(command, sizeof command, "%s /.provision%s", forms[form], folders[i]);
			CHECK_CODE(&p, folder_fetch(&p, command, got), 226);
			compare_with_names(got, forms[form]);
		}
		CHECK_CODE(&p, peer_ask(&p, "STAT /.provision%s", folders[i]), 213);
		CHECK(count(p.reply, "\r\n") == entries[i] + 2);
	}
	folder_end();
}

static void
the_files_can_be_listed_one_by_one_and_from_within(void **state)
{
	(void)state;
	fill();
	CHECK_CODE(&p, peer_ask(&p, "CWD /.provision"), 250);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
	CHECK(strstr(p.reply, "\"/.provision\"") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "CWD trusted"), 250);
	CHECK_CODE(&p, folder_fetch(&p, "NLST", got), 226);
	CHECK(strcmp(got, "tech.crt\r\n") == 0);
	CHECK_CODE(&p, folder_fetch(&p, "LIST tech.crt", got), 226);
	CHECK(count(got, "\r\n") == 1 && strstr(got, "-rw------- 1 ftp ftp ") == got);
	CHECK_CODE(&p, folder_fetch(&p, "MLSD tech.crt", got), 550);
	CHECK_CODE(&p, peer_ask(&p, "CWD tech.crt"), 550);
	CHECK_CODE(&p, peer_ask(&p, "CDUP"), 250);
	CHECK_CODE(&p, peer_ask(&p, "CDUP"), 250);
	CHECK_CODE(&p, peer_ask(&p, "CWD /.provision/none"), 550);
	CHECK_CODE(&p, peer_ask(&p, "SIZE /.provision/device.crt/x"), 550);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/ca", got), 550);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/trusted/none.crt", got), 550);
	folder_end();
}

/* The facts "unique" tell files apart, as mirroring clients expect. */
static void
every_entry_is_another_file(void **state)
{
	char seen[16][64];
	unsigned n = 0;

	(void)state;
	fill();
	for (unsigned i = 0; i < 4; i++) {
		snprintf(again, sizeof again, "MLSD /.provision%s", folders[i]);
		CHECK_CODE(&p, folder_fetch(&p, again, got), 226);
		for (const char *at = got; (at = strstr(at, "unique=")) != NULL; at += 7) {
			snprintf(seen[n], sizeof seen[n], "%.*s", (int)strcspn(at, ";"), at);
			for (unsigned before = 0; before < n; before++) {
				CHECK(strcmp(seen[before], seen[n]) != 0);
			}
			n++;
		}
	}
	CHECK(n == 10);
	folder_end();
}

/* ---- Files ---- */

/* The number behind a word of the last reply. */
static unsigned long
number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	unsigned long n = 0;

	if (at == NULL || sscanf(at + strlen(word), "%lu", &n) != 1) {
		sim_fail("no number after %s in: %s", word, text);
	}
	return n;
}

static void
check_file(size_t which)
{
	unsigned long size;
	size_t len;

	CHECK_CODE(&p, peer_ask(&p, "%s", path_of("MLST", which)), 250);
	size = number_after(p.reply, ";size=");
	CHECK_CODE(&p, peer_ask(&p, "%s", path_of("SIZE", which)), 213);
	CHECK(number_after(p.reply, "213 ") == size);
	CHECK_CODE(&p, peer_ask(&p, "%s", path_of("MDTM", which)), 213);
	CHECK_CODE(&p, folder_fetch(&p, path_of("LIST", which), got), 226);
	CHECK(number_after(got, "ftp ftp ") == size);
	CHECK_CODE(&p, story_fetch(&p, path_of("RETR", which), got, sizeof got, &len), 226);
	CHECK(p.data.notified);
	if (len != size) {
		sim_fail("%s has %zu bytes, and said %lu", path_of("RETR", which), len, size);
	}
}

static void
every_file_is_as_long_as_it_says(void **state)
{
	(void)state;
	fill();
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	for (size_t i = 0; i < FILES; i++) {
		check_file(i);
	}
	p.prepare = folder_small_records;
	for (size_t i = 0; i < FILES; i++) {
		check_file(i);
	}
	folder_end();
}

/* What does not change meanwhile is the same in one piece, in small ones and after REST. */
static void
the_pieces_of_a_file_fit_together(void **state)
{
	size_t len, rest;

	(void)state;
	fill();
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	for (size_t i = 0; i < FILES; i++) {
		bool changes = files[i] != NULL && (strcmp(files[i], "log.txt") == 0
			|| strcmp(files[i], "device.json") == 0);

		p.prepare = NULL;
		CHECK_CODE(&p, story_fetch(&p, path_of("RETR", i), got, sizeof got, &len), 226);
		p.prepare = folder_small_records;
		for (size_t from = 0; from < len; from += 97) {
			CHECK_CODE(&p, peer_ask(&p, "REST %zu", from), 350);
			CHECK_CODE(&p, story_fetch(&p, path_of("RETR", i), again, sizeof again, &rest), 226);
			if (rest != len - from || (!changes && memcmp(again, got + from, rest) != 0)) {
				sim_fail("%s differs from byte %zu on", path_of("RETR", i), from);
			}
			from += changes ? 500 : 0;
		}
		CHECK_CODE(&p, peer_ask(&p, "REST %zu", len), 350);
		CHECK_CODE(&p, story_fetch(&p, path_of("RETR", i), again, sizeof again, &rest), 226);
		CHECK(rest == 0 && p.data.notified);
		CHECK_CODE(&p, peer_ask(&p, "REST %zu", len + 1), 350);
		CHECK_CODE(&p, folder_fetch(&p, path_of("RETR", i), again), 554);
	}
	folder_end();
}

static void
the_files_hold_what_they_are_named_for(void **state)
{
	(void)state;
	fill();
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.csr", got), 226);
	CHECK(strstr(got, "-----BEGIN CERTIFICATE REQUEST-----\n") == got);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.crt", got), 226);
	CHECK(strstr(got, "-----BEGIN CERTIFICATE-----\n") == got);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.json", got), 226);
	CHECK(got[0] == '{' && strstr(got, "\"trusted\":1,\"pending\":1,\"cas\":1") != NULL);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/ca/Acme.crt", got), 226);
	CHECK(strcmp(got, folder_pem(DER(cert_root), (struct bytes){ NULL, 0 }).at) == 0);
	CHECK_CODE(&p, folder_fetch(&p, path_of("RETR", FILES - 1), got), 226);
	CHECK(strstr(got, " sha256:44f67c0c9b10") != NULL && strstr(got, " CN=cert_leaf\n") != NULL);
	CHECK(strstr(got, "\n-----BEGIN CERTIFICATE-----\n") != NULL);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/trusted/tech.crt", got), 226);
	CHECK(strstr(got, " sha256:6a36fd87f05d") != NULL && strstr(got, " anna\n") != NULL);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/log.txt", got), 226);
	CHECK(strstr(got, "event=ca-added name=Acme") != NULL);
	folder_end();
}

/* Is it blank, or a line that begins with a date? `*whole`: and it has an event. */
static bool
is_log_line(const char *line, size_t len, bool *whole)
{
	char copy[512];

	snprintf(copy, sizeof copy, "%.*s", (int)len, line);
	*whole = strstr(copy, " event=") != NULL;
	return (strspn(copy, " ") == len || strncmp(copy, "2030", 4) == 0)
		&& count(copy, " event=") < 2;
}

/* What others do meanwhile makes the log move on: what is read still has its length and lines. */
static void
the_log_holds_together_while_it_is_read(void **state)
{
	unsigned long size;
	unsigned torn = 0;
	uint64_t start;
	size_t len = 0, n;
	bool whole;

	(void)state;
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_CODE(&p, folder_fetch(&p, "NLST /", got), 226);
	}
	CHECK_CODE(&p, peer_ask(&p, "SIZE /.provision/log.txt"), 213);
	size = number_after(p.reply, "213 ");
	start = log_ring_start();
	p.prepare = folder_small_records;
	sim_net_buffer(600);
	CHECK_CODE(&p, story_open(&p, "RETR /.provision/log.txt"), 150);
	while ((n = peer_data_read(&p, got + len, SMALL_RECORD)) > 0) {
		len += n;
		for (unsigned i = 0; i < 3; i++) {
			CHECK_CODE(&q, peer_connect(&q, 21, false), 220);
			peer_cut(&q);
			story_settle();
		}
	}
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(p.data.notified);
	got[len] = '\0';
	CHECK(len == size && strlen(got) == len && got[len - 1] == '\n');
	for (char *at = strchr(got, '\n') + 1; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (!is_log_line(at, strcspn(at, "\n"), &whole)) {
			sim_fail("a line of two: %.300s", at);
		}
		torn += whole ? 0 : 1;
	}
	sim_net_buffer(65536);
	CHECK(torn <= 1);
	CHECK(log_ring_start() > start);  /* or nothing was shown */
	folder_end();
}

/* ---- Who sees it ---- */

static void
an_administrator_sees_it_once_whatever_the_medium_holds(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		CHECK_CODE(&p, folder_fetch(&p, "NLST /", got), 226);
		CHECK(count(got, ".provision\r\n") == 1);
		CHECK_CODE(&p, folder_fetch(&p, "LIST", got), 226);
		CHECK(count(got, " .provision\r\n") == 1 && strstr(got, "drwx------ 1 ftp ftp 0 ") == got);
		CHECK_CODE(&p, folder_fetch(&p, "MLSD /", got), 226);
		CHECK(count(got, "; .provision\r\n") == 1 && strstr(got, "type=dir;") == got);
		CHECK_CODE(&p, peer_ask(&p, "STAT /"), 213);
		CHECK(count(p.reply, " .provision\r\n") == 1);
		/* Now there is one on the medium, with a file of the same name in it. */
		sim_file_put("/srv/home/.provision/device.json", "not this", 8);
	}
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.json", got), 226);
	CHECK(got[0] == '{');
	/* Elsewhere a directory of that name is like any other. */
	sim_file_put("/srv/home/sub/.provision/a", "hello", 5);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /sub/.provision/a", got), 226);
	CHECK(strcmp(got, "hello") == 0);
	folder_end();
}

/* Commands on the folder and on what is in it, with what is to be sent as data, if any. */
static const char *const touches[] = {
	"CWD %s", "MKD %s", "RMD %s", "DELE %s", "RNFR %s", "SIZE %s", "MDTM %s", "MLST %s", "STAT %s",
	"LIST %s", "NLST %s", "MLSD %s", "RETR %s", "STOR %s", "APPE %s",
};

static const char *const places[] = {
	"/.provision", "/.provision/", ".provision", "/x/../.provision", "//.provision/./ca",
	"/.provision/device.json", "/.provision/device.crt", "/.provision/ca/Acme.crt",
	"/.provision/trusted/tech.crt", "/.provision/pending", "/.provision/new",
};

static void
check_others_get_nothing(struct peer *by)
{
	char command[128];

	CHECK_CODE(by, peer_ask(by, "TYPE I"), 200);
	for (size_t t = 0; t < sizeof touches / sizeof touches[0]; t++) {
		for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
			snprintf(command, sizeof command, touches[t], places[i]);
			story_data(by);
			CHECK_CODE(by, peer_ask(by, "%s", command), 550);
			peer_data_cut(by);
		}
	}
	story_data(by);
	CHECK_CODE(by, peer_ask(by, "REST 5"), 350);
	CHECK_CODE(by, peer_ask(by, "STOR /.provision/device.crt"), 550);
	peer_data_cut(by);
	CHECK_CODE(by, peer_ask(by, "RNFR a"), 350);
	CHECK_CODE(by, peer_ask(by, "RNTO /.provision/trusted/b.crt"), 550);
	CHECK_CODE(by, peer_ask(by, "RNFR a"), 350);
	CHECK_CODE(by, peer_ask(by, "RNTO /.provision"), 550);
	CHECK_CODE(by, folder_fetch(by, "NLST /", got), 226);
	CHECK(strcmp(got, "a\r\n") == 0);
	CHECK_CODE(by, folder_fetch(by, "MLSD", got), 226);
	CHECK(strstr(got, ".provision") == NULL);
	CHECK_CODE(by, peer_ask(by, "STAT ."), 213);
	CHECK(strstr(p.reply, ".provision") == NULL);
}

/* Likewise where the medium has such a directory: it is not a way around. */
static void
others_can_neither_see_nor_touch_nor_make_it(void **state)
{
	uint32_t before;

	(void)state;
	fill();
	CHECK_CODE(&p, peer_quit(&p), 221);
	sim_file_put("/srv/home/a", "hello", 5);
	before = folder_digest();
	peer_init(&q);
	story_login_as(&q, "anna");
	check_others_get_nothing(&q);
	CHECK(sim_dir_count("/srv/home") == 1);
	sim_file_put("/srv/home/.provision/device.json", "not this", 8);
	check_others_get_nothing(&q);
	CHECK(sim_file_is("/srv/home/.provision/device.json", "not this", 8));
	CHECK(sim_dir_count("/srv/home/.provision") == 1);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	CHECK(folder_digest() == before);
	folder_end();
}

/* The rights of an account hold for an administrator as well. */
static void
an_administrator_who_may_only_read_changes_nothing(void **state)
{
	uint32_t before;

	(void)state;
	fill();
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_end();
	folder_begin(sim_seed_or(1));
	folder_account("audit", true, RIGHT_READ | RIGHT_LIST);
	story_start();
	peer_init(&p);
	story_login_as(&p, "audit");
	folder_pending(DER(cert_leaf), "anna");
	before = folder_digest();
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.json", got), 226);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/ca/Acme.crt",
		folder_pem(DER(cert_root), (struct bytes){ NULL, 0 })), 550);
	CHECK_CODE(&p, peer_ask(&p, "%s", path_of("RNFR", FILES - 1)), 550);
	CHECK_CODE(&p, peer_ask(&p, "%s", path_of("DELE", FILES - 1)), 550);
	CHECK(folder_digest() == before && service.pending.count == 1);
	folder_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_folders_list_the_same_in_every_form),
		TEST(the_files_can_be_listed_one_by_one_and_from_within),
		TEST(every_entry_is_another_file),
		TEST(every_file_is_as_long_as_it_says),
		TEST(the_pieces_of_a_file_fit_together),
		TEST(the_files_hold_what_they_are_named_for),
		TEST(the_log_holds_together_while_it_is_read),
		TEST(an_administrator_sees_it_once_whatever_the_medium_holds),
		TEST(others_can_neither_see_nor_touch_nor_make_it),
		TEST(an_administrator_who_may_only_read_changes_nothing),
	};

	return !CONFIG_CUBFTPD_PROVISION ? 0
		: cmocka_run_group_tests_name("provision", tests, NULL, NULL);
}
