#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/requests.h anew: certificate requests by openssl and certtool, good ones and
# others. `tests/data/requests.sh > tests/data/requests.h`; wants OpenSSL 3, GnuTLS and xxd.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Certificate requests made by tests/data/requests.sh, their keys forgotten. */\n'

put()
{
	openssl req -verify -noout -in "$dir/csr" 2> "$dir/errors" || { cat "$dir/errors" >&2; exit 1; }
	printf '\nstatic const uint8_t request_%s[] = {\n' "$1"
	openssl req -in "$dir/csr" -outform DER | xxd -i | sed 's/^  /\t/'
	printf '};\n'
}

# by_openssl NAME KEY SUBJECT [WORDS OF openssl req]
by_openssl()
{
	name=$1 key=$2 subject=$3
	shift 3
	case $key in
	rsa*) openssl genrsa -out "$dir/key" "${key#rsa}" 2> /dev/null ;;
	ed25519) openssl genpkey -algorithm "$key" -out "$dir/key" ;;
	*) openssl ecparam -genkey -noout -name "$key" -out "$dir/key" ;;
	esac
	openssl req -new -utf8 -config "$dir/conf" -key "$dir/key" -subj "$subject" "$@" -out "$dir/csr"
	put "$name"
}

# by_certtool NAME TYPE LINES...
by_certtool()
{
	name=$1 type=$2
	shift 2
	printf '%s\n' "$@" > "$dir/template"
	# shellcheck disable=SC2086
	certtool --generate-privkey --key-type $type --outfile "$dir/key" 2> /dev/null
	certtool --generate-request --load-privkey "$dir/key" --template "$dir/template" \
		--outfile "$dir/csr" 2> /dev/null
	put "$name"
}

cat > "$dir/conf" << END
[req]
distinguished_name = any
attributes = attributes
[any]
[attributes]
challengePassword = A challenge password
END
names='subjectAltName = DNS:router-17.example, IP:192.0.2.17, IP:2001:db8::17'

by_openssl ec prime256v1 /CN=router-17 -addext "$names" \
	-addext 'keyUsage = critical, digitalSignature' -addext 'extendedKeyUsage = serverAuth'
by_openssl rsa rsa2048 \
	'/C=DE/ST=Bayern/L=München/O=Acme/OU=Field/OU=South/CN=router-18/serialNumber=4711'
by_openssl p384 secp384r1 /CN=router-19/emailAddress=tech@acme.example -sha384
by_openssl sha512 rsa2048 /CN=router-20 -sha512
by_certtool ec_certtool 'ecdsa --curve secp256r1' 'cn = router-21' 'dns_name = router-21' \
	'ip_address = 192.0.2.21' tls_www_server signing_key
by_certtool rsa_certtool 'rsa --bits 2048' 'cn = router-22' 'organization = Acme' 'country = DE' \
	'challenge_password = secret'

by_openssl sha1 prime256v1 /CN=old -sha1
by_openssl rsa_sha1 rsa2048 /CN=old -sha1
by_openssl md5 rsa2048 /CN=old -md5
by_openssl sha224 prime256v1 /CN=odd -sha224
by_openssl pss rsa2048 /CN=pss -sigopt rsa_padding_mode:pss
by_openssl rsa1024 rsa1024 /CN=short
by_openssl p521 secp521r1 /CN=long
by_openssl ed25519 ed25519 /CN=other
