/* SPDX-License-Identifier: MIT */
/*
 * Giving up root's rights: see user.h. /etc/passwd is read here because the C library's
 * functions for it allocate memory and, linked statically, need the shared one after all.
 */
#include "user.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

/*
 * The calls themselves: the C library's functions change all threads of a program, and this one
 * has no second. Of two generations of a call the first takes ids of 16 bits.
 */
#ifdef SYS_setresuid32
#define CALL(name) SYS_##name##32
#else
#define CALL(name) SYS_##name
#endif

struct ids {
	uid_t uid;
	gid_t gid;
};

/* A number up to a colon; returns what follows it, or null. */
static const char *
parse_id(const char *at, uint32_t *id)
{
	uint64_t n = 0;

	if (*at < '0' || *at > '9') {
		return NULL;
	}
	for (; *at >= '0' && *at <= '9' && n < UINT32_MAX; at++) {
		n = n * 10 + (uint64_t)(*at - '0');
	}
	*id = (uint32_t)n;
	return *at == ':' && n < UINT32_MAX ? at + 1 : NULL;
}

/* Is the line `name:password:uid:gid:...` that of the user? */
static bool
parse_line(const char *line, const char *name, struct ids *ids)
{
	size_t len = strlen(name);
	const char *at = memchr(line, ':', strlen(line));
	uint32_t uid, gid;

	if (at == NULL || (size_t)(at - line) != len || memcmp(line, name, len) != 0) {
		return false;
	}
	at = memchr(at + 1, ':', strlen(at + 1));
	at = at == NULL ? NULL : parse_id(at + 1, &uid);
	at = at == NULL ? NULL : parse_id(at, &gid);
	if (at == NULL) {
		return false;
	}
	*ids = (struct ids){ uid, gid };
	return true;
}

static int
find_user(const char *name, struct ids *ids)
{
	char line[256], piece[256];
	size_t len = 0;
	ssize_t n;
	bool found = false;
	int fd = sys_open("/etc/passwd", O_RDONLY);

	if (fd < 0) {
		return CUB_E_NOENT;
	}
	while (!found && (n = read(fd, piece, sizeof piece)) > 0) {
		for (ssize_t i = 0; i < n && !found; i++) {
			if (piece[i] == '\n') {
				line[len] = '\0';
				found = parse_line(line, name, ids);
				len = 0;
			} else if (len < sizeof line - 1) {
				line[len++] = piece[i];  /* what matters stands at its beginning */
			}
		}
	}
	(void)close(fd);
	return found ? CUB_OK : CUB_E_NOENT;
}

int
user_own(const char *name, const char *path)
{
	struct ids ids;
	int err = find_user(name, &ids);

	return err < 0 ? err : lchown(path, ids.uid, ids.gid) == 0 ? CUB_OK : CUB_E_DENIED;
}

int
user_become(const char *name)
{
	uid_t real, effective, saved;
	struct ids ids;
	int err = find_user(name, &ids);

	if (err < 0) {
		return err;
	}
	if (syscall(CALL(setgroups), 0, NULL) < 0
		|| syscall(CALL(setresgid), ids.gid, ids.gid, ids.gid) < 0
		|| syscall(CALL(setresuid), ids.uid, ids.uid, ids.uid) < 0) {
		return CUB_E_DENIED;
	}
	if (getresuid(&real, &effective, &saved) < 0
		|| real != ids.uid || effective != ids.uid || saved != ids.uid) {
		return CUB_E_DENIED;
	}
	return CUB_OK;
}
