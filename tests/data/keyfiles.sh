#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/keyfiles.h anew: files of private keys, encrypted in many ways by OpenSSL.
# `tests/data/keyfiles.sh > tests/data/keyfiles.h`; wants OpenSSL 3 and xxd.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
passphrase='pass:correct horse'

# The file `$1`, under that name.
show()
{
	printf '\nstatic const uint8_t %s[] = {\n' "$1"
	xxd -i < "$1" | sed 's/^  /\t/'
	printf '};\n'
}

# name, then how openssl makes the key
key()
{
	name=$1
	shift
	openssl genpkey "$@" -out "$name" 2> /dev/null
	show "$name"
}

# name, name of the key, and how openssl writes it
form()
{
	name=$1
	from=$2
	shift 2
	"$@" -in "$from" -out "$name" -passout "$passphrase" 2> /dev/null
	show "$name"
}

# The same by PBES2, with few rounds, so that it takes no time.
pbes2()
{
	name=$1
	from=$2
	shift 2
	form "$name" "$from" openssl pkcs8 -topk8 -iter 5 "$@"
}

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Key files made by tests/data/keyfiles.sh: for tests, and for nothing else. */\n'
printf '\n#define KEYFILES_PASSPHRASE "%s"\n' "${passphrase#pass:}"

key file_p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key file_p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
key file_rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key file_ed25519 -algorithm ED25519

pbes2 file_aes256 file_p256 -v2 aes-256-cbc
pbes2 file_aes256_der file_p256 -v2 aes-256-cbc -outform DER
pbes2 file_aes192 file_p256 -v2 aes-192-cbc -v2prf hmacWithSHA384
pbes2 file_aes128 file_p256 -v2 aes-128-cbc -v2prf hmacWithSHA512
pbes2 file_sha224 file_p256 -v2 aes-128-cbc -v2prf hmacWithSHA224
pbes2 file_sha1 file_p256 -v2 aes-256-cbc -v2prf hmacWithSHA1
pbes2 file_des3 file_p256 -v2 des3
pbes2 file_p384_aes256 file_p384 -v2 aes-256-cbc
pbes2 file_rsa_aes256 file_rsa -v2 aes-256-cbc
pbes2 file_ed25519_aes256 file_ed25519 -v2 aes-256-cbc

form file_old_aes256 file_p256 openssl ec -aes256
form file_old_aes192 file_p256 openssl ec -aes192
form file_old_aes128 file_p256 openssl ec -aes128
form file_old_des3 file_p256 openssl ec -des3
form file_old_p384 file_p384 openssl ec -aes256
form file_old_rsa file_rsa openssl rsa -traditional -aes256

# What can't be decrypted here.
form file_scrypt file_p256 openssl pkcs8 -topk8 -scrypt -scrypt_N 16
form file_pbes1 file_p256 openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES
pbes2 file_camellia file_p256 -v2 camellia-256-cbc
form file_old_camellia file_p256 openssl ec -camellia256
