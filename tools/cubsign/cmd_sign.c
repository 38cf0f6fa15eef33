/* SPDX-License-Identifier: MIT */
/* `cubsign sign`: requests become certificates, one after another. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "authority.h"
#include "date.h"
#include "describe.h"
#include "disk.h"
#include "load.h"
#include "plain.h"
#include "tell.h"

/* A file, by what does not depend on how its path is written. */
struct file {
	dev_t device;
	ino_t number;
};

/* What all of a run shares. */
struct run {
	struct authority authority;
	struct order order;
	const char *out;          /* --out; null: beside the request */
	bool is_out_folder;
	bool force;
	bool json;
	unsigned signed_count, refused_count;
	struct file *written;     /* what it has written, by malloc(3) */
	size_t written_count;
};

/* Where the certificate of a request goes. */
static bool
find_output(const struct run *run, const char *file, char path[DISK_PATH_MAX], struct out *why)
{
	char base[DISK_PATH_MAX];
	struct out o = OUT(base);
	struct text name = text_of(file);
	const char *slash = strrchr(file, '/');

	if (run->out != NULL && !run->is_out_folder) {
		return disk_path(path, run->out, "", why);
	}
	if (strcmp(file, "-") == 0) {
		return tell(why, "say with --out FILE where the certificate goes");
	}
	if (run->out != NULL) {
		name = text_of(slash == NULL ? file : slash + 1);
		out_string(&o, run->out);
		out_string(&o, "/");
	}
	if (name.len > 4 && memcmp(name.at + name.len - 4, ".csr", 4) == 0) {
		name.len -= 4;
	}
	out_text(&o, name);
	return !o.cut ? disk_path(path, out_finish(&o), ".crt", why)
		: tell(why, "its name is too long");
}

static void
put_line(struct out *o, const char *file, const char *path, const struct csr *csr,
	const struct issued *issued)
{
	plain_put(o, text_of(file));
	out_string(o, ": ");
	plain_put(o, text_of(path));
	out_string(o, ", ");
	x509_put_name(o, csr->subject, 512);
	out_string(o, ", serial ");
	out_string(o, issued->serial);
	out_string(o, ", ");
	x509_put_fingerprint(o, issued->fingerprint);
	out_string(o, ", until ");
	x509_put_day(o, issued->until_s);
	out_string(o, issued->is_renewal ? ", renewal" : "");
	out_string(o, issued->is_shortened ? ", not for longer since the CA ends then" : "");
	out_string(o, issued->leaves_names ? ", without names that it asks for" : "");
	out_char(o, '\n');
}

static void
put_object(struct out *o, const char *file, const char *path, const struct csr *csr,
	const struct issued *issued)
{
	struct report r = report_start(o, true);
	char text[513];
	struct out subject = OUT(text);

	x509_put_name(&subject, csr->subject, sizeof text - 1);
	describe_file(&r, "request", file);
	describe_file(&r, "certificate", path);
	report_text(&r, "subject", out_finish(&subject));
	report_text(&r, "serial", issued->serial);
	report_hash(&r, "fingerprint", issued->fingerprint);
	report_time(&r, "not_after", issued->until_s);
	report_flag(&r, "renewal", issued->is_renewal);
	report_flag(&r, "shortened", issued->is_shortened);
	report_flag(&r, "names_left_out", issued->leaves_names);
	report_end(&r);
}

static void
put_refusal(struct out *o, const char *file, const struct out *why)
{
	struct report r = report_start(o, true);
	char text[1024];
	struct out reason = OUT(text);

	out_text(&reason, out_so_far(why));
	describe_file(&r, "request", file);
	report_text(&r, "error", out_finish(&reason));
	report_end(&r);
}

/* Has this run written that file? */
static bool
has_written(const struct run *run, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return false;
	}
	for (size_t i = 0; i < run->written_count; i++) {
		if (run->written[i].device == st.st_dev && run->written[i].number == st.st_ino) {
			return true;
		}
	}
	return false;
}

/* Remember one that was written. */
static void
note_written(struct run *run, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		run->written[run->written_count++] = (struct file){ st.st_dev, st.st_ino };
	}
}

