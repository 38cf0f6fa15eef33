/* SPDX-License-Identifier: MIT */
/*
 * The control socket, by the bytes of its format (include/cubftpd.h): commands to the running
 * server, one client at a time, and whatever else may come there.
 */
#include "level.h"

#include "key.h"

#define SOCKET "/run/cubftpd.sock"
#define HEAD   8

/* What comes of a request. */
enum { DONE, FAILED, USAGE, NO_ANSWER };

static struct peer p, q;
static struct peer_cert self;
static uint8_t request[HEAD + CUBFTPD_CONTROL_ARGS + CUB_INPUT_MAX];
static char raw[32768], said[sizeof raw], wrong[1024];

static int
setup(void **state)
{
	story_setup(state);
	LEVEL_CERT(&self, key_ec, self);
	story_begin(sim_seed_or(1));
	story_set("control_socket", SOCKET);
	story_set("client_certificate", "optional");
	sim_file_put("/srv/home/a", "hello", 5);
	story_start();
	CHECK(strcmp(sim_local_name(), SOCKET) == 0);
	return 0;
}

/* ---- A client ---- */

/* A request, with its arguments at single blanks. Returns its length. */
static size_t
make_request(const char *line, const void *input, size_t input_len)
{
	size_t len = strlen(line) + 1;

	CHECK(HEAD + len + input_len <= sizeof request);
	memcpy(request, "cub", 3);
	request[3] = CUBFTPD_CONTROL_FORMAT;
	request[4] = (uint8_t)len;
	request[5] = (uint8_t)(len >> 8);
	request[6] = (uint8_t)input_len;
	request[7] = (uint8_t)(input_len >> 8);
	for (size_t i = 0; i < len; i++) {
		request[HEAD + i] = (uint8_t)(line[i] == ' ' ? '\0' : line[i]);
	}
	if (input_len > 0) {
		memcpy(request + HEAD + len, input, input_len);
	}
	return HEAD + len + input_len;
}

static sim_peer
connect_client(void)
{
	sim_peer client;

	CHECK(sim_connect_local(&client) == CUB_OK);
	return client;
}

static void
write_request(sim_peer client, const void *src, size_t len)
{
	CHECK(sim_peer_write(client, src, len) == (int)len);
}

/* The whole answer, cut apart into `wrong` and `said`; and the client goes. */
static int
take_answer(sim_peer client)
{
	size_t len = 0, wrong_len;
	int n;

	story_settle();
	while ((n = sim_peer_read(client, raw + len, sizeof raw - 1 - len)) > 0) {
		len += (size_t)n;
	}
	CHECK(n == CUB_EOF || n == CUB_E_IO);
	sim_peer_close(client);
	raw[len] = '\0';
	if (len == 0) {
		return NO_ANSWER;
	}
	CHECK(len >= 3 && raw[0] >= DONE && raw[0] <= USAGE);
	wrong_len = (size_t)(uint8_t)raw[1] | (size_t)(uint8_t)raw[2] << 8;
	CHECK(wrong_len <= len - 3 && wrong_len < sizeof wrong);
	memcpy(wrong, raw + 3, wrong_len);
	wrong[wrong_len] = '\0';
	memcpy(said, raw + 3 + wrong_len, len - 3 - wrong_len + 1);
	CHECK(strlen(said) == len - 3 - wrong_len);
	CHECK(strchr(wrong, '\n') == NULL);
	return raw[0];
}

static int
ask_bytes(const void *src, size_t len)
{
	sim_peer client = connect_client();

	write_request(client, src, len);
	return take_answer(client);
}

static int
ask_with(const void *input, size_t input_len, const char *line)
{
	return ask_bytes(request, make_request(line, input, input_len));
}

static int ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int
ask(const char *format, ...)
{
	char line[CUBFTPD_CONTROL_ARGS];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	return ask_with(NULL, 0, line);
}

/* A certificate as input, in the form that cubftpd_input_bytes() has. */
static int
ask_with_cert(const void *der, size_t len, const char *line)
{
	uint8_t input[2048];

	CHECK(len + 2 <= sizeof input);
	input[0] = (uint8_t)len;
	input[1] = (uint8_t)(len >> 8);
	memcpy(input + 2, der, len);
	return ask_with(input, len + 2, line);
}

