# fish completion for rcron(8): its options, then the job's own completion.
function __rcron_keys
    string match -q -- '*=*' (commandline -ct); and return
    printf '%s=\n' cluster_name state_file default_state syslog_facility syslog_level syslog_socket nice_level \
        state_max_age require_lease on_demotion kill_after journal once_per_tick \
        start_within rerun overlap claim_socket
end

# Options count before the job only.
function __rcron_before_job
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case -c -o -j --conf --option --job --tick
                set -e words[1]
            case --
                return 1
            case '-*' '*=*'
            case '*'
                return 1
        end
        set -e words[1]
    end
end

complete -c rcron -x -a '(__fish_complete_subcommand -- -c --conf -o --option -j --job --tick)'
complete -c rcron -n __rcron_before_job -s c -l conf -r -F -d 'Configuration file'
complete -c rcron -n __rcron_before_job -s o -l option -x -a '(__rcron_keys)' -d 'Set a configuration key for this run'
complete -c rcron -n __rcron_before_job -s j -l job -x -d "The job's name in log and environment"
complete -c rcron -n __rcron_before_job -l tick -x -d 'The scheduled time, with once_per_tick'
complete -c rcron -n __rcron_before_job -s n -l dry-run -d 'Say what would be done and why'
complete -c rcron -n __rcron_before_job -s v -l verbose -d 'Log lines also to stderr'
complete -c rcron -n __rcron_before_job -s h -l help -d 'Show help'
complete -c rcron -n __rcron_before_job -s V -l version -d 'Show the version'
