// Options as a program's --help lists them, and what is made of that: a manual and a completion for bash. Pure.

// [{names: ['-h', '--help'], value: 'FILE', fallback: '8080', text: 'What it does'}]; `value` and `fallback` are empty
// where there is none. The list begins below the line "Options:" and each option in the third column; its text follows
// after two spaces, or on lines that are indented deeper.
export function optionsIn(help) {
    const options = [];
    let inside = false;
    for (const line of help.split('\n')) {
        if (/^\S/.test(line)) inside = /^\S*option\w*:$/i.test(line);
        const begins = inside && /^ {2}(-\S.*?)(?: {2,}(\S.*))?$/.exec(line);
        const goesOn = inside && /^ {8,}(\S.*)$/.exec(line);
        if (begins) {
            const [, names, rest = ''] = /^(\S+)(?: (.*))?$/.exec(begins[1]);
            // A kind of value may have a '=', too, as PATTERN=OPERATIONS does; a default is in lower case.
            const [value = ''] = /^[A-Z_]+(=[A-Z_]+)?/.exec(rest) ?? [];
            const [, fallback = ''] = /=([^A-Z\s]\S*)/.exec(rest) ?? [];
            options.push({names: names.split(','), value, fallback, text: begins[2] ?? ''});
        } else if (goesOn && options.length > 0) {
            const last = options.at(-1);
            last.text = `${last.text} ${goesOn[1]}`.trim();
        }
    }
    return options;
}

// Text for roff: a backslash and a leading dot or quote would be commands, a hyphen a break.
const roff = (text) => text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/^([.'])/, '\\&$1');

function listed(options) {
    return options.map(({names, value, fallback, text}) => {
        const shown = names.map((name) => `\\fB${roff(name)}\\fR`).join(', ');
        const standard = fallback ? ` Default: ${fallback}.` : '';
        return `.TP\n${shown}${value ? ` \\fI${value}\\fR` : ''}\n${roff(text + (/[.:;]$/.test(text) ? '' : '.') + standard)}`;
    }).join('\n');
}

// Fills the places @VERSION@, @DATE@ and @OPTIONS@ of a page, and @TOKEN_OPTIONS@ and the like for `commands`, which has
// the options of words like "token".
export function manual(page, {version, date, options, commands = {}}) {
    const month = date.toISOString().slice(0, 10);
    return page.replaceAll('@VERSION@', version).replaceAll('@DATE@', month)
        .replace('@OPTIONS@', () => listed(options))
        .replace(/@([A-Z]+)_OPTIONS@/g, (_, word) => listed(commands[word.toLowerCase()]));
}

const valuesOf = {'--log-level': 'debug info warning error off', '--log-format': 'text json'};

// A function for bash-completion: flags, files, folders and known values; `commands` has the options of words like "token".
export function bashCompletion(program, options, commands = {}) {
    const flags = (list) => list.flatMap(({names}) => names).join(' ');
    const withValue = (...kinds) => [options, ...Object.values(commands)].flat().filter(({value}) => kinds.includes(value))
        .flatMap(({names}) => names).filter((name, at, all) => all.indexOf(name) === at).join('|');
    const others = [options, ...Object.values(commands)].flat()
        .filter(({names, value}) => value && !['FILE', 'FOLDER'].includes(value) && !names.some((name) => name in valuesOf))
        .flatMap(({names}) => names).filter((name, at, all) => all.indexOf(name) === at).join('|');
    const words = Object.keys(commands);
    return `# Completion of ${program} for bash; made of its --help.
_${program}() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} flags
    COMPREPLY=()
    case $previous in
${Object.entries(valuesOf).map(([name, values]) => `        ${name}) mapfile -t COMPREPLY < <(compgen -W '${values}' -- "$current"); return ;;`).join('\n')}
        ${withValue('FILE')}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        ${withValue('FOLDER')}) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        ${others}) return ;;
    esac
    case \${COMP_WORDS[1]} in
${words.map((word) => `        ${word}) flags='${flags(commands[word])}' ;;`).join('\n')}
        *) flags='${flags(options)}' ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then flags="$flags ${words.join(' ')}"; fi
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
}
complete -o filenames -F _${program} ${program}
`;
}
