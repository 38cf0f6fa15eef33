#!/bin/sh
# SPDX-License-Identifier: MIT
# Make tests/data/chains.h anew: certificate chains, good ones and bad ones, that openssl verify
# judges likewise. `tests/data/chains.sh > tests/data/chains.h`; wants OpenSSL 3 and xxd.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/conf" << END
[ca]
default_ca = any
[any]
database = $dir/index
new_certs_dir = $dir
rand_serial = yes
unique_subject = no
policy = policy
default_md = sha256
[policy]
commonName = supplied
END
: > "$dir/index"

# name issuer key subject from until hash, then lines of extensions; the issuer may be "self", the
# key "of:" the name of another
issue()
{
	name=$1 issuer=$2 key=$3 subject=$4 from=$5 until=$6 hash=$7
	shift 7
	printf '%s\n' "$@" > "$dir/ext"
	case $key in
	of:*) cp "$dir/${key#of:}.key" "$dir/$name.key" ;;
	rsa*) openssl genrsa -out "$dir/$name.key" "${key#rsa}" 2> /dev/null ;;
	*) openssl ecparam -genkey -noout -name "$key" -out "$dir/$name.key" ;;
	esac
	openssl req -new -key "$dir/$name.key" -subj "/CN=$subject" -out "$dir/csr"
	if [ "$issuer" = self ]; then
		set -- -selfsign -keyfile "$dir/$name.key"
	else
		set -- -cert "$dir/$issuer.crt" -keyfile "$dir/$issuer.key"
	fi
	openssl ca -batch -notext -config "$dir/conf" "$@" -in "$dir/csr" -out "$dir/$name.crt" \
		-startdate "${from}0101000000Z" -enddate "${until}0101000000Z" -md "$hash" \
		-extfile "$dir/ext" 2> "$dir/errors" || { cat "$dir/errors" >&2; exit 1; }
	printf '\nstatic const uint8_t chain_%s[] = {\n' "$name"
	openssl x509 -in "$dir/$name.crt" -outform DER | xxd -i | sed 's/^  /\t/'
	printf '};\n'
}

# What openssl says of a certificate, with its anchor and what stands between: "OK" or a part
# of its complaint.
judge()
{
	want=$1 name=$2 anchor=$3
	shift 3
	cp "$dir/$name.crt" "$dir/between"
	for between in "$@"; do
		cat "$dir/$between.crt" >> "$dir/between"
	done
	# shellcheck disable=SC2086  # two words, or none
	said=$(openssl verify ${purpose:-} -attime 1900000000 -trusted "$dir/$anchor.crt" \
		-untrusted "$dir/between" "$dir/$name.crt" 2>&1) || :
	case $said in
	*"$want"*) ;;
	*) echo "$name: $said" >&2; exit 1 ;;
	esac
}

judge_client()
{
	purpose='-purpose sslclient' judge "$@"
}

ca='basicConstraints = critical, CA:TRUE'
signs='keyUsage = critical, keyCertSign'
no_ca='basicConstraints = CA:FALSE'

printf '/* SPDX-License-Identifier: MIT */\n'
printf '/* Certificates made by tests/data/chains.sh, their keys forgotten. */\n'

issue root self prime256v1 Root 2020 2060 sha256 "$ca" "$signs"
issue root_before self of:root Root 2020 2021 sha256 "$ca" "$signs"
issue twin self prime256v1 Root 2020 2060 sha256 "$ca" "$signs"
issue direct root prime256v1 Direct 2020 2060 sha256 "$no_ca"
judge OK direct root
issue middle root prime256v1 Middle 2020 2060 sha256 "$ca, pathlen:0" "$signs"
issue leaf middle prime256v1 Leaf 2020 2060 sha256 "$no_ca" "subjectAltName = DNS:leaf.example"
judge OK leaf root middle
issue again middle prime256v1 Root 2020 2060 sha256 "$ca" "$signs"
issue below again prime256v1 Below 2020 2060 sha256 "$no_ca"
judge 'path length constraint exceeded' below root again middle

issue expired root prime256v1 Expired 2001 2002 sha256 "$no_ca"
judge 'certificate has expired' expired root
issue gone middle prime256v1 Gone 2001 2002 sha256 "$no_ca"
judge 'certificate has expired' gone root middle
issue future root prime256v1 Future 2051 2060 sha256 "$no_ca"
judge 'certificate is not yet valid' future root
issue brief root prime256v1 Brief 2021 2022 sha256 "$ca" "$signs"
issue late brief prime256v1 Late 2023 2060 sha256 "$no_ca"
issue early brief prime256v1 Early 2020 2060 sha256 "$no_ca"
judge 'certificate has expired' early root brief

issue no_flag root prime256v1 Plain 2020 2060 sha256 "$no_ca" "$signs"
issue under_no_flag no_flag prime256v1 Leaf 2020 2060 sha256 "$no_ca"
judge 'invalid CA certificate' under_no_flag root no_flag
issue no_usage root prime256v1 Other 2020 2060 sha256 "$ca" 'keyUsage = critical, digitalSignature'
issue under_no_usage no_usage prime256v1 Leaf 2020 2060 sha256 "$no_ca"
judge error under_no_usage root no_usage
issue critical root prime256v1 Critical 2020 2060 sha256 "$no_ca" '1.2.3.4 = critical, DER:0500'
judge 'unhandled critical extension' critical root
issue server root prime256v1 Server 2020 2060 sha256 "$no_ca" 'extendedKeyUsage = serverAuth'
issue client root prime256v1 Client 2020 2060 sha256 "$no_ca" \
	'extendedKeyUsage = critical, serverAuth, clientAuth' 'keyUsage = critical, digitalSignature'
issue any root prime256v1 Any 2020 2060 sha256 "$no_ca" 'extendedKeyUsage = anyExtendedKeyUsage'
issue agrees root prime256v1 Agrees 2020 2060 sha256 "$no_ca" 'keyUsage = critical, keyAgreement'
judge_client 'unsuitable certificate purpose' server root
judge_client OK client root
issue serving root prime256v1 Serving 2020 2060 sha256 "$ca" "$signs" \
	'extendedKeyUsage = serverAuth'
issue under_serving serving prime256v1 Leaf 2020 2060 sha256 "$no_ca"
judge_client 'unsuitable certificate purpose' under_serving root serving
issue bounded root prime256v1 Bounded 2020 2060 sha256 "$ca" "$signs" \
	'nameConstraints = critical, permitted;DNS:example'
issue under_bounded bounded prime256v1 Leaf 2020 2060 sha256 "$no_ca"
issue sha1 root prime256v1 Old 2020 2060 sha1 "$no_ca"
issue sha384 root prime256v1 New 2020 2060 sha384 "$no_ca"
judge OK sha384 root

issue rsa_root self rsa2048 'RSA Root' 2020 2060 sha256 "$ca" "$signs"
issue rsa_leaf rsa_root rsa2048 'RSA Leaf' 2020 2060 sha256 "$no_ca"
judge OK rsa_leaf rsa_root
issue mixed_leaf rsa_root prime256v1 'EC Leaf' 2020 2060 sha256 "$no_ca"
judge OK mixed_leaf rsa_root

issue p384_root self secp384r1 'P-384 Root' 2020 2060 sha384 "$ca" "$signs"
issue p384_middle p384_root secp384r1 'P-384 Middle' 2020 2060 sha384 "$ca" "$signs"
issue p384_leaf p384_middle prime256v1 'P-256 Leaf' 2020 2060 sha384 "$no_ca"
judge OK p384_leaf p384_root p384_middle
