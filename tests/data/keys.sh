#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/keys.h anew: private keys of many kinds, and certificates for some of them.
# `tests/data/keys.sh > tests/data/keys.h`; wants OpenSSL 3 and xxd, and half a minute.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# The file `$1`.der, under that name.
show()
{
	printf '\nstatic const uint8_t %s[] = {\n' "$1"
	xxd -i < "$1.der" | sed 's/^  /\t/'
	printf '};\n'
}

# name, then how openssl makes the key
key()
{
	name=$1
	shift
	openssl genpkey "$@" -out "$name.pem" 2> /dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$name.pem" -outform DER -out "$name.der"
	show "$name"
}

# name, name of the key, and how openssl writes it
form()
{
	name=$1
	pem=$2.pem
	shift 2
	"$@" -in "$pem" -outform DER -out "$name.der" 2> /dev/null
	show "$name"
}

# name, name of the key, of the issuer, from, until, extensions
certificate()
{
	openssl req -new -key "$2.pem" -subj "/CN=$1" -out request.pem
	printf '%s\n' "$6" > extensions
	if [ "$3" = "$1" ]; then
		set -- "$@" -selfsign -keyfile "$2.pem"
	else
		set -- "$@" -cert "$3.crt" -keyfile "$3_key.pem"
	fi
	name=$1
	from=$4
	until=$5
	shift 6
	openssl ca -config ca.conf -batch -notext -startdate "$from" -enddate "$until" \
		-extfile extensions -in request.pem -out "$name.crt" "$@" 2> /dev/null
	openssl x509 -in "$name.crt" -outform DER -out "$name.der"
	show "$name"
}

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Keys and certificates made by tests/data/keys.sh: for tests, and for nothing else. */\n'

key key_p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
form key_p256_sec1 key_p256 openssl ec
form key_p256_public key_p256 openssl pkey -pubout
form key_p256_compressed key_p256 openssl ec -pubout -conv_form compressed
form key_p256_explicit key_p256 openssl ec -param_enc explicit
form key_p256_public_explicit key_p256 openssl ec -pubout -param_enc explicit
form key_p256_encrypted key_p256 openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret
key key_rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
form key_rsa2048_pkcs1 key_rsa2048 openssl rsa -traditional
form key_rsa2048_public key_rsa2048 openssl pkey -pubout
key key_rsa2049_e3 -algorithm RSA -pkeyopt rsa_keygen_bits:2049 -pkeyopt rsa_keygen_pubexp:3
form key_rsa2049_e3_public key_rsa2049_e3 openssl pkey -pubout
key key_rsa4096 -algorithm RSA -pkeyopt rsa_keygen_bits:4096
form key_rsa4096_public key_rsa4096 openssl pkey -pubout

# What can't be used.
key key_rsa512 -algorithm RSA -pkeyopt rsa_keygen_bits:512
form key_rsa512_public key_rsa512 openssl pkey -pubout
key key_rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
form key_rsa1024_public key_rsa1024 openssl pkey -pubout
key key_rsa8192 -algorithm RSA -pkeyopt rsa_keygen_bits:8192
form key_rsa8192_public key_rsa8192 openssl pkey -pubout
openssl genrsa -traditional -primes 3 -out key_rsa_primes.pem 2048 2> /dev/null
form key_rsa_primes key_rsa_primes openssl rsa -traditional
key key_rsa_large_e -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
	-pkeyopt rsa_keygen_pubexp:4294967297
form key_rsa_large_e_public key_rsa_large_e openssl pkey -pubout
key key_rsa_pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
form key_rsa_pss_public key_rsa_pss openssl pkey -pubout
key key_p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
form key_p384_sec1 key_p384 openssl ec
form key_p384_public key_p384 openssl pkey -pubout
key key_secp256k1 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
form key_secp256k1_public key_secp256k1 openssl pkey -pubout
key key_ed25519 -algorithm ED25519
form key_ed25519_public key_ed25519 openssl pkey -pubout
key key_x25519 -algorithm X25519
openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out dsa.pem 2> /dev/null
key key_dsa -paramfile dsa.pem
form key_dsa_public key_dsa openssl pkey -pubout

# A root and what hangs below it. The simulated clock begins in 2030.
cat > ca.conf << 'END'
[ca]
default_ca = this
[this]
database = index
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
rand_serial = yes
[any]
commonName = supplied
END
: > index
ca='basicConstraints=critical,CA:TRUE'
leaf='basicConstraints=critical,CA:FALSE'
for name in root inter other; do
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "cert_${name}_key.pem"
done
certificate cert_root cert_root_key cert_root 20200101000000Z 20500101000000Z "$ca"
certificate cert_inter cert_inter_key cert_root 20200101000000Z 20490101000000Z "$ca"
certificate cert_leaf key_p256 cert_inter 20290101000000Z 20350101000000Z "$leaf"
certificate cert_expired key_p256 cert_inter 20280101000000Z 20291231235958Z "$leaf"
certificate cert_future key_p256 cert_inter 20310101000000Z 20400101000000Z "$leaf"
certificate cert_rsa key_rsa2048 cert_inter 20290101000000Z 20350101000000Z "$leaf"
certificate cert_foreign cert_other_key cert_inter 20290101000000Z 20350101000000Z "$leaf"