#define ASK_WITH(own, line) ask_with_cert(client_##own, sizeof client_##own, (line))

/* The server does what it did before: nothing is left of whoever came. */
static void
check_serves(void)
{
	CHECK(ask("fingerprint") == DONE && strncmp(said, "sha256:", 7) == 0);
	story_check_quiet();
}

/* ---- Every command ---- */

static void
queries_are_answered_as_they_are_in_the_program(void **state)
{
	static const char *const queries[] = {
		"status", "status --json", "sessions", "sessions --json", "pending", "pending --json",
		"trusted", "trusted --json", "ca list", "ca list --json", "account list",
		"account list --json", "fingerprint", "csr", "check",
	};

	(void)state;
	level_knock(&p, &self);
	CHECK(ASK_WITH(another, "trust file --account anna") == DONE);
	CHECK(ASK_WITH(ca, "ca add --name acme file") == DONE);
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		int status = ask("%s", queries[i]);
		int err = story_admin("%s", queries[i]);

		CHECK(status == (err == CUB_OK ? DONE : FAILED));
		CHECK(said[0] != '\0' && strcmp(said, story_said) == 0);
		CHECK(strcmp(wrong, story_wrong) == 0);
	}
	CHECK_CODE(&p, peer_quit(&p), 221);
	check_serves();
	story_end();
}

static void
trust_and_distrust_act_on_the_running_server(void **state)
{
	(void)state;
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	CHECK(ask("pending") == DONE && strstr(said, DIGITS(self)) != NULL);
	CHECK(ask("trust %.12s --account anna --label seven", DIGITS(self)) == DONE);
	CHECK(strstr(said, DIGITS(self)) != NULL);
	CHECK(ask("pending") == DONE && said[0] == '\0');
	CHECK_CODE(&q, level_come(&q, &self, "anna"), 232);
	CHECK(ask("distrust seven") == DONE);
	level_check_ended(&q);
	CHECK(ask("distrust seven") == FAILED && strstr(wrong, "seven") != NULL);
	CHECK_CODE(&p, peer_quit(&p), 221);
	check_serves();
	story_end();
}

static void
cas_are_added_and_removed(void **state)
{
	(void)state;
	CHECK(ASK_WITH(ca, "ca add --account anna /tmp/acme.crt") == DONE);
	CHECK(ask("ca list") == DONE && strstr(said, "acme") != NULL);
	CHECK(ASK_WITH(signed, "ca add leaf.crt") != DONE);
	CHECK(wrong[0] != '\0');
	CHECK(ask("ca remove acme") == DONE);
	CHECK(ask("ca list") == DONE && strstr(said, "acme") == NULL);
	CHECK(ask("ca remove acme") == FAILED && strstr(wrong, "acme") != NULL);
	check_serves();
	story_end();
}

static void
accounts_are_added_changed_and_removed(void **state)
{
	(void)state;
	CHECK(ask_with("first\n", 6, "account add berta --rights rl --password-stdin") == DONE);
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	CHECK_CODE(&p, peer_login(&p, "berta", "first"), 230);
	CHECK(ask_with("second\n", 7, "account passwd berta") == DONE);
	level_check_ended(&p);
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	CHECK_CODE(&p, peer_login(&p, "berta", "first"), 530);
	CHECK_CODE(&p, peer_login(&p, "berta", "second"), 230);
	CHECK(ask("account remove berta") == DONE);
	level_check_ended(&p);
	/* A password is for the one command that it came with. */
	CHECK(ask("account add berta --password-stdin") == USAGE);
	check_serves();
	story_end();
}

/* The device's own certificate, as it came in a handshake. */
static size_t
own_certificate(const unsigned char **der)
{
	size_t len;
	const unsigned char *body = peer_heard(&p.control, 11, &len);

	CHECK(body != NULL && len > 6);
	*der = body + 6;
	return (size_t)body[3] << 16 | (size_t)body[4] << 8 | body[5];
}

