#!/bin/sh
# SPDX-License-Identifier: MIT
# Check what the compiler doesn't: `tools/tidy.sh [BUILD]`, from the top of the sources.
# BUILD is the folder whose core/*.o are looked into, by $NM. Prints each violation with
# file and line, and exits 1 where there is one.

# The floors of a folder. A file includes lower floors, and earlier names of its own floor.
FLOORS='
	core/
	0 text addr path crc32 date der pem curves pbkdf2 bucket blame
	1 clock config store key x509 verify log seal identity account trust ca pending
	2 wait peercert tls chan service hook
	3 manage admit report provision line reply listing upload sweep transfer state
	3 cmd_access cmd_hash cmd_param cmd_file cmd_data cmd_info command session pool
	4 request sub_account sub_device sub_check sub_server sub_trust admin control server
	tools/cubsign/
	0 tell hex plain isodate answer cipher pkcs8 signature extension csr san issue describe
	1 disk load secret dekinfo pbes2 keyfile index dial tunnel ftps
	2 options keygen authority device hosts
	3 command cmd_ca cmd_key cmd_show cmd_sign cmd_list cmd_verify cmd_provision cmd_trust
	4 main
'
# Of core/, tools/cubsign/ includes floors 0 and 1, and these.
BORROWED='peercert report'
# What else core/ and floor 0 of tools/cubsign/ may include, and core/ call besides itself, br_*
# and port_*.
SYSTEM='bearssl.h stddef.h stdint.h stdbool.h string.h'
PROJECT='cubftpd.h cubftpd_port.h cubftpd_config.h'
CALLS='memcpy memmove memset memcmp memchr strlen'
# Floor 0 knows neither the platform nor TLS, but may say that we made a mistake.
FLOOR_0_CALLS='^br_(ssl|x509)_|^port_'
FLOOR_0_MAY='^port_panic$'
# What compilers call on their own account: arithmetic on wide numbers, stack guards,
# checked copies (_FORTIFY_SOURCE), shared saving of registers, tables of addresses.
COMPILER='^__u?(div|mod|divmod|mul|cmp|ashl|ashr|lshr|clz|ctz|ffs|popcount|bswap)[sdt]i[0-9]?$'
COMPILER="$COMPILER|"'^__(aeabi_|stack_chk_|riscv_save_|riscv_restore_|gnu_)|^_(save|rest)gpr_'
COMPILER="$COMPILER|"'^__mem(cpy|move|set)_chk$|^bcmp$|^_?_gp_disp$|^_GLOBAL_OFFSET_TABLE_$'

FUNCTION_LINES=70
LINE_COLUMNS=100
LC_ALL=C
export FLOORS BORROWED SYSTEM PROJECT CALLS FLOOR_0_CALLS FLOOR_0_MAY COMPILER
export FUNCTION_LINES LINE_COLUMNS LC_ALL

sources()
{
	find core include port tests tools -type f \( -name '*.[ch]' -o -name '*.sh' \
		-o -name '*.awk' -o -name '*.py' -o -name '*.conf' \) | sort
	ls Makefile Kconfig .ci/run
}

