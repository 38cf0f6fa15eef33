#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/clients.h anew: certificates of clients with their keys, and the CAs of some
# of them. `tests/data/clients.sh > tests/data/clients.h`; wants OpenSSL 3 and xxd.
# The simulated clock begins in 2030.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# name, and the DER on standard input
show()
{
	printf '\nstatic const uint8_t client_%s[] = {\n' "$1"
	xxd -i | sed 's/^  /\t/'
	printf '};\n'
}

# name, then how openssl makes the key; a CA's key is forgotten
make_key()
{
	name=$1
	shift
	openssl genpkey "$@" -out "$name.key" 2> /dev/null
}

key()
{
	make_key "$@"
	openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER | show "key_$1"
}

# name, key, issuer (or "self"), first and last year, common name, extensions
issue()
{
	printf '%s\n' "$7" > extensions
	openssl req -new -key "$2.key" -subj "/CN=$6" -out request
	if [ "$3" = self ]; then
		set -- "$1" "$2" "$3" "$4" "$5" -selfsign -keyfile "$2.key"
	else
		set -- "$1" "$2" "$3" "$4" "$5" -cert "$3.crt" -keyfile "$(cat "$3.key-name").key"
	fi
	name=$1 from=$4 until=$5
	printf '%s\n' "$2" > "$name.key-name"
	shift 5
	openssl ca -config ca.conf -batch -notext -startdate "${from}0101000000Z" \
		-enddate "${until}0101000000Z" -extfile extensions -in request -out "$name.crt" "$@" \
		2> errors || { cat errors >&2; exit 1; }
	openssl x509 -in "$name.crt" -outform DER | show "$name"
}

cat > ca.conf << 'END'
[ca]
default_ca = this
[this]
database = index
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
END
: > index
ca='basicConstraints = critical, CA:TRUE'
leaf='basicConstraints = critical, CA:FALSE'

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Clients made by tests/data/clients.sh: for tests, and for nothing else. */\n'

key ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key other -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
key rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
for name in root middle stranger; do
	make_key "$name" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
done
make_key rsa_root -algorithm RSA -pkeyopt rsa_keygen_bits:2048

# Signed by themselves.
issue self ec self 2029 2035 'Technician 7' "$leaf"
issue renewed ec self 2030 2036 'Technician 7' "$leaf"
issue expired ec self 2027 2029 'Technician 7' "$leaf"
issue future ec self 2031 2040 'Technician 7' "$leaf"
issue another other self 2029 2035 'Technician 8' "$leaf"
issue self_rsa rsa self 2029 2035 'Technician 9' "$leaf"
issue self_p384 p384 self 2029 2035 'Technician 10' "$leaf"
issue self_rsa1024 rsa1024 self 2029 2035 'Technician 11' "$leaf"
issue forger other self 2029 2035 'Eve
sha256:0123456789abcdef' "$leaf"

# Signed by CAs. Whoever is below "brief" has a certificate that would do, but for its issuer's.
issue ca root self 2020 2050 'Acme Device CA' "$ca"
issue signed ec ca 2029 2035 'Technician 7' "$leaf"
issue signed_rsa rsa ca 2029 2035 'Technician 9' "$leaf"
issue signed_expired ec ca 2027 2029 'Technician 7' "$leaf"
issue middle middle ca 2020 2049 'Acme Field CA' "$ca"
issue below ec middle 2029 2035 'Technician 7' "$leaf"
issue brief middle ca 2020 2029 'Acme Old CA' "$ca"
issue below_brief ec brief 2029 2035 'Technician 7' "$leaf"
issue stranger stranger self 2020 2050 'Acme Device CA' "$ca"
issue foreign ec stranger 2029 2035 'Technician 7' "$leaf"
issue rsa_ca rsa_root self 2020 2050 'Acme RSA CA' "$ca"
issue by_rsa ec rsa_ca 2029 2035 'Technician 7' "$leaf"