/* May the certificate go there? Nothing is signed before that is known. */
static bool
check_output(const struct run *run, const char *path, struct out *why)
{
	bool is_good = authority_owns(&run->authority, path)
		? tell(why, "its certificate would replace a file of the CA: say where it goes with --out")
		: has_written(run, path)
		? tell(why, "another certificate of this run is there already")
		: disk_can_write(path, run->force, why);

	if (!is_good) {
		out_string(why, ": ");
		plain_put(why, text_of(path));
	}
	return is_good;
}

/* Sign one, and write it. */
static bool
sign(struct run *run, const char *file, const char *path, struct csr *csr, uint8_t *der,
	struct issued *issued, struct out *why)
{
	char pem[2 * sizeof issued->der];
	struct out o = OUT(pem);
	const char *wrong;
	struct bytes request;

	if (!load_request(file, der, LOAD_MAX, &request, why)) {
		return false;
	}
	wrong = csr_read(request, csr);
	if (wrong != NULL) {
		return tell(why, wrong);
	}
	if (!authority_sign(&run->authority, csr, &run->order, path, issued, why)) {
		return false;
	}
	load_put_chain(&o, issued->chain);
	if (!disk_write(path, pem, o.len, 0644, run->force, why)) {
		(void)tell(why, ": it is signed and in the index, but could not be written to ");
		plain_put(why, text_of(path));
		return false;
	}
	note_written(run, path);
	return true;
}

/* One request, with its line. False: standard output is gone. */
static bool
take(struct run *run, const char *file)
{
	char text[16384], reason[512 + DISK_PATH_MAX], path[DISK_PATH_MAX];
	struct out o = OUT(text), why = OUT(reason);
	uint8_t der[LOAD_MAX];
	struct issued issued;
	struct csr csr;
	bool is_first = run->signed_count + run->refused_count == 0;
	bool is_signed = find_output(run, file, path, &why) && check_output(run, path, &why)
		&& sign(run, file, path, &csr, der, &issued, &why);
	run->signed_count += is_signed;
	run->refused_count += !is_signed;
	if (!is_signed) {
		char shown[4 * DISK_PATH_MAX];
		struct out name = OUT(shown);

		plain_put(&name, text_of(file));
		(void)command_fail(EXIT_REFUSED, out_finish(&name), &why);
	}
	if (run->json) {
		out_string(&o, is_first ? "[" : ",\n");
	}
	if (run->json && !is_signed) {
		put_refusal(&o, file, &why);
	} else if (is_signed) {
		(run->json ? put_object : put_line)(&o, file, path, &csr, &issued);
	}
	return command_print(&o);
}

/* The last line. */
static bool
finish(const struct run *run)
{
	char text[64];
	struct out o = OUT(text);

	if (run->json) {
		out_string(&o, "]\n");
	} else if (run->signed_count + run->refused_count > 1) {
		out_number(&o, run->signed_count);
		out_string(&o, " signed, ");
		out_number(&o, run->refused_count);
		out_string(&o, " refused\n");
	}
	return command_print(&o);
}

/* What --out names, a file or a folder. */
static bool
judge_out(struct run *run, int word_count, struct out *why)
{
	struct stat st;

	if (run->out == NULL) {
		return true;
	}
	run->is_out_folder = stat(run->out, &st) == 0 && S_ISDIR(st.st_mode);
	if (!run->is_out_folder && word_count > 1) {
		return tell(why, "--out must name a folder that exists, for more than one request");
	}
	return true;
}

int
command_sign(const struct options *o)
{
	char text[512 + DISK_PATH_MAX];
	struct out why = OUT(text);
	struct run run = {
		.out = o->value[OPT_OUT], .force = options_has(o, OPT_FORCE),
		.json = options_has(o, OPT_JSON),
	};
	bool is_printed = true;

	if (!order_parse(&run.order, o, &why) || !judge_out(&run, o->word_count, &why)) {
		return command_fail(EXIT_USAGE, "sign", &why);
	}
	if (!authority_open(&run.authority, o->value[OPT_CA],
		options_secret(o, OPT_PASSPHRASE_FILE), &why)) {
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	run.written = malloc((size_t)o->word_count * sizeof *run.written);
	if (run.written == NULL) {
		authority_close(&run.authority);
		out_string(&why, "there is not enough memory");
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	for (int i = 0; i < o->word_count && is_printed; i++) {
		is_printed = take(&run, o->word[i]);
	}
	authority_close(&run.authority);
	free(run.written);
	return is_printed && finish(&run) && run.refused_count == 0 ? EXIT_DONE : EXIT_REFUSED;
}
