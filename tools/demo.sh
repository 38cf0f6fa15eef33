#!/bin/sh
# SPDX-License-Identifier: MIT
# Serve a throw-away folder with a throw-away identity on 127.0.0.1, until Ctrl-C:
# `tools/demo.sh BUILD`. With DEMO_ONCE=1 it ends as soon as the server has answered curl.
set -eu

server=$(cd "$1" && pwd)/cubftpd
dir=$(cd "$1" && pwd)/demo
conf=$dir/cubftpd.conf
pid=

clean_up()
{
	trap - EXIT INT TERM
	[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2> /dev/null || true
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 0' INT TERM

rm -rf "$dir"
mkdir -p "$dir/files/pictures"
echo 'Hello from cubftpd.' > "$dir/files/hello.txt"
head -c 1000000 /dev/urandom > "$dir/files/random.bin"
echo 'No pictures yet: upload some.' > "$dir/files/pictures/README"

cat > "$conf" <<END
root = $dir/files
identity_store = $dir/identity
trust_store = $dir/trust
greeting = cubftpd demo
END
password=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
"$server" init -c "$conf" --name cubftpd-demo > /dev/null
echo "$password" | "$server" account add demo -c "$conf" --root / --rights rwdl --admin \
	--password-stdin
fingerprint=$("$server" fingerprint -c "$conf")

# Where a port is busy, the server says so and ends: take the next one.
for port in 2121 2122 2123 2124 2125; do
	"$server" run -c "$conf" -o "listen=127.0.0.1:$port" &
	pid=$!
	sleep 1
	kill -0 $pid 2> /dev/null && break
	pid=
done
[ -n "$pid" ] || exit 1

cat <<END

cubftpd serves $dir/files
The certificate that a client will ask you about, by its SHA-256:
  $fingerprint

  curl --ssl-reqd -k -u demo:$password ftp://127.0.0.1:$port/
  lftp -e 'set ftp:ssl-force yes; set ssl:verify-certificate no; ls' \\
    -u demo,$password -p $port 127.0.0.1
  FileZilla, in the field Host:  ftpes://demo:$password@127.0.0.1:$port

The account is an administrator, so it sees the folder /.provision. In another terminal:

  $server status -c $conf

END
if [ -n "${DEMO_ONCE:-}" ]; then
	command -v curl > /dev/null || { echo 'curl is not installed: not tried' >&2; exit; }
	curl -sS --max-time 20 --ssl-reqd -k -u "demo:$password" "ftp://127.0.0.1:$port/hello.txt"
	exit
fi
echo 'Ctrl-C ends it and removes all of this.'
wait "$pid"
