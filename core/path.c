/* SPDX-License-Identifier: MIT */
/* Client paths to one absolute form: see path.h. Purely lexical, touches no file. */
#include "path.h"

#include <string.h>

const char *
path_in_root(const char *path)
{
	return path[1] == '\0' ? "." : path + 1;
}

const char *
path_last(const char *path)
{
	size_t at = strlen(path);

	while (at > 0 && path[at - 1] != '/') {
		at--;
	}
	return path + at;
}

bool
path_is_reserved(struct text name)
{
	size_t reserved = sizeof PATH_RESERVED - 1;

	return name.len >= reserved && memcmp(name.at, PATH_RESERVED, reserved) == 0;
}

bool
path_is_visible(struct text name)
{
	return text_is_printable(name) && !path_is_reserved(name);
}

/* Add a name to `out` of `*len` bytes ("" is the root), or take one away for "..". */
static int
add_name(char *out, size_t *len, struct text name)
{
	if (name.len == 0 || text_same(name, ".")) {
		return CUB_OK;
	}
	if (text_same(name, "..")) {
		while (*len > 0 && out[--*len] != '/') {
			continue;
		}
		return CUB_OK;
	}
	if (name.len >= CUB_NAME_MAX || *len + 1 + name.len >= CUB_PATH_MAX
		|| !path_is_visible(name)) {
		return CUB_E_NAME;
	}
	out[(*len)++] = '/';
	memcpy(out + *len, name.at, name.len);
	*len += name.len;
	return CUB_OK;
}

int
path_resolve(const char *cwd, struct text arg, char *out)
{
	struct text part[2] = { text_of(cwd), arg };
	size_t len = 0;

	for (int i = arg.len > 0 && arg.at[0] == '/' ? 1 : 0; i < 2; i++) {
		while (part[i].len > 0) {
			int err = add_name(out, &len, text_cut(&part[i], '/'));

			if (err != CUB_OK) {
				return err;
			}
		}
	}
	if (len == 0) {
		out[len++] = '/';
	}
	out[len] = '\0';
	return CUB_OK;
}