# Line by line, all that can be seen in the sources.
check_sources()
{
	# shellcheck disable=SC2046
	awk '
	function bad_in(file, line, why) { printf "%s:%d: %s\n", file, line, why }
	function bad(line, why) { bad_in(FILENAME, line, why) }

	# The line without comments, and with empty strings; `in_comment` goes on.
	function code_of(s,   out, c, i)
	{
		out = ""
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (in_comment) {
				if (substr(s, i, 2) == "*/") { in_comment = 0; i++ }
			} else if (quote != "") {
				if (c == "\\") { i++ } else if (c == quote) { out = out c; quote = "" }
			} else if (substr(s, i, 2) == "/*") {
				in_comment = 1; i++
			} else if (substr(s, i, 2) == "//") {
				break
			} else {
				out = out c
				if (c == "\"" || c == "\047") quote = c
			}
		}
		quote = ""
		return out
	}

	function check_include(what,   name)
	{
		name = substr(what, 2, length(what) - 2)
		if (name == "autoconf.h" && FILENAME != "include/cubftpd_config.h")
			bad(FNR, "only include/cubftpd_config.h reads autoconf.h")
		if (!(home in storeyed))
			return
		included[FILENAME, name] = 1
		if (what ~ /^<.*>$/) {
			if ((in_core || floor[home, self] == "0") && !(name in system_header))
				bad(FNR, home self " does not include " what)
		} else if (name in project) {
			return
		} else if ((home, stem_of(name)) in floor) {
			check_floors(stem_of(name))
		} else if (in_core || !may_borrow(stem_of(name))) {
			bad(FNR, home " does not include " what)
		}
	}

	function stem_of(name)
	{
		sub(/\.h$/, "", name)
		return name
	}

	function may_borrow(other)
	{
		return ("core/", other) in floor && (floor["core/", other] <= 1 || other in borrowed)
	}

	function check_floors(other,   here, there)
	{
		here = floor[home, self]
		there = floor[home, other]
		if (here == "" || other == self)
			return
		if (there > here)
			bad(FNR, self " (floor " here ") includes " other " (floor " there ")")
		else if (there == here && place[home, other] > place[home, self])
			bad(FNR, self " includes " other ", which comes after it on floor " here)
	}

	function check_c(line, code)
	{
		if (code ~ /^[ \t]*#[ \t]*include/) {
			sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
			sub(/[ \t]*(\/[\/*].*)?$/, "", line)
			check_include(line)
		}
		if (in_core && (code ~ /(^|[^A-Za-z0-9_])(float|double)([^A-Za-z0-9_]|$)/ ||
		    code ~ /(^|[^A-Za-z0-9_])[0-9]+(\.|[eE][-+]?[0-9])/))
			bad(FNR, "floating point in core/")
		if (code ~ /^\{/ || code ~ /^[A-Za-z_].*\)[ \t]*\{[ \t]*$/)
			start = FNR
		if (code ~ /^\}/ && start) {
			if (FNR - start + 1 > ENVIRON["FUNCTION_LINES"])
				bad(start, "a function of " FNR - start + 1 " lines")
			start = 0
		}
	}

	BEGIN {
		n = split(ENVIRON["FLOORS"], word, /[ \t\n]+/)
		for (i = 1; i <= n; i++) {
			if (word[i] ~ /\/$/) { home = word[i]; storeyed[home] = 1 }
			else if (word[i] ~ /^[0-9]+$/) level = word[i]
			else if (word[i] != "") { floor[home, word[i]] = level; place[home, word[i]] = i }
		}
		n = split(ENVIRON["BORROWED"], word); for (i = 1; i <= n; i++) borrowed[word[i]] = 1
		n = split(ENVIRON["SYSTEM"], word); for (i = 1; i <= n; i++) system_header[word[i]] = 1
		n = split(ENVIRON["PROJECT"], word); for (i = 1; i <= n; i++) project[word[i]] = 1
		for (i = 1; i < ARGC; i++) exists[ARGV[i]] = 1
	}

	FNR == 1 {
		in_comment = start = spdx = 0
		is_c = FILENAME ~ /\.[ch]$/
		home = self = FILENAME
		sub(/[^\/]*$/, "", home)
		sub(/^.*\//, "", self)
		in_core = home == "core/"
		if (self ~ /util/) bad(1, "a name that says nothing: util")
		sub(/\.[^.]*$/, "", self)
		if (home in storeyed && !((home, self) in floor))
			bad(1, "a file without a floor: add it to the table in tools/tidy.sh")
	}
	FNR <= 2 && /SPDX-License-Identifier: / { spdx = 1 }
	FNR == 2 && !spdx { bad(1, "no SPDX-License-Identifier") }
	/[ \t\r]$/ { bad(FNR, "space at the end of the line") }
	/TOD[O]|FIXM[E]/ && !/#[0-9]+/ { bad(FNR, "left open, without the number of an issue") }
	{
		line = $0
		gsub(/\t/, "    ", line)
		if (length(line) > ENVIRON["LINE_COLUMNS"])
			bad(FNR, "a line of " length(line) " columns")
	}
	is_c { check_c($0, code_of($0)) }

	END {
		for (file in exists) {
			home = self = file
			sub(/[^\/]*$/, "", home)
			if (!(home in storeyed) || file !~ /\.c$/ || file ~ /^tools.*\/(cmd_[a-z]+|main)\.c$/)
				continue
			sub(/^.*\//, "", self)
			sub(/c$/, "h", self)
			if (!((home self) in exists))
				bad_in(file, 1, "has no header of its own")
			else if (!((file, self) in included))
				bad_in(file, 1, "does not include its own header")
		}
	}' $(sources)
}

# What the objects of core/ call.
check_objects()
{
	${NM:-nm} -A -P "$1"/core/*.o | awk '
	{
		file = $1
		sub(/:$/, "", file)
		if ($3 ~ /^[UwvV]$/) wanted[file, $2] = 1
		if ($3 !~ /^[Uwv]$/) here[$2] = 1
	}
	END {
		n = split(ENVIRON["FLOORS"], word, /[ \t\n]+/)
		for (i = 1; i <= n; i++) {
			if (word[i] ~ /\/$/) home = word[i]
			else if (word[i] ~ /^[0-9]+$/) level = word[i]
			else if (home == "core/") floor[word[i]] = level
		}
		n = split(ENVIRON["CALLS"], word)
		for (i = 1; i <= n; i++) here[word[i]] = 1
		for (pair in wanted) {
			split(pair, part, SUBSEP)
			self = part[1]
			sub(/^.*\//, "", self)
			sub(/\.o$/, "", self)
			name = part[2]
			if (floor[self] == "0" && name ~ ENVIRON["FLOOR_0_CALLS"] &&
			    name !~ ENVIRON["FLOOR_0_MAY"])
				print self, name, "is not for floor 0"
			else if (!(name in here) && name !~ /^(br|port)_/ && name !~ ENVIRON["COMPILER"])
				print self, name, "is not for core/"
		}
	}' | sort | while read -r self name why; do
		line=$(grep -nw -e "$name" "core/$self.c" | head -n 1)
		echo "core/$self.c:${line%%:*}: $name $why"
	done
}

found=$(check_sources; [ $# -eq 0 ] || check_objects "$1")
[ -z "$found" ] || { printf '%s\n' "$found" | sort; exit 1; }
