# bash completion of sluice: recipes and commands, options, fields, and files.
# What there is to complete is asked of the program, so that it is never out of date.

_sluice_options() {
    local recipe=$1
    {
        sluice --help
        [ -z "$recipe" ] || sluice "$recipe" --help
    } 2>/dev/null | grep -oE '^  (-[A-Za-z], )?--?[A-Za-z][a-z-]*' | grep -oE -- '--?[A-Za-z][a-z-]*' | sort -u
}

_sluice() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} recipe=
    [[ ${COMP_WORDS[1]} == [a-z]* ]] && [ "$COMP_CWORD" != 1 ] && recipe=${COMP_WORDS[1]}
    local words=
    case $before in
    -e) words=$(sluice fields 2>/dev/null | cut -d ' ' -f 1) ;;
    -T) words='text json jsonl csv tsv fields zeek' ;;
    -t) words='r a ad d dd e u ud' ;;
    -i) words=$(sluice -D 2>/dev/null | cut -d ' ' -f 2) ;;
    -z) words='conv, endpoints, io,stat, io,phs' ;;
    -b) words='filesize: duration: packets: files:' ;;
    *)
        if [[ $word == -* ]]; then
            words=$(_sluice_options "$recipe")
        elif [ "$COMP_CWORD" = 1 ]; then
            words="$(sluice recipes 2>/dev/null | cut -d ' ' -f 1) eval recipes fields new check help"
        fi
        ;;
    esac
    # shellcheck disable=SC2207 # no word holds blanks
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ ${#COMPREPLY[@]} != 0 ] || compopt -o default
}

complete -F _sluice sluice
