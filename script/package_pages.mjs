// Makes the pages that the Debian packages have and the tree has not: manuals and the completion for bash, of what the
// programs say with --help, copyright and changelogs.
//
//   node script/package_pages.mjs BUILD RELEASE MAINTAINER
//
// They go to BUILD/package/, where cmake/package.cmake looks for them.

import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {bashCompletion, manual, optionsIn} from './help_pages.mjs';

const [build, release, maintainer] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const [, version] = /^project\(pulsewire VERSION ([\d.]+)/m.exec(read('CMakeLists.txt'));
const date = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000);
const helpOf = (program, ...command) => execFileSync(join(build, program), [...command, '--help'], {encoding: 'utf8'});

const folder = join(build, 'package');
mkdirSync(folder, {recursive: true});
const write = (name, text) => writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(text, {level: 9}) : text);

const server = optionsIn(helpOf('pulsewired'));
const commands = Object.fromEntries(['token', 'backup', 'verify', 'repair', 'export', 'import']
    .map((name) => [name, optionsIn(helpOf('pulsewired', name))]));
const facts = {version, date};
write('pulsewired.8.gz', manual(read('ops/debian/pulsewired.8'), {...facts, options: server, commands}));
write('pulsewire-bench.1.gz', manual(read('ops/debian/pulsewire-bench.1'), {...facts, options: optionsIn(helpOf('pulsewire-bench'))}));
write('pulsewired.bash', bashCompletion('pulsewired', server, commands));

write('changelog.gz', read('CHANGELOG.md'));
write('changelog.Debian.gz', `pulsewire (${version}-${release}) unstable; urgency=medium

  * Version ${version}; changelog.gz says what is new.

 -- ${maintainer}  ${date.toUTCString().replace('GMT', '+0000')}
`);
const license = read('LICENSE').trim().split('\n').slice(4).map((line) => ` ${line.trim() || '.'}`).join('\n');
const holder = /^Copyright \(c\) (.*)$/m.exec(read('LICENSE'))[1];
write('copyright', `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pulsewire

Files: *
Copyright: ${holder}
License: Expat

License: Expat
${license}
`);
