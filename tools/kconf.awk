# SPDX-License-Identifier: MIT
# Turn Kconfig, and .config where there is one, into a C header or a full .config.
#
#	awk -v out=header|config|saved -f tools/kconf.awk Kconfig [.config]
#
# header: every option as a #define, bools as 0 or 1.  config: a full .config.
# saved: only what differs from the defaults.
#
# A .config may be partial. What it says of an unknown option, and a value out of range,
# is refused with file and line. Of two lines for one option the last one holds.
#
# This part of the Kconfig language is read, the rest is refused:
#
#	mainmenu, menu, endmenu, comment, config
#	bool|int|hex|string "prompt"    default LITERAL    range LOW HIGH
#	depends on [!]SYMBOL            help (last in its entry)
#
# An option whose dependency does not hold is out of .config; as a bool it is 0 in the
# header, and otherwise not there.

function fail(where, why)
{
	printf "%s: %s\n", where, why > "/dev/stderr"
	failed = 1
	exit 1
}

function here()
{
	return FILENAME ":" FNR
}

function hex_number(s,   i, n)
{
	s = tolower(substr(s, 3))
	for (i = 1; i <= length(s); i++) {
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	}
	return n
}

function number(s)
{
	return s ~ /^0[xX]/ ? hex_number(s) : s + 0
}

# What follows the first word of the line.
function argument(   s)
{
	s = $0
	sub(/^[ \t]*[^ \t]+[ \t]+/, "", s)
	sub(/[ \t]+$/, "", s)
	return s
}

function is_of_type(type, v)
{
	if (type == "bool")   return v ~ /^[yn]$/
	if (type == "int")    return v ~ /^(0|-?[1-9][0-9]*)$/
	if (type == "hex")    return v ~ /^0[xX][0-9a-fA-F]+$/
	if (type == "string") return v ~ /^"([^"\\]|\\.)*"$/
}

function set(sym, v, where)
{
	if (!(sym in type)) {
		fail(where, "no such option: CONFIG_" sym)
	}
	if (!is_of_type(type[sym], v)) {
		fail(where, "CONFIG_" sym " takes " form[type[sym]] ", not: " v)
	}
	if ((sym in low) && (number(v) < number(low[sym]) || number(v) > number(high[sym]))) {
		fail(where, "CONFIG_" sym " is " low[sym] " to " high[sym] ", not " v)
	}
	value[sym] = v
}

# Does the option's dependency hold, and all that this one depends on?
function is_live(sym, depth,   other, negated)
{
	if (!(sym in needs)) {
		return 1
	}
	other = needs[sym]
	negated = sub(/^!/, "", other)
	if (type[other] != "bool") {
		fail(defined[sym], sym " depends on " other ", which is no bool")
	}
	if (depth > count) {
		fail(defined[sym], sym " depends on itself")
	}
	return (is_live(other, depth + 1) && value[other] == "y") != negated
}

# Kconfig is whole: the defaults hold until .config says otherwise.
function end_of_kconfig(   i, sym)
{
	for (i = 1; i <= count; i++) {
		sym = name[i]
		if (type[sym] == "") fail(defined[sym], sym " has no type")
		if (!(sym in preset)) fail(defined[sym], sym " has no default")
		if ((sym in low) && type[sym] !~ /int|hex/) fail(defined[sym], sym " can't have a range")
		set(sym, preset[sym], defined[sym])
	}
	complete = 1
}

BEGIN {
	form["bool"] = "y or n"
	form["int"] = "a decimal number"
	form["hex"] = "a number that starts with 0x"
	form["string"] = "a text in double quotes"
}

{ sub(/\r$/, "") }

# .config

NR != FNR && !complete { end_of_kconfig() }

NR != FNR && /^CONFIG_[A-Z0-9_]+=/ {
	at = index($0, "=")
	set(substr($0, 8, at - 8), substr($0, at + 1), here())
	next
}
NR != FNR && /^# CONFIG_[A-Z0-9_]+ is not set$/ { set(substr($2, 8), "n", here()); next }
NR != FNR && /^[ \t]*(#.*)?$/ { next }
NR != FNR { fail(here(), "want CONFIG_NAME=VALUE, or a comment, not: " $0) }

# Kconfig. A help text is every indented or blank line up to the next one at the margin.

in_help && /^([ \t]|$)/ { next }
{ in_help = 0 }
/^[ \t]*(#.*)?$/ { next }
$1 ~ /^(mainmenu|menu|endmenu|comment)$/ { cur = ""; next }
$1 == "config" && NF == 2 && $2 ~ /^[A-Z0-9_]+$/ {
	cur = $2
	if (cur in type) fail(here(), "defined twice: " cur)
	name[++count] = cur
	defined[cur] = here()
	type[cur] = ""
	next
}
cur == "" { fail(here(), "not in the part of Kconfig that is read here: " $0) }
$1 ~ /^(bool|int|hex|string)$/ && argument() ~ /^"[^"]+"$/ { type[cur] = $1; next }
$1 == "default" && (NF == 2 || argument() ~ /^"[^"]*"$/) { preset[cur] = argument(); next }
$1 == "range" && NF == 3 { low[cur] = $2; high[cur] = $3; next }
$1 == "depends" && $2 == "on" && NF == 3 && $3 ~ /^!?[A-Z0-9_]+$/ { needs[cur] = $3; next }
$1 == "help" && NF == 1 { in_help = 1; next }
{ fail(here(), "not in the part of Kconfig that is read here: " $0) }

END {
	if (failed) exit 1
	if (!complete) end_of_kconfig()
	if (out == "header") print "/* Generated from Kconfig: do not edit. */\n"
	for (i = 1; i <= count; i++) {
		sym = name[i]
		v = value[sym]
		live = is_live(sym, 0)
		if (out == "header" && type[sym] == "bool") {
			printf "#define CONFIG_%s %d\n", sym, (live && v == "y")
		} else if (out == "header" && live) {
			printf "#define CONFIG_%s %s\n", sym, v
		} else if (out == "header" || !live || (out == "saved" && v == preset[sym])) {
			continue
		} else if (type[sym] == "bool" && v == "n") {
			printf "# CONFIG_%s is not set\n", sym
		} else {
			printf "CONFIG_%s=%s\n", sym, v
		}
	}
}