static void
a_chain_is_installed_if_it_fits_the_key(void **state)
{
	const unsigned char *der;
	size_t len;

	(void)state;
	level_knock(&p, NULL);
	len = own_certificate(&der);
	CHECK(ask_with_cert(der, len, "cert") == DONE && strncmp(said, "sha256:", 7) == 0);
	CHECK(ASK_WITH(self, "cert") != DONE && wrong[0] != '\0');
	CHECK(ask("cert") != DONE && wrong[0] != '\0');
	CHECK(ask("init") == FAILED && strstr(wrong, "already") != NULL);
	CHECK_CODE(&p, peer_quit(&p), 221);
	check_serves();
	story_end();
}

static void
kick_ends_one_session_with_421(void **state)
{
	(void)state;
	story_login(&p);
	story_login(&q);
	CHECK(story_open(&p, "STOR a") == 150);
	CHECK(peer_data_write(&p, "half", 4) == 4);
	CHECK(ask("sessions --json") == DONE);
	CHECK(strstr(said, "\"path\":\"/a\",\"bytes\":4}") != NULL);
	CHECK(ask("kick 1") == DONE);
	CHECK(peer_has_reply(&p));
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	CHECK_CODE(&q, peer_ask(&q, "PWD"), 257);
	CHECK(ask("kick 7") == FAILED && strstr(wrong, "7") != NULL);
	CHECK(ask("kick anna") == USAGE && ask("kick") == USAGE);
	peer_data_cut(&p);
	CHECK_CODE(&q, peer_quit(&q), 221);
	check_serves();
	story_end();
}

static void
long_lists_arrive_whole(void **state)
{
	unsigned count = 0;

	(void)state;
	for (unsigned i = 1; i <= CUB_TRUSTED; i++) {
		CHECK(ask("trust %016x%048x --account anna --label a-label-of-all-32-bytes-%08u", i, i, i)
			== DONE);
	}
	CHECK(ask("trust %064x --account anna", 1) == FAILED && strstr(wrong, "full") != NULL);
	CHECK(ask("trusted --json") == DONE);
	CHECK(strlen(said) > 3 * CUBFTPD_ADMIN_OUT);
	CHECK(said[0] == '[' && strcmp(said + strlen(said) - 3, "}]\n") == 0);
	for (const char *at = said; (at = strstr(at, "\"fingerprint\":")) != NULL; at++) {
		count++;
	}
	CHECK(count == CUB_TRUSTED);
	CHECK(story_admin("trusted --json") == CUB_OK && strcmp(said, story_said) == 0);
	check_serves();
	story_end();
}

/* ---- Reload ---- */

/* Ask for it, up to where it is the program's turn: the server does not wait any more then. */
static sim_peer
ask_for_reload(void)
{
	sim_peer client = connect_client();

	write_request(client, request, make_request("reload", NULL, 0));
	for (int i = 0; i < 10; i++) {
		story_pass();
	}
	CHECK(cubftpd_wants_reload());
	CHECK(!sim_peer_eof(client) && sim_peer_pending(client) == 0);
	return client;
}

static void
reload_is_answered_when_the_program_has_reloaded(void **state)
{
	struct out why = { .at = wrong, .cap = sizeof wrong };
	sim_peer client;

	(void)state;
	CHECK(!cubftpd_wants_reload());
	client = ask_for_reload();
	story_set("greeting", "another greeting");
	CHECK(story_reload() == CUB_OK && !cubftpd_wants_reload());
	CHECK(take_answer(client) == DONE && wrong[0] == '\0' && said[0] == '\0');
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK(strstr(p.reply, "another greeting") != NULL);
	peer_cut(&p);
	/* What is wrong with the configuration, the program knows. */
	client = ask_for_reload();
	why.len = (size_t)snprintf(wrong, sizeof wrong, "cubftpd.conf:3: no");
	CHECK(cubftpd_reload(NULL, &why) < 0);
	CHECK(take_answer(client) == FAILED && strcmp(wrong, "cubftpd.conf:3: no") == 0);
	/* What is wrong with the stores, the server. */
	client = ask_for_reload();
	sim_flash_fail_at(1, false, CUB_E_IO);
	CHECK(story_reload() < 0);
	CHECK(take_answer(client) == FAILED && strcmp(wrong, story_wrong) == 0);
	check_serves();
	story_end();
}

