#!/bin/sh
# SPDX-License-Identifier: MIT
# Install what is missing: `tools/setup.sh build` for building, `tools/setup.sh check` for
# running the tests too. Where all is there it does nothing. Debian's packages are
# installed by apt-get; elsewhere it says what is needed. A missing client is only a
# warning, since the tests that need it are skipped.
# shellcheck disable=SC2086  # $CC and lists of packages are several words
set -u

CC=${CC:-$(command -v cc || echo gcc)}

# has_header HEADER: can $CC include it?
has_header()
{
	printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n%s\n%s\n' \
		'#include <setjmp.h>' "#include <$1>" |
		$CC ${BEARSSL:+-I"$BEARSSL/include" -I"$BEARSSL/inc"} ${BEARSSL_CFLAGS:-} \
		-E -x c - > /dev/null 2>&1
}

# PACKAGE of what is missing, of what the goal can't do without ("must") or can ("may").
missing()
{
	command -v $CC > /dev/null || echo must gcc libc6-dev
	command -v make > /dev/null || echo must make
	command -v awk > /dev/null || echo must mawk
	has_header bearssl.h || echo must libbearssl-dev
	[ "$1" = check ] || return 0
	command -v python3 > /dev/null || echo must python3
	has_header cmocka.h || echo must libcmocka-dev
	command -v valgrind > /dev/null || echo may valgrind
	command -v curl > /dev/null || echo may curl
	command -v lftp > /dev/null || echo may lftp
	command -v openssl > /dev/null || echo may openssl
	command -v gnutls-cli > /dev/null || echo may gnutls-bin  # and certtool
	perl -MNet::FTP -MIO::Socket::SSL -e 1 2> /dev/null || echo may libio-socket-ssl-perl
	command -v php > /dev/null || echo may php-cli
	command -v javac > /dev/null || echo may default-jdk-headless
	[ -e /usr/share/java/commons-net.jar ] || echo may libcommons-net-java
	command -v wget > /dev/null || echo may wget
	command -v rclone > /dev/null || echo may rclone
	command -v ftp-ssl > /dev/null || echo may ftp-ssl
	command -v mandoc > /dev/null || echo may mandoc
	command -v filezilla > /dev/null || echo may filezilla
	command -v Xvfb > /dev/null || echo may xvfb
	command -v openbox > /dev/null || echo may openbox
	command -v xdotool > /dev/null || echo may xdotool
	command -v kconfig-conf > /dev/null || echo may kconfig-frontends-nox
}

# The names that follow "must" or "may" in what is missing for a goal.
names()
{
	missing "$1" | sed -n "s/^$2 //p" | tr '\n' ' ' | sed 's/ $//'
}

apt_get()
{
	if [ "$(id -u)" -eq 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@"
	else
		sudo DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@"
	fi
}

# Up to three times, with fresh lists from the second time on.
install()
{
	for attempt in 1 2 3; do
		[ $attempt -eq 1 ] || { apt_get update; sleep $attempt; }
		apt_get install --no-install-recommends "$@" && return 0
	done
	return 1
}

# basic-ftp for Node.js is not among Debian's packages. It comes where there is npm already,
# which would bring some hundred packages with it.
node_client()
{
	[ "$1" = check ] && command -v npm > /dev/null || return 0
	cd "$(dirname "$0")/../tests/live/drivers/basic-ftp" || return 0
	[ -d node_modules/basic-ftp ] && return 0
	npm ci --ignore-scripts --no-audit --no-fund ||
		echo 'warning: not installed, what needs it is skipped: basic-ftp'
}

can_install()
{
	command -v apt-get > /dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo > /dev/null; }
}

goal=${1:-}
case $goal in
build | check) ;;
*) echo 'usage: tools/setup.sh build|check' >&2; exit 2 ;;
esac

(node_client "$goal") >&2
must=$(names "$goal" must)
may=$(names "$goal" may)
[ -n "$must$may" ] || exit 0

if can_install; then
	install $must $may || {
		# One of them can't be had: the others need not do without.
		[ -z "$must" ] || apt_get install --no-install-recommends $must
		for package in $may; do
			apt_get install --no-install-recommends "$package"
		done
	}
	must=$(names "$goal" must)
	may=$(names "$goal" may)
fi >&2
[ -z "$may" ] || echo "warning: not installed, what needs them is skipped: $may" >&2
[ -z "$must" ] && exit 0
cat >&2 <<END
To build and test cubftpd, please install: $must
These are names of Debian's packages: \`apt-get install $must\`.
Elsewhere: BearSSL 0.6 or later (bearssl.h, libbearssl), cmocka, GNU make 4, Python 3.
END
exit 1
