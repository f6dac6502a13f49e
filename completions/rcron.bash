# bash completion for rcron(8): its options, then the job's own completion.
# shellcheck shell=bash

_rcron() {
    # shellcheck disable=SC2034 # what _init_completion sets
    local cur prev words cword
    _init_completion || return

    # `=` is a word of its own here: --conf=FILE and LANG=C are three words.
    local i=1 option=
    while ((i < cword)); do
        option=
        case ${words[i]} in
            -c | -o | -j | --conf | --option | --job | --tick)
                option=${words[i]}
                ((i++))
                [[ ${words[i]} == = ]] && ((i++))
                # An option's KEY=VALUE.
                [[ $option == -o || $option == --option ]] && [[ ${words[i + 1]-} == = ]] && ((i += 2))
                ((i++))
                ;;
            --)
                ((i++))
                break
                ;;
            -*)
                ((i++))
                ;;
            *)
                [[ ${words[i + 1]-} == = ]] || break
                # An assignment before the job.
                ((i += 3))
                ;;
        esac
    done
    if ((i > cword)); then
        case $option in
            -c | --conf) _filedir ;;
            -o | --option)
                local keys="cluster_name state_file default_state syslog_facility syslog_level syslog_socket nice_level \
                    state_max_age require_lease on_demotion kill_after journal once_per_tick \
                    start_within rerun overlap claim_socket"
                mapfile -t COMPREPLY < <(compgen -S = -W "$keys" -- "${cur#=}")
                compopt -o nospace
                ;;
        esac
    elif ((i == cword)) && [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--conf --option --job --tick --dry-run --verbose --help --version" -- "$cur")
    else
        _command_offset "$i"
    fi
} &&
    complete -F _rcron rcron