/* As when SIGHUP comes while nobody waits, and while somebody is about to ask. */
static void
a_reload_that_nobody_asked_for_answers_nobody(void **state)
{
	sim_peer client = connect_client();
	size_t len = make_request("reload", NULL, 0);

	(void)state;
	CHECK(story_reload() == CUB_OK);
	write_request(client, request, len - 1);
	story_settle();
	CHECK(!cubftpd_wants_reload() && story_reload() == CUB_OK);
	CHECK(!sim_peer_eof(client) && sim_peer_pending(client) == 0);
	write_request(client, request + len - 1, 1);
	story_pass();
	CHECK(cubftpd_wants_reload() && story_reload() == CUB_OK);
	CHECK(take_answer(client) == DONE);
	/* It went away meanwhile. */
	client = ask_for_reload();
	sim_peer_close(client);
	story_pass();
	CHECK(story_reload() == CUB_OK && !cubftpd_wants_reload());
	check_serves();
	story_end();
}

/* ---- What else may come ---- */

static void
a_request_may_come_in_single_bytes(void **state)
{
	uint8_t input[sizeof client_self + 2] = {
		sizeof client_self & 255, sizeof client_self >> 8,
	};
	sim_peer client = connect_client();
	size_t len;

	(void)state;
	memcpy(input + 2, client_self, sizeof client_self);
	len = make_request("trust file --account anna --label seven", input, sizeof input);
	for (size_t i = 0; i < len; i++) {
		CHECK(sim_peer_pending(client) == 0 && !sim_peer_eof(client));
		write_request(client, request + i, 1);
		story_settle();
	}
	CHECK(take_answer(client) == DONE && strstr(said, "seven") != NULL);
	CHECK(IS_TRUSTED(&self));
	check_serves();
	story_end();
}

static void
what_is_no_request_is_dropped_without_an_answer(void **state)
{
	static const struct { const char *bytes; size_t len; } heads[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 18 },
		{ "cub\2\7\0\0\0status", 15 },              /* of a format that comes one day */
		{ "cub\0\7\0\0\0status", 15 },
		{ "cub\1\1\2\0\0status", 15 },              /* 513 bytes of arguments */
		{ "cub\1\377\377\0\0status", 15 },
		{ "cub\1\7\0\377\377status", 15 },          /* more input than there is room */
		{ "\0\0\0\0\0\0\0\0", 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		CHECK(ask_bytes(heads[i].bytes, heads[i].len) == NO_ANSWER);
		check_serves();
	}
	story_end();
}

static void
arguments_that_are_not_well_formed_are_a_wrong_usage(void **state)
{
	char many[64] = "status";
	size_t len;

	(void)state;
	len = make_request("status", NULL, 0);
	request[len - 1] = 'x';  /* no NUL at the end */
	CHECK(ask_bytes(request, len) == USAGE && strstr(wrong, "make no sense") != NULL);
	CHECK(ask_bytes("cub\1\0\0\0\0", 8) == USAGE && strstr(wrong, "make no sense") != NULL);
	memcpy(request, "cub\1\0\2\0\0", HEAD);
	memset(request + HEAD, 'x', CUBFTPD_CONTROL_ARGS);
	CHECK(ask_bytes(request, HEAD + CUBFTPD_CONTROL_ARGS) == USAGE);
	CHECK(strstr(wrong, "make no sense") != NULL);
	/* More of them than any command has. */
	for (int i = 0; i < 28; i++) {
		strcat(many, " x");
	}
	CHECK(ask("%s", many) == USAGE && strstr(wrong, "make no sense") != NULL);
	CHECK(ask("%s", "unheard-of") == USAGE && strstr(wrong, "unheard-of") != NULL);
	CHECK(ask_bytes("cub\1\1\0\0\0", 9) == USAGE);  /* one empty argument */
	/* What an answer quotes is escaped. */
	len = make_request("status --json x", NULL, 0);
	request[len - 2] = '\n';
	CHECK(ask_bytes(request, len) == USAGE);
	check_serves();
	story_end();
}

