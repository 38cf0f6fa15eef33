/* SPDX-License-Identifier: MIT */
/*
 * How deep the server's stack gets, measured: the real core and BearSSL run whole sessions
 * in the simulated port, the server's turns on a stack of their own that was painted before.
 * `make size` prints the result. It holds for the processor it ran on; what the port's own
 * functions take comes on top, and is known from the compiler (tools/stack.py).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "../data/clients.h"
#include "cubftpd.h"
#include "peer.h"

#define STACK_SIZE 65536
#define PAINT      0xA5

static unsigned char stack[STACK_SIZE];
static ucontext_t outside, inside;
static struct peer p;
static struct cubftpd_config config;
static char wrong[256];
static struct out why = { .at = wrong, .cap = sizeof wrong };
static int result;

static void
start(void)
{
	result = cubftpd_start(&config, &why);
}

static void
add_account(void)
{
	static char name[] = "account", verb[] = "add", who[] = "anna", how[] = "--password-stdin";
	static char *argv[] = { name, verb, who, how };
	static char said[CUBFTPD_ADMIN_OUT];
	struct out out = { .at = said, .cap = sizeof said };

	cubftpd_input_start(INPUT_PASSWORD);
	cubftpd_input_feed("secret", 6);
	result = cubftpd_input_end(&why);
	result = result < 0 ? result : cubftpd_admin(&config, 4, argv, &out, &why);
}

static void
add_ca(void)
{
	static char name[] = "ca", verb[] = "add", file[] = "acme.crt", how[] = "--account";
	static char who[] = "anna";
	static char *argv[] = { name, verb, file, how, who };
	static char said[CUBFTPD_ADMIN_OUT];
	struct out out = { .at = said, .cap = sizeof said };

	cubftpd_input_start(INPUT_CERTIFICATES);
	cubftpd_input_feed(client_ca, sizeof client_ca);
	result = cubftpd_input_end(&why);
	result = result < 0 ? result : cubftpd_admin(&config, 5, argv, &out, &why);
}

static void
reload(void)
{
	result = cubftpd_reload(&config, &why);
}

static void
turn(void)
{
	static struct port_wait set;
	int turns = 0;

	do {
		cubftpd_want(&set);
		port_wait(&set);
		cubftpd_step(&set, port_clock_ms());
	} while (sim_waited() == SIM_WAITED_READY && turns++ < 100);
}

/* Run something on the painted stack. */
static void
run_inside(void (*what)(void))
{
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	inside.uc_link = &outside;
	makecontext(&inside, what, 0);
	swapcontext(&outside, &inside);
}

static void
pump(void)
{
	run_inside(turn);
}

static void
measure(const char *what)
{
	size_t untouched = 0;

	while (untouched < sizeof stack && stack[untouched] == PAINT) {
		untouched++;
	}
	printf("  %7zu  %s\n", sizeof stack - untouched, what);
	memset(stack, PAINT, sizeof stack);
}

/* Login, a listing, an upload and a download: everything that TLS and the stores need. */
static void
run_session(void)
{
	static char data[20000];

	peer_init(&p);
	(void)peer_connect(&p, 21, false);
	(void)peer_auth_tls(&p);
	measure("a TLS handshake");
	result = peer_login(&p, "anna", "secret") == 230 && peer_protect(&p) == 200 ? CUB_OK : -1;
	(void)peer_data_connect(&p, peer_epsv(&p));
	(void)peer_ask(&p, "STOR a");
	(void)peer_data_write(&p, data, sizeof data);
	peer_data_close(&p);
	(void)peer_reply(&p);
	(void)peer_data_connect(&p, peer_epsv(&p));
	(void)peer_ask(&p, "RETR a");
	(void)peer_data_read_all(&p, data, sizeof data);
	result = peer_reply(&p) == 226 ? result : -1;
	(void)peer_data_connect(&p, peer_epsv(&p));
	(void)peer_ask(&p, "MLSD");
	(void)peer_data_read_all(&p, data, sizeof data);
	(void)peer_reply(&p);
	(void)peer_ask(&p, "MLST a");
	measure("a session: login, listing, upload, download");
}

/* Level 3: a chain with an intermediate CA is verified, in the middle of a server's turn. */
static void
run_signed_session(void)
{
	static struct peer_cert cert;

	(void)cubftpd_config_set(&config, "client_certificate", 18, "signed", 6, &why);
	(void)cubftpd_config_set(&config, "signed_trust", 12, "auto", 4, &why);
	run_inside(reload);
	measure("a reload");
	if (result == CUB_OK) {
		run_inside(add_ca);
		measure("adding a CA");
	}
	peer_cert_start(&cert, client_key_ec, sizeof client_key_ec);
	peer_cert_add(&cert, client_below, sizeof client_below);
	peer_cert_add(&cert, client_middle, sizeof client_middle);
	peer_init(&p);
	p.cert = &cert;
	(void)peer_connect(&p, 21, false);
	(void)peer_auth_tls(&p);
	result = result == CUB_OK && peer_login(&p, "anna", "") == 232 ? CUB_OK : -1;
	measure("a handshake and login with a certificate that a CA signed");
}

int
main(void)
{
	sim_reset(1);
	sim_pump = pump;
	memset(stack, PAINT, sizeof stack);
	cubftpd_config_default(&config);
	(void)cubftpd_config_set(&config, "listen", 6, "192.0.2.1:21", 12, &why);
	(void)cubftpd_config_set(&config, "root", 4, "/srv", 4, &why);
	puts("Stack in bytes, measured (core and BearSSL, without the port):");
	run_inside(start);
	measure("the first start: making a key and a certificate");
	if (result == CUB_OK) {
		run_inside(add_account);
		measure("adding an account");
		run_session();
	}
	if (result == CUB_OK) {
		run_signed_session();
	}
	if (result < 0) {
		fprintf(stderr, "the session did not go as it should: %.*s\n", (int)why.len, why.at);
		return 1;
	}
	return 0;
}
