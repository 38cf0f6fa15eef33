/* SPDX-License-Identifier: MIT */
/*
 * The code of every reply that clients act upon, and FEAT against what really works. Other
 * servers check their commands one by one where they are written; what a client sees before
 * login, before TLS or after another command is where they differ from their own manual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct peer p, q;
static char data[100000];

struct row {
	const char *command;
	int code;
};

/* Ask all, one after the other. */
static void
ask_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int code = peer_ask(&p, "%s", rows[i].command);

		if (code != rows[i].code) {
			sim_fail("%s: %d, not %d: %s", rows[i].command, code, rows[i].code, p.reply);
		}
	}
}

#define ASK_ALL(rows) ask_all((rows), sizeof (rows) / sizeof (rows)[0])

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	sim_file_put("/srv/home/a.txt", "hello", 5);
	sim_file_put("/srv/home/dir/in.txt", "in", 2);
	sim_dir_put("/srv/home/empty");
	sim_file_mtime_set("/srv/home/a.txt", 1000000000);
	peer_init(&p);
	return 0;
}

static void
the_greeting_is_one_line_of_220(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK(strcmp(p.reply, "220 cubftpd ready\r\n") == 0);
	story_end();
}

static void
before_tls_only_what_leads_to_it_is_answered(void **state)
{
	static const struct row rows[] = {
		{ "FEAT", 211 }, { "SYST", 215 }, { "HELP", 214 }, { "NOOP", 200 },
		{ "OPTS UTF8 ON", 200 }, { "USER anna", 530 }, { "PBSZ 0", 503 }, { "PROT P", 503 },
		{ "PASS secret", 503 }, { "PWD", 530 }, { "RETR a.txt", 530 }, { "STAT", 530 },
		{ "CCC", 530 }, { "BLAH", 500 }, { "", 500 }, { "ACCT x", 502 }, { "AUTH", 501 },
		{ "AUTH KERBEROS_V4", 504 }, { "auth tls-q", 504 }, { "QUIT", 221 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		CHECK_CODE(&p, peer_ask(&p, "%s", rows[i].command), rows[i].code);
		peer_close(&p);
	}
	story_end();
}

static void
each_name_of_the_mechanism_starts_tls(void **state)
{
	static const char *const names[] = { "TLS", "TLS-C", "SSL", "TLS-P", "tls" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		CHECK_CODE(&p, peer_ask(&p, "AUTH %s", names[i]), 234);
		CHECK(peer_handshake(&p) == CUB_OK);
		CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
		CHECK_CODE(&p, peer_ask(&p, "PASV"), 227);
		CHECK_CODE(&p, peer_ask(&p, "NLST"), i == 2 || i == 3 ? 150 : 522);
		peer_close(&p);
	}
	story_end();
}

static void
before_login_order_and_secrets_are_kept(void **state)
{
	static const struct row out_of_order[] = {
		{ "PWD", 530 }, { "STAT", 530 }, { "RETR a.txt", 530 }, { "STOR a.txt", 530 },
	};
	static const struct row more_out_of_order[] = {
		{ "SITE", 530 }, { "SITE CHMOD 644 a.txt", 530 }, { "REIN", 530 }, { "HASH a.txt", 530 },
		{ "CLNT x", 200 }, { "OPTS HASH CRC32", 200 },
	};
	static const struct row still_more[] = {
		{ "XCRC a.txt", 530 }, { "MFMT 20010203040506 a.txt", 530 }, { "PASV", 530 },
		{ "REST 1", 530 },
	};
	static const struct row rows[] = {
		{ "AUTH TLS", 503 }, { "PASS secret", 503 },
		{ "PBSZ", 501 }, { "PBSZ x", 501 }, { "PBSZ 16384", 200 }, { "PROT", 501 },
		{ "PROT C", 534 }, { "PROT S", 536 }, { "PROT E", 536 }, { "PROT X", 504 },
		{ "PROT P", 200 }, { "CCC", 533 }, { "USER", 501 }, { "USER anna", 331 },
		{ "AUTH TLS", 503 }, { "PASS wrong", 530 }, { "PASS secret", 503 },
		{ "USER nobody", 331 }, { "USER anna", 331 }, { "PASS secret", 230 },
		{ "USER anna", 503 }, { "PASS secret", 503 }, { "AUTH TLS", 503 }, { "CCC", 533 },
	};

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	ASK_ALL(out_of_order);
	peer_close(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	ASK_ALL(more_out_of_order);
	peer_close(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	ASK_ALL(still_more);
	peer_close(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	ASK_ALL(rows);
	CHECK_CODE(&p, peer_ask(&p, "PBSZ 99"), 200);
	CHECK(strcmp(p.reply, "200 PBSZ=0\r\n") == 0);
	story_end();
}

static void
the_question_for_a_password_is_the_same_for_all(void **state)
{
	char first[200];

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	snprintf(first, sizeof first, "%.199s", p.reply);
	CHECK_CODE(&p, peer_ask(&p, "USER nobody"), 331);
	CHECK(strcmp(p.reply, first) == 0);
	story_end();
}

static void
parameters_are_answered_by_the_table(void **state)
{
	static const struct row rows[] = {
		{ "NOOP", 200 }, { "noop", 200 }, { "SYST", 215 }, { "HELP", 214 },
		{ "TYPE I", 200 }, { "TYPE A", 200 }, { "TYPE A N", 200 }, { "TYPE L 8", 200 },
		{ "TYPE E", 504 }, { "TYPE A T", 504 }, { "TYPE", 501 },
		{ "STRU F", 200 }, { "STRU R", 504 }, { "MODE S", 200 }, { "MODE Z", 504 },
		{ "OPTS UTF8 ON", 200 }, { "OPTS UTF-8 ON", 200 }, { "OPTS UTF8", 200 },
		{ "OPTS MLST type;size;", 200 }, { "OPTS MLST", 200 }, { "OPTS XYZ", 501 },
		{ "OPTS HASH", 200 }, { "OPTS HASH crc32", 200 }, { "OPTS HASH SHA-1", 504 },
		{ "OPTS HASH SHA-256", 200 }, { "CLNT", 501 }, { "CLNT Some client 1.2", 200 },
		{ "REST 0", 350 }, { "REST 9223372036854775807", 350 },
		{ "REST 9223372036854775808", 501 }, { "REST 18446744073709551615", 501 },
		{ "REST -1", 501 }, { "REST x", 501 }, { "REST", 501 },
		{ "ABOR", 226 }, { "BLAH", 500 }, { "SITE CHMOD 644 a", 550 }, { "ACCT x", 502 },
		{ "LANG en", 502 }, { "HOST x", 502 }, { "PORT 192,0,2,10,200,10", 502 },
		{ "STAT", 211 }, { "STAT a.txt", 213 }, { "STAT dir", 213 }, { "STAT none", 550 },
	};

	(void)state;
	story_login(&p);
	ASK_ALL(rows);
	story_end();
}

static void
files_and_directories_are_answered_by_the_table(void **state)
{
	static const struct row rows[] = {
		{ "PWD", 257 }, { "CWD dir", 250 }, { "CDUP", 250 }, { "CDUP", 250 }, { "CWD /", 250 },
		{ "CWD none", 550 }, { "CWD a.txt", 550 }, { "CWD .cubftpd-x", 553 }, { "CWD", 501 },
		{ "TYPE A", 200 }, { "SIZE a.txt", 550 }, { "TYPE I", 200 }, { "SIZE a.txt", 213 },
		{ "SIZE dir", 550 },
		{ "SIZE none", 550 }, { "SIZE", 501 }, { "MDTM a.txt", 213 }, { "MDTM none", 550 },
		{ "MLST a.txt", 250 }, { "MLST", 250 }, { "MLST none", 550 },
		{ "XPWD", 257 }, { "XCWD dir", 250 }, { "XCUP", 250 }, { "XMKD new", 257 },
		{ "XMKD new", 550 }, { "XRMD new", 250 }, { "XRMD a.txt", 550 }, { "XRMD", 501 },
		{ "MFMT 20010203040506 a.txt", 213 }, { "MFMT 20010203040506 dir", 213 },
		{ "MFMT 20010203040506 none", 550 }, { "MFMT 20010203040506 /", 550 },
		{ "MFMT 20010229040506 a.txt", 501 }, { "MFMT 2001020304050x a.txt", 501 },
		{ "MFMT 200102030405 a.txt", 501 }, { "MFMT 20010203040506", 501 }, { "MFMT", 501 },
		{ "MFMT 20010203040506 .cubftpd-x", 553 }, { "MFMT 20010203040506.789 a.txt", 213 },
		{ "SITE CHMOD 644 a.txt", 200 }, { "site chmod 0755 dir", 200 },
		{ "SITE CHMOD 644 none", 550 }, { "SITE CHMOD 644 /", 550 }, { "SITE CHMOD 644", 501 },
		{ "SITE CHMOD", 501 }, { "SITE CHMOD 4755 a.txt", 501 }, { "SITE CHMOD 1777 dir", 501 },
		{ "SITE CHMOD 00644 a.txt", 501 }, { "SITE CHMOD 64 a.txt", 501 },
		{ "SITE CHMOD 684 a.txt", 501 }, { "SITE CHMOD 084 a.txt", 501 },
		{ "SITE CHMOD u+x a.txt", 501 }, { "SITE CHMOD 644 .cubftpd-x", 553 },
		{ "SITE UMASK", 200 }, { "SITE UMASK 077", 200 }, { "SITE UMASK 1077", 501 },
		{ "SITE UMASK 8", 501 }, { "SITE", 501 }, { "SITE BLAH", 500 }, { "SITE GET x", 500 },
		{ "NOOP", 200 }, { "SITE HELP", 214 },
		{ "MKD new", 257 }, { "MKD new", 550 }, { "MKD /", 550 }, { "MKD none/new", 550 },
		{ "MKD .cubftpd-x", 553 }, { "MKD", 501 },
		{ "RMD new", 250 }, { "RMD new", 550 }, { "RMD dir", 550 }, { "RMD a.txt", 550 },
		{ "RMD /", 550 }, { "DELE dir", 550 }, { "DELE none", 550 }, { "DELE", 501 },
		{ "RNTO b.txt", 503 }, { "RNFR none", 550 }, { "RNTO b.txt", 503 },
		{ "RNFR a.txt", 350 }, { "NOOP", 200 }, { "RNTO b.txt", 250 },
		{ "RNFR b.txt", 350 }, { "CWD /", 250 }, { "RNTO a.txt", 503 },
		{ "RNFR b.txt", 350 }, { "RNTO dir", 550 }, { "RNTO a.txt", 503 },
		{ "RNFR /", 550 }, { "DELE b.txt", 250 },
	};

	(void)state;
	story_login(&p);
	ASK_ALL(rows);
	CHECK(sim_log_has(" from=/a.txt path=/b.txt"));
	story_end();
}

static void
texts_that_clients_parse_are_exact(void **state)
{
	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
	CHECK(strncmp(p.reply, "257 \"/\" ", 8) == 0);
	CHECK_CODE(&p, peer_ask(&p, "MKD a \"quoted\" name"), 257);
	CHECK(strncmp(p.reply, "257 \"/a \"\"quoted\"\" name\" ", 25) == 0);
	CHECK_CODE(&p, peer_ask(&p, "MKD dir"), 550);
	CHECK(strcmp(p.reply, "550 Directory already exists\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "MDTM a.txt"), 213);
	CHECK(strcmp(p.reply, "213 20010909014640\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_CODE(&p, peer_ask(&p, "SIZE a.txt"), 213);
	CHECK(strcmp(p.reply, "213 5\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "SYST"), 215);
	CHECK(strcmp(p.reply, "215 UNIX Type: L8\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "MLST a.txt"), 250);
	CHECK(strncmp(p.reply, "250-", 4) == 0);
	CHECK(strstr(p.reply, "\r\n type=file;size=5;modify=20010909014640;") != NULL);
	CHECK(strstr(p.reply, " /a.txt\r\n250 ") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "MFMT 20010203040506 dir/../a.txt"), 213);
	CHECK(strcmp(p.reply, "213 Modify=20010203040506; /a.txt\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "MDTM a.txt"), 213);
	CHECK(strcmp(p.reply, "213 20010203040506\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "SITE CHMOD 0710 a.txt"), 200);
	CHECK_CODE(&p, peer_ask(&p, "MLST a.txt"), 250);
	CHECK(strstr(p.reply, "UNIX.mode=0710;") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "SITE UMASK 027"), 200);
	CHECK(strcmp(p.reply, "200 UMASK is 0027\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "SITE UMASK 888"), 501);
	CHECK_CODE(&p, peer_ask(&p, "SITE UMASK"), 200);
	CHECK(strcmp(p.reply, "200 UMASK is 0027\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "EPSV"), 229);
	CHECK(strcmp(p.reply + strlen(p.reply) - 4, "|)\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "PASV"), 227);
	CHECK(strncmp(p.reply, "227 Entering Passive Mode (192,0,2,1,", 37) == 0);
	story_end();
}

static void
passive_mode_is_answered_by_the_family(void **state)
{
	static const struct row v4[] = {
		{ "EPSV 1", 229 }, { "EPSV 2", 522 }, { "EPSV 3", 522 }, { "PASV", 227 },
		{ "EPSV ALL", 200 }, { "PASV", 503 }, { "EPSV", 229 },
	};
	static const struct row v6[] = {
		{ "EPSV 2", 229 }, { "EPSV 1", 522 }, { "PASV", 522 }, { "EPSV", 229 },
	};

	(void)state;
	story_login(&p);
	ASK_ALL(v4);
	peer_quit(&p);
	peer_init(&p);
	p.from = sim_ipv6(9, 0);
	story_login_as(&p, "anna");
	ASK_ALL(v6);
	story_end();
}

static void
a_transfer_is_refused_before_150_where_it_can_be(void **state)
{
	static const struct row rows[] = {
		{ "RETR none", 550 }, { "EPSV", 229 }, { "RETR dir", 550 }, { "EPSV", 229 },
		{ "RETR .cubftpd-1", 553 }, { "RETR", 501 }, { "STOR dir", 550 },
		{ "STOR none/x", 550 }, { "STOR a.txt/x", 550 }, { "STOR .cubftpd-1", 553 },
		{ "LIST none", 550 }, { "NLST none", 550 }, { "MLSD none", 550 }, { "MLSD a.txt", 550 },
		{ "REST 6", 350 }, { "RETR a.txt", 554 }, { "REST 6", 350 }, { "STOR a.txt", 554 },
		{ "REST 1", 350 }, { "STOR new.txt", 554 },
	};

	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "RETR a.txt"), 425);
	CHECK_CODE(&p, peer_ask(&p, "EPSV"), 229);
	ASK_ALL(rows);
	/* None of these has used up the port. */
	CHECK_CODE(&p, peer_ask(&p, "RETR a.txt"), 150);
	peer_close(&p);
	CHECK(sim_dir_count("/srv/home") == 3);
	story_end();
}

static void
without_prot_p_no_transfer_begins(void **state)
{
	static const struct row rows[] = {
		{ "EPSV", 229 }, { "RETR a.txt", 522 }, { "STOR a.txt", 522 }, { "LIST", 522 },
		{ "PROT C", 534 }, { "NLST", 522 }, { "PROT P", 200 }, { "MLSD", 150 },
	};

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	ASK_ALL(rows);
	peer_close(&p);
	story_end();
}

static void
rights_that_are_missing_are_550(void **state)
{
	static const struct row rows[] = {
		{ "EPSV", 229 }, { "STOR x", 550 }, { "APPE a.txt", 550 }, { "MKD x", 550 },
		{ "DELE a.txt", 550 }, { "RMD empty", 550 }, { "RNFR a.txt", 550 },
		{ "XMKD x", 550 }, { "XRMD empty", 550 }, { "MFMT 20010203040506 a.txt", 550 },
		/* 4.27: SITE has a gate as other commands have. */
		{ "SITE CHMOD 600 a.txt", 550 }, { "SITE UMASK", 550 }, { "SITE UMASK 077", 550 },
		{ "SITE HELP", 214 }, { "HASH a.txt", 213 },
		{ "RETR a.txt", 150 },
	};

	(void)state;
	peer_init(&p);
	story_login_as(&p, "gast");
	ASK_ALL(rows);
	peer_close(&p);
	CHECK(sim_file_is("/srv/home/a.txt", "hello", 5));
	CHECK(sim_dir_exists("/srv/home/empty"));
	peer_init(&p);
	story_login_as(&p, "anna");
	CHECK_CODE(&p, peer_ask(&p, "MLST a.txt"), 250);
	CHECK(strstr(p.reply, "modify=20010909014640;") != NULL);
	CHECK(strstr(p.reply, "UNIX.mode=0644;") != NULL);
	story_end();
}

static void
no_path_leads_out_of_the_account(void **state)
{
	static const struct row rows[] = {
		{ "CWD ..", 250 }, { "CWD ../../other", 550 }, { "CWD /../other", 550 },
		{ "TYPE I", 200 }, { "SIZE ../other/secret", 550 }, { "SIZE /other/secret", 550 },
		{ "SIZE dir/../../other/secret", 550 }, { "SIZE ..%2fother/secret", 550 },
		{ "SIZE ./a.txt", 213 }, { "SIZE //a.txt", 213 }, { "SIZE ../a.txt", 213 },
		{ "DELE ../other/secret", 550 }, { "RNFR a.txt", 350 }, { "RNTO ../other/x", 550 },
	};

	(void)state;
	sim_file_put("/srv/other/secret", "s", 1);
	story_login(&p);
	ASK_ALL(rows);
	CHECK(sim_dir_count("/srv/other") == 1);
	CHECK(sim_file_exists("/srv/home/a.txt"));
	story_end();
}

/* Whether FEAT's answer has this line. */
static bool
has_line(const char *reply, const char *line)
{
	char wanted[100];

	snprintf(wanted, sizeof wanted, "\r\n %s\r\n", line);
	return strstr(reply, wanted) != NULL;
}

static void
feat_lists_exactly_what_works(void **state)
{
	static const struct row rows[] = {
		{ "EPSV", 229 }, { "MDTM a.txt", 213 }, { "MLST a.txt", 250 }, { "PASV", 227 },
		{ "PBSZ 0", 200 }, { "PROT P", 200 }, { "REST 1", 350 }, { "TYPE I", 200 },
		{ "SIZE a.txt", 213 }, { "OPTS UTF8 ON", 200 }, { "CLNT test", 200 }, { "AVBL", 213 },
		{ "HASH a.txt", 213 }, { "OPTS HASH SHA-256", 200 }, { "OPTS HASH CRC32", 200 },
		{ "HASH a.txt", 213 }, { "XCRC a.txt", 250 }, { "XSHA256 a.txt", 250 },
		{ "MFMT 20010203040506 a.txt", 213 }, { "RETR a.txt", 150 },
	};
	/* Extensions that a client would look for: listed, or not understood. */
	static const char *const others[] = {
		"MFF", "LANG", "HOST", "COMB", "EPRT", "THMB", "MODE Z", "XSHA1", "XMD5", "ESTA",
		"ESTP", "XSHA512", "CSID", "PRET",
	};
	char feat[2000];

	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	snprintf(feat, sizeof feat, "%.1999s", p.reply);
	CHECK(strncmp(feat, "211-", 4) == 0);
	CHECK(has_line(feat, "AVBL"));
	CHECK(has_line(feat, "AUTH TLS") && has_line(feat, "EPSV") && has_line(feat, "MDTM"));
	CHECK(has_line(feat, "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;"));
	CHECK(has_line(feat, "PASV") && has_line(feat, "PBSZ") && has_line(feat, "PROT"));
	CHECK(has_line(feat, "REST STREAM") && has_line(feat, "SIZE") && has_line(feat, "TVFS"));
	CHECK(has_line(feat, "UTF8") && has_line(feat, "CLNT") && has_line(feat, "MFMT"));
	CHECK(has_line(feat, "HASH SHA-256*;CRC32") && has_line(feat, "XCRC"));
	CHECK(has_line(feat, "XSHA256"));
	ASK_ALL(rows);
	peer_close(&p);
	story_login(&p);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		int code = peer_ask(&p, "%s a.txt", others[i]);
		char start[40];

		snprintf(start, sizeof start, "\r\n %.*s", (int)strcspn(others[i], " "), others[i]);
		CHECK((strstr(feat, start) != NULL)
			== (code != 500 && code != 502 && code != 504));
	}
	story_end();
}

static void
feat_marks_the_facts_that_are_on(void **state)
{
	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "OPTS MLST size;nonsense;Type;"), 200);
	CHECK(strcmp(p.reply, "200 MLST OPTS type;size;\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	CHECK(has_line(p.reply, "MLST type*;size*;modify;perm;unique;UNIX.mode;"));
	CHECK_CODE(&p, peer_ask(&p, "MLST a.txt"), 250);
	CHECK(has_line(p.reply, "type=file;size=5; /a.txt"));
	CHECK_CODE(&p, peer_ask(&p, "OPTS MLST"), 200);
	CHECK(strcmp(p.reply, "200 MLST OPTS\r\n") == 0);
	story_end();
}

static void
help_names_only_commands_that_are_known(void **state)
{
	char help[2000];
	char *word;

	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "HELP"), 214);
	snprintf(help, sizeof help, "%.1999s", strchr(p.reply, '\n') + 1);
	*strstr(help, "214 ") = '\0';
	word = strtok(help, " \r\n");
	CHECK(word != NULL);
	for (; word != NULL; word = strtok(NULL, " \r\n")) {
		if (strcmp(word, "QUIT") != 0) {
			int code = peer_ask(&p, "%s", word);

			CHECK(code != 500 && code != 502);
		}
	}
	story_end();
}

static void
help_lists_all_commands_and_those_of_site_apart(void **state)
{
	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "HELP PWD"), 214);
	CHECK(has_line(p.reply, "XPWD"));
	CHECK_CODE(&p, peer_ask(&p, "HELP SITE"), 214);
	CHECK(strcmp(p.reply, "214-These commands are known:\r\n CHMOD\r\n HELP\r\n UMASK\r\n"
		"214 End\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "SITE HELP"), 214);
	CHECK(has_line(p.reply, "UMASK"));
	story_end();
}

static void
rein_is_as_before_user_with_all_parameters_new(void **state)
{
	static const struct row before[] = {
		{ "CWD dir", 250 }, { "TYPE I", 200 }, { "OPTS MLST size;", 200 },
		{ "OPTS HASH CRC32", 200 }, { "SITE UMASK 077", 200 }, { "EPSV ALL", 200 },
		{ "EPSV", 229 }, { "RNFR in.txt", 350 }, { "REST 1", 350 }, { "REIN", 220 },
		{ "PWD", 530 }, { "RNTO x", 530 }, { "AUTH TLS", 503 }, { "PASS secret", 503 },
	};
	static const struct row after[] = {
		{ "SIZE a.txt", 550 }, { "RETR a.txt", 522 }, { "PROT P", 200 },
		{ "RETR a.txt", 425 }, { "PASV", 227 },
	};
	size_t len;

	(void)state;
	story_login(&p);
	CHECK(sim_file_open_count() == 2);
	ASK_ALL(before);
	/* Its folder and its passive port are closed; TLS goes on. */
	CHECK(sim_file_open_count() == 1 && sim_net_open_count() == 3);
	CHECK_CODE(&p, peer_login(&p, "gast", "secret"), 230);
	ASK_ALL(after);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
	CHECK(strncmp(p.reply, "257 \"/\" ", 8) == 0);
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	CHECK(has_line(p.reply, "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;"));
	CHECK(has_line(p.reply, "HASH SHA-256*;CRC32"));
	CHECK_CODE(&p, peer_ask(&p, "MKD x"), 550);
	CHECK_CODE(&p, story_fetch(&p, "RETR a.txt", data, sizeof data, &len), 226);
	CHECK(len == 5 && p.data.resumed);
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_ask(&p, "RNTO x"), 503);
	CHECK_CODE(&p, peer_ask(&p, "SITE UMASK"), 200);
	CHECK(strcmp(p.reply, "200 UMASK is 0022\r\n") == 0);
	peer_quit(&p);
	story_check_quiet();
	story_end();
}

static void
rein_waits_for_the_end_of_a_transfer(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "RETR a.txt") == 150);
	peer_command(&p, "REIN");
	CHECK(peer_data_read_all(&p, data, sizeof data) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_reply(&p), 220);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	story_end();
}

static void
after_rein_the_time_to_log_in_runs_anew(void **state)
{
	(void)state;
	story_login(&p);
	for (int i = 0; i < 20; i++) {
		story_wait_ms(story_config.login_timeout * 500);
		CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	}
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	story_wait_ms(story_config.login_timeout * 1000 - 1000);
	CHECK(!peer_has_reply(&p));
	/* What is said meanwhile does not make it longer. */
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	story_wait_ms(2000);
	CHECK_CODE(&p, peer_reply(&p), 421);
	story_check_quiet();
	story_end();
}

/* Its last line has to come: else a client takes what follows for a part of the answer. */
static void
the_end_of_the_server_within_stat_ends_its_answer_first(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		char path[200];

		snprintf(path, sizeof path, "/srv/home/big/%0100d", i);
		sim_file_put(path, "", 0);
	}
	story_login(&p);
	peer_command(&p, "STAT big");
	sim_pump = story_pass;
	for (int i = 0; i < 10; i++) {
		(void)peer_turn(&p);
	}
	sim_pump = story_pump;
	cubftpd_stop(port_clock_ms());
	CHECK_CODE(&p, peer_reply(&p), 213);
	CHECK(strstr(p.reply, "\r\n213 End: ") != NULL);
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK(peer_reply(&p) == CUB_EOF);
	story_end();
}

static void
the_name_of_a_client_is_in_the_log_once_it_is_logged_in(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_ask(&p, "CLNT early"), 200);
	CHECK(strstr(sim_log_line(0), "event=client") != NULL);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_ask(&p, "CLNT A \"client\"=1"), 200);
	CHECK(strstr(sim_log_line(0), "account=anna name=A \\x22client\\x22\\x3D1") != NULL
		|| strstr(sim_log_line(0), "name=A\\x20\\x22client") != NULL);
	story_end();
}

static void
an_empty_directory_is_150_nothing_and_226(void **state)
{
	static const char *const commands[] = { "LIST empty", "NLST empty", "MLSD empty" };
	size_t len;

	(void)state;
	story_login(&p);
	for (size_t i = 0; i < 3; i++) {
		CHECK_CODE(&p, story_fetch(&p, commands[i], data, sizeof data, &len), 226);
		CHECK(len == 0 && p.data.notified);
	}
	story_end();
}

static void
options_of_a_listing_are_skipped(void **state)
{
	static const char *const commands[] = { "NLST -la", "NLST -l -a .", "nlst -a /", "NLST" };

	(void)state;
	story_login(&p);
	for (size_t i = 0; i < 4; i++) {
		CHECK_FETCH(&p, commands[i], "a.txt\r\ndir\r\nempty\r\n", 19);
	}
	story_end();
}

static void
a_directory_of_any_size_is_listed_whole(void **state)
{
	size_t len, lines = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		char path[200];

		snprintf(path, sizeof path, "/srv/home/big/%0100d", i);
		sim_file_put(path, "", 0);
	}
	sim_file_put("/srv/home/big/.cubftpd-0123456789abcdef", "", 0);
	sim_file_put("/srv/home/big/not\nvisible", "", 0);
	story_login(&p);
	CHECK_CODE(&p, story_fetch(&p, "LIST big", data, sizeof data, &len), 226);
	for (size_t i = 0; i < len; i++) {
		lines += data[i] == '\n';
	}
	CHECK(lines == 300);
	CHECK_CODE(&p, peer_ask(&p, "STAT big"), 213);
	lines = 0;
	for (const char *at = p.reply; *at != '\0'; at++) {
		lines += *at == '\n';
	}
	CHECK(lines == 302);
	story_end();
}

static void
no_free_passive_port_is_425_and_another_try_works(void **state)
{
	(void)state;
	for (uint16_t port = 50000; port <= 50015; port++) {
		sim_net_occupy(port);
	}
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "EPSV"), 425);
	CHECK_CODE(&p, peer_ask(&p, "PASV"), 425);
	sim_net_release(50007);
	CHECK(peer_epsv(&p) == 50007);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
	story_end();
}

static void
a_wrong_password_and_an_unknown_user_get_the_same_reply(void **state)
{
	static const char *const users[] = { "anna", "nobody", "an\tna", "ANNA" };

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	for (size_t i = 0; i < 4; i++) {
		CHECK_CODE(&p, peer_login(&p, users[i], "wrong"), 530);
		CHECK(strcmp(p.reply, "530 Login incorrect.\r\n") == 0);
	}
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret "), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	story_end();
}

static void
the_fifth_client_is_told_421_and_a_freed_slot_works(void **state)
{
	static struct peer held[CUB_SESSIONS - 1], last;

	(void)state;
	for (unsigned i = 0; i < CUB_SESSIONS - 1; i++) {
		story_login(&held[i]);
	}
	peer_init(&last);
	CHECK_CODE(&last, peer_connect(&last, 21, false), 220);
	peer_init(&q);
	CHECK_CODE(&q, peer_connect(&q, 21, false), 421);
	CHECK(strcmp(q.reply, "421 Too many connections, try again later\r\n") == 0);
	CHECK_CODE(&q, peer_reply(&q), CUB_EOF);
	CHECK(peer_connect(&q, 990, true) < 0);
	CHECK_CODE(&held[2], peer_quit(&held[2]), 221);
	story_login(&q);
	CHECK_CODE(&last, peer_quit(&last), 221);
	for (unsigned i = 0; i < CUB_SESSIONS - 1; i++) {
		if (i != 2) {
			CHECK_CODE(&held[i], peer_quit(&held[i]), 221);
		}
	}
	CHECK_CODE(&q, peer_quit(&q), 221);
	story_check_quiet();
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_greeting_is_one_line_of_220),
		TEST(before_tls_only_what_leads_to_it_is_answered),
		TEST(each_name_of_the_mechanism_starts_tls),
		TEST(before_login_order_and_secrets_are_kept),
		TEST(the_question_for_a_password_is_the_same_for_all),
		TEST(parameters_are_answered_by_the_table),
		TEST(files_and_directories_are_answered_by_the_table),
		TEST(texts_that_clients_parse_are_exact),
		TEST(passive_mode_is_answered_by_the_family),
		TEST(a_transfer_is_refused_before_150_where_it_can_be),
		TEST(without_prot_p_no_transfer_begins),
		TEST(rights_that_are_missing_are_550),
		TEST(no_path_leads_out_of_the_account),
		TEST(feat_lists_exactly_what_works),
		TEST(feat_marks_the_facts_that_are_on),
		TEST(help_names_only_commands_that_are_known),
		TEST(help_lists_all_commands_and_those_of_site_apart),
		TEST(rein_is_as_before_user_with_all_parameters_new),
		TEST(rein_waits_for_the_end_of_a_transfer),
		TEST(after_rein_the_time_to_log_in_runs_anew),
		TEST(the_end_of_the_server_within_stat_ends_its_answer_first),
		TEST(the_name_of_a_client_is_in_the_log_once_it_is_logged_in),
		TEST(an_empty_directory_is_150_nothing_and_226),
		TEST(options_of_a_listing_are_skipped),
		TEST(a_directory_of_any_size_is_listed_whole),
		TEST(no_free_passive_port_is_425_and_another_try_works),
		TEST(a_wrong_password_and_an_unknown_user_get_the_same_reply),
		TEST(the_fifth_client_is_told_421_and_a_freed_slot_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