static void
arguments_of_the_greatest_length_are_taken(void **state)
{
	static char line[CUBFTPD_CONTROL_ARGS];
	static uint8_t input[CUB_INPUT_MAX];

	(void)state;
	memset(line, 'x', sizeof line - 1);
	memcpy(line, "status ", 7);
	CHECK(ask("%s", line) == USAGE && strstr(wrong, "too many arguments: xxx") != NULL);
	memset(input, 'p', sizeof input);
	CHECK(ask_with(input, sizeof input, "account passwd anna") == USAGE);
	CHECK(strstr(wrong, "password") != NULL);
	check_serves();
	story_end();
}

static void
whoever_says_nothing_is_dropped_after_five_seconds(void **state)
{
	(void)state;
	for (size_t said_so_far = 0; said_so_far < 12; said_so_far += 3) {
		sim_peer client = connect_client(), other;

		(void)make_request("status", NULL, 0);
		if (said_so_far > 0) {
			write_request(client, request, said_so_far);
		}
		story_settle();
		other = connect_client();
		write_request(other, request, make_request("fingerprint", NULL, 0));
		story_wait_ms(4999);
		CHECK(!sim_peer_eof(client) && sim_peer_pending(other) == 0);
		story_wait_ms(1);
		CHECK(take_answer(client) == NO_ANSWER);
		CHECK(take_answer(other) == DONE);
		story_check_quiet();
	}
	story_end();
}

static void
whoever_goes_away_half_way_leaves_nothing(void **state)
{
	size_t len = make_request("account passwd anna", "geheim\n", 7);

	(void)state;
	for (size_t n = 0; n <= len; n++) {
		sim_peer client = connect_client();

		len = make_request("account passwd anna", "geheim\n", 7);
		if (n > 0) {
			write_request(client, request, n);
		}
		if (n % 2 == 0) {
			story_settle();
		}
		if (n % 3 == 0) {
			sim_peer_reset(client);
		} else {
			sim_peer_close(client);
		}
		check_serves();
		/* What it left of an input is nobody else's. */
		CHECK(ask("account passwd gast") == USAGE);
	}
	story_end();
}

static void
who_ends_its_side_is_answered_all_the_same(void **state)
{
	sim_peer client = connect_client();

	(void)state;
	write_request(client, request, make_request("status", NULL, 0));
	sim_peer_shutdown(client);
	CHECK(take_answer(client) == DONE && said[0] != '\0');
	check_serves();
	story_end();
}

static void
clients_wait_for_their_turn(void **state)
{
	sim_peer first = connect_client(), second = connect_client(), third;
	size_t len;

	(void)state;
	len = make_request("account remove otto", NULL, 0);
	write_request(first, request, 5);
	story_settle();
	write_request(second, request, make_request("account list", NULL, 0));
	third = connect_client();
	write_request(third, request, make_request("status", NULL, 0));
	story_settle();
	CHECK(sim_peer_pending(second) == 0 && sim_peer_pending(third) == 0);
	/* FTP goes on meanwhile. */
	story_login(&p);
	CHECK_CODE(&p, peer_quit(&p), 221);
	len = make_request("account remove otto", NULL, 0);
	write_request(first, request + 5, len - 5);
	CHECK(take_answer(first) == DONE);
	CHECK(take_answer(second) == DONE && strstr(said, "otto") == NULL);
	CHECK(take_answer(third) == DONE);
	check_serves();
	story_end();
}

/* Its memory is the upload's then: what needs none of it goes on. */
static void
a_command_with_input_waits_for_an_upload_to_the_folder(void **state)
{
	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA && CONFIG_CUBFTPD_PROVISION);
	level_trust(&self, "anna", "--admin --label seven");
	level_enter(&p, &self, "anna");
	CHECK(story_open(&p, "STOR /.provision/trusted/eight+otto.crt") == 150);
	CHECK(peer_data_write(&p, client_another, 100) == 100);
	story_settle();
	CHECK(ASK_WITH(self_rsa, "trust file --account anna") == FAILED);
	CHECK(strstr(wrong, "try again") != NULL);
	CHECK(ask_with("geheim\n", 7, "account passwd gast") == FAILED);
	CHECK(ask("status") == DONE && ask("trusted") == DONE && strstr(said, "seven") != NULL);
	CHECK(ask("account remove gast") == DONE);
	CHECK(peer_data_write(&p, client_another + 100, sizeof client_another - 100) > 0);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(ask("trusted") == DONE && strstr(said, DIGITS(another)) != NULL);
	CHECK(ASK_WITH(self_rsa, "trust file --account anna") == DONE);
	CHECK_CODE(&p, peer_quit(&p), 221);
	check_serves();
	story_end();
}

