# fish completion of sluice: recipes and commands, options, fields, and files.

function __sluice_options
    sluice --help 2>/dev/null | string match -gr '^  (?:-[A-Za-z], )?(--?[A-Za-z][a-z-]*)'
end

complete -c sluice -n __fish_is_first_token -a "(sluice recipes 2>/dev/null | string replace -r ' +' \t)"
complete -c sluice -n __fish_is_first_token -a 'eval recipes fields new check help'
complete -c sluice -n "string match -q -- '-*' (commandline -ct)" -a '(__sluice_options)'
complete -c sluice -s e -x -a "(sluice fields 2>/dev/null | string replace -r ' +' \t)"
complete -c sluice -s T -x -a 'text json jsonl csv tsv fields zeek'
complete -c sluice -s t -x -a 'r a ad d dd e u ud'
complete -c sluice -s i -x -a "(sluice -D 2>/dev/null | string match -gr '^[0-9]+\. (\S+)')"
complete -c sluice -s z -x -a 'conv, endpoints, io,stat, io,phs'
complete -c sluice -s b -x -a 'filesize: duration: packets: files:'
