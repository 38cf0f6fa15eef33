# SPDX-License-Identifier: MIT
# Completion of cubsign's commands, options and files, for bash.

# Each command, with the options that it takes.
_cubsign_options()
{
	local kind='--rsa --p384' until='--days --until' secret='--passphrase-file'
	local remote='--account --pin --password-file --cert --key --key-passphrase-file --json'

	case $1 in
	ca) echo "--name --out $kind $until --path-length --parent --parent-passphrase-file" \
		"$secret --force --json" ;;
	key) echo "--out $kind --no-passphrase $secret --force" ;;
	csr) echo "--key --name --out $secret --force" ;;
	show) echo "$secret --json" ;;
	sign) echo "--ca --profile $until --san --out $secret --force --json" ;;
	verify) echo '--ca --json' ;;
	list) echo '--ca --expiring --json' ;;
	provision) echo "--ca --hosts --add-ca $until --san $secret $remote" ;;
	pending) echo "$remote" ;;
	trust) echo "--label --for $remote" ;;
	esac
}

# Files with one of these endings, and folders on the way to them.
_cubsign_files()
{
	local ending

	for ending in "$@"; do
		compgen -f -X "!*.$ending" -- "$word"
	done
	compgen -d -S / -- "$word"
}

_cubsign()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} found

	if [ "$COMP_CWORD" -eq 1 ]; then
		found=$(compgen -W 'ca key csr show sign verify list provision pending trust --help
			--version' -- "$word")
	else
		case $before in
		--ca | --parent) found=$(_cubsign_files crt | sed 's/\.crt$//') ;;
		--key) found=$(_cubsign_files key) ;;
		--cert) found=$(_cubsign_files crt pem) ;;
		--profile) found=$(compgen -W 'device client' -- "$word") ;;
		--rsa) found=$(compgen -W '2048 3072 4096' -- "$word") ;;
		--san) found=$(compgen -W 'DNS: IP: request' -- "$word") ;;
		--*-file | --out | --hosts) found=$(compgen -f -- "$word") ;;
		--account | --days | --expiring | --for | --label | --name | --path-length | --pin | --until)
			return ;;
		*)
			case $word in
			-*) found=$(compgen -W "$(_cubsign_options "$command")" -- "$word") ;;
			*)
				case $command in
				sign) found=$(_cubsign_files csr pem) ;;
				verify) found=$(_cubsign_files crt pem) ;;
				show | trust) found=$(_cubsign_files csr crt pem der key) ;;
				provision | pending) found=$(compgen -A hostname -- "$word") ;;
				esac ;;
			esac ;;
		esac
	fi
	mapfile -t COMPREPLY <<< "$found"
	[ -n "$found" ] || COMPREPLY=()
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[/:] ]] || compopt -o nospace 2> /dev/null
}

complete -F _cubsign cubsign