/* ---- The socket itself ---- */

static bool
ask_with_fault(uint64_t n, bool forever)
{
	sim_peer client = connect_client();
	bool struck;

	write_request(client, request, make_request("status", NULL, 0));
	sim_net_fail_at(n, forever);
	story_settle();
	struck = sim_net_failed();
	sim_net_fail_at(0, false);
	sim_peer_close(client);
	check_serves();
	return struck;
}

static void
any_socket_call_may_fail(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1; ask_with_fault(n, forever != 0); n++) {
			continue;
		}
	}
	story_end();
}

/* It does not keep the server busy, nor the next one waiting. */
static void
whoever_reads_no_answer_is_dropped(void **state)
{
	sim_peer client;

	(void)state;
	sim_net_buffer(50);
	client = connect_client();
	write_request(client, request, make_request("status", NULL, 0));
	story_settle();
	sim_net_buffer(65536);
	check_serves();
	sim_peer_close(client);
	story_end();
}

static void
stopping_drops_whoever_asks_and_removes_the_name(void **state)
{
	sim_peer client = connect_client(), other;

	(void)state;
	write_request(client, request, 3);
	story_settle();
	other = connect_client();
	cubftpd_stop(port_clock_ms());
	CHECK(take_answer(client) == NO_ANSWER && take_answer(other) == NO_ANSWER);
	CHECK(sim_connect_local(&other) == CUB_E_IO && sim_local_name()[0] == '\0');
	story_end();
	/* While it waits for the program to reload. */
	story_start();
	client = ask_for_reload();
	cubftpd_stop(port_clock_ms());
	CHECK(!cubftpd_wants_reload());
	CHECK(take_answer(client) == NO_ANSWER);
	story_end();
	story_start();
	check_serves();
	story_end();
}

static void
a_name_that_something_else_has_is_left_alone(void **state)
{
	struct out why = { .at = wrong, .cap = sizeof wrong - 1 };

	(void)state;
	story_end();
	sim_file_put(SOCKET, "precious", 8);
	CHECK(cubftpd_start(&story_config, &why) == CUB_E_EXIST);
	wrong[why.len] = '\0';
	CHECK(strstr(wrong, SOCKET) != NULL);
	CHECK(sim_file_is(SOCKET, "precious", 8));
	CHECK(sim_net_open_count() == 0 && sim_file_open_count() == 0);
	CHECK(!sim_flash_is_open(PORT_AREA_IDENTITY) && !sim_flash_is_open(PORT_AREA_TRUST));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_are_answered_as_they_are_in_the_program),
		TEST(trust_and_distrust_act_on_the_running_server),
		TEST(cas_are_added_and_removed),
		TEST(accounts_are_added_changed_and_removed),
		TEST(a_chain_is_installed_if_it_fits_the_key),
		TEST(kick_ends_one_session_with_421),
		TEST(long_lists_arrive_whole),
		TEST(reload_is_answered_when_the_program_has_reloaded),
		TEST(a_reload_that_nobody_asked_for_answers_nobody),
		TEST(a_request_may_come_in_single_bytes),
		TEST(what_is_no_request_is_dropped_without_an_answer),
		TEST(arguments_that_are_not_well_formed_are_a_wrong_usage),
		TEST(arguments_of_the_greatest_length_are_taken),
		TEST(whoever_says_nothing_is_dropped_after_five_seconds),
		TEST(whoever_goes_away_half_way_leaves_nothing),
		TEST(who_ends_its_side_is_answered_all_the_same),
		TEST(clients_wait_for_their_turn),
		TEST(a_command_with_input_waits_for_an_upload_to_the_folder),
		TEST(any_socket_call_may_fail),
		TEST(whoever_reads_no_answer_is_dropped),
		TEST(stopping_drops_whoever_asks_and_removes_the_name),
		TEST(a_name_that_something_else_has_is_left_alone),
	};

	return !CONFIG_CUBFTPD_ADMIN ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
