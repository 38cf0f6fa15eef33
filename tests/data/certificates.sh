#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/certificates.h anew: certificates of kinds that the device does not write
# itself, and a key of a kind that it does not make.
# `tests/data/certificates.sh > tests/data/certificates.h`; wants OpenSSL 3 and xxd.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# name, then how openssl makes the key
certificate()
{
	name=$1
	shift
	openssl req -x509 -nodes -newkey "$@" -keyout "$dir/key" -outform DER -out "$dir/cert" \
		-subj "/CN=$name" -days 3650 -set_serial 1 2> /dev/null
	print "certificate_$name" < "$dir/cert"
}

print()
{
	printf '\nstatic const uint8_t %s[] = {\n' "$1"
	xxd -i | sed 's/^  /\t/'
	printf '};\n'
}

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Made by tests/data/certificates.sh. The keys of the certificates are forgotten. */\n'
certificate rsa rsa:2048
certificate p384 ec -pkeyopt ec_paramgen_curve:secp384r1
certificate ed25519 ed25519
openssl genpkey -algorithm RSA -outform DER 2> /dev/null | print private_rsa
