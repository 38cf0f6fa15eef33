# SPDX-License-Identifier: MIT
# Completion of cubftpd's commands, options and files, for bash.

# Each command, with the options that it takes besides -c and -o.
_cubftpd_options()
{
	case $1 in
	init) echo '--name --key --cert' ;;
	csr) echo '--name' ;;
	status | sessions | pending | trusted) echo '--json' ;;
	trust) echo '--account --label --exact --admin' ;;
	'account add') echo '--root --rights --password-stdin --admin' ;;
	'account passwd') echo '--password-stdin' ;;
	'account list' | 'ca list') echo '--json' ;;
	'ca add') echo '--name --account' ;;
	esac
}

# The keys of the configuration.
_cubftpd_keys='listen listen_implicit root identity_store trust_store control_socket
	client_certificate signed_trust password key_secret device_name user greeting data_reuse
	passive_ports passive_address active login_timeout idle_timeout data_timeout
	sessions_per_address rate_limit upload_eof partial_uploads min_free umask upload_hook log
	log_level'

_cubftpd()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} words

	case $before in
	-c | --key | --cert)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	-o)
		words=${_cubftpd_keys//[$'\t\n']/ }
		mapfile -t COMPREPLY < <(compgen -S = -W "$words" -- "$word")
		compopt -o nospace 2> /dev/null
		return ;;
	--account | --label | --name | --rights | --root) return ;;
	esac
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='run check status sessions kick reload init fingerprint csr cert account pending trust
			trusted distrust ca --help --version -c -o'
	elif [ "$COMP_CWORD" -eq 2 ] && [ "$command" = account ]; then
		words='add list passwd remove'
	elif [ "$COMP_CWORD" -eq 2 ] && [ "$command" = ca ]; then
		words='add list remove'
	elif [[ $word = -* ]]; then
		case $command in account | ca) command="$command ${COMP_WORDS[2]}" ;; esac
		words="$(_cubftpd_options "$command") -c -o"
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _cubftpd cubftpd
