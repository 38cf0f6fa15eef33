/* SPDX-License-Identifier: MIT */
/*
 * Scripts of clients, as they are and with hundreds of changes that a seed chooses: see
 * tests/fuzz/fuzz_session.c for what is claimed of each. Row 4.17 of the checklist.
 *
 *	test_fuzz                     the scripts, as tests
 *	test_fuzz --write FOLDER      the scripts as files, for libFuzzer
 *	test_fuzz CHANGES FILE...     files, each with so many changes: what libFuzzer has found
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "story.h"
#include "tests/fuzz/seeds.h"

#define COUNT (sizeof seeds / sizeof seeds[0])

static const struct seed seeds[] = {
#define SEED(name, text) { name, text, sizeof text - 1 }
	SEED("greeting", "\nFEAT\nHELP\nAUTH TLS\nUSER anna\nPASS secret\nPBSZ 0\nPROT P\nQUIT\n"),
	SEED("clear", "\n|AUTH TLS\r\nUSER anna\r\nFEAT\n"),
	SEED("mechanisms", "\nAUTH SSL\nPROT P\nUSER gast\nPASS wrong\nUSER gast\nPASS secret\nREIN\n"),
	SEED("implicit", "ib\nUSER anna\nPASS secret\nPBSZ 0\nPROT P\nACCT x\nPWD\n"),
	SEED("download", "a\nTYPE I\nEPSV\n+\nRETR a\n<\nREST 6\nPASV\n+\nRETR a\n<\n"),
	SEED("upload", "ar\nTYPE I\nEPSV\n+\nSTOR new\n>one\n>two\n.\nSIZE new\nMDTM new\nDELE new\n"),
	SEED("cut", "a\nEPSV\n+\nSTOR a\n>half\n!\nEPSV\n+\nSTOR n\n>half\n~\nREST 4\nEPSV\n+\n"
		"STOR n\n"),
	SEED("append", "a\nTYPE A\nEPSV\n+\nAPPE a\n>x\ry\n>z\r\n.\nEPSV\n+\nRETR a\n<\nSTOU\n"
		"EPSV\n+\nSTOU\n"),
	SEED("lists", "g\nEPSV\n+\nLIST -la d\n<\nEPSV\n+\nMLSD\n<\nEPSV\n+\nNLST ../home\n<\n"
		"MLST a\nSTAT a\n"),
	SEED("folders", "ab\nMKD \"q\"\nCWD \"q\"\nPWD\nCDUP\nRNFR \"q\"\nRNTO e\nRMD e\nXMKD /x//y\n"),
	SEED("paths", "a\nCWD ../../../etc\nRETR /../other/b\nSTOR ..\nRNFR a\nRNTO ../other/c\n"
		"DELE ~\n"),
	SEED("reader", "g\nDELE a\nMKD x\nRNFR a\nRNTO b\nSITE CHMOD 777 a\nMFMT 20200101000000 a\n"
		"STOR a\n"),
	SEED("abort", "a\nEPSV\n+\nSTOR a\n>x\n|\xFF\xF4\xFF\xF2\nABOR\nEPSV\nSTAT\n+\nRETR a\n"
		"NOOP\nABOR\n"),
	SEED("late", "a\nEPSV\n@70\nRETR a\n@70\nPASV\n+\n@70\nSTOR a\n@400\n"),
	SEED("order", "g\nRNTO x\nREST 99999999999999999999\nREST -1\nRETR a\nEPSV ALL\nPASV\n"
		"EPSV 2\nEPSV 9\n"),
	SEED("options", "g\nOPTS UTF8 ON\nOPTS MLST type;size;\nOPTS HASH CRC32\nOPTS X\nLANG\n"
		"HOST x\nCLNT c\n"),
	SEED("hash", "g\nHASH a\nXCRC a\nXSHA256 a 2 5\nXSHA256 \"a\" 1\nOPTS HASH SHA-256\n"
		"HASH d\nAVBL\n"),
	SEED("site", "a\nSITE\nSITE HELP\nSITE UMASK 077\nSITE CHMOD 600 a\nALLO 999999999\n"
		"ALLO 1 R 2\n"),
	SEED("modify", "a\nMFMT 20240229235959 a\nMFMT 20240230000000.123 a\nMDTM a\nXRMD d\nMLST d\n"),
	SEED("active", "a\nPORT 192,0,2,10,4,1\nEPRT |1|192.0.2.10|1025|\nEPRT |2|::1|1|\nRETR a\n"),
	SEED("parameters", "g\nTYPE\nTYPE A N\nTYPE L 8\nTYPE E\nMODE S\nMODE Z\nSTRU F\nSTRU R\n"
		"SYST\nPBSZ 9\nPROT C\n"),
	SEED("other", "\nGET / HTTP/1.1\nHost: x\n"),
	SEED("pipeline", "gr\n|NOOP\r\nEPSV\r\nSIZE a\r\nPWD\r\nFEAT\r\nNOOP\n\n+\n|RETR a\r\n"
		"NOOP\r\nSTAT\r\nQUIT\r\n\n<\n"),
};

static const struct corpus corpus = { seeds, COUNT, "\0\r\n +<>.!~@=|/\"-\xFF\xF4", 19 };

static void
whatever_a_client_does_the_server_comes_to_an_end_with_it(void **state)
{
	for (size_t i = 0; i < COUNT; i++) {
		(void)story_setup(state);
		seeds_try(&corpus, seeds[i].at, seeds[i].len, story_times(20, 2));
	}
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_a_client_does_the_server_comes_to_an_end_with_it),
	};

	return argc > 2 ? seeds_main(&corpus, argc, argv)
		: cmocka_run_group_tests(tests, NULL, NULL);
}
