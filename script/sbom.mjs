// Prints what is in the packages of a folder and what they need, as CycloneDX JSON: Debian packages by the fields Depends
// of the .deb files and this machine's versions of them, npm packages by package-lock.json.
//
//   node script/sbom.mjs FOLDER

import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const [folder] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...command) => execFileSync(command[0], command.slice(1), {encoding: 'utf8'}).trim();
const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const files = readdirSync(folder).filter((name) => /\.(deb|tgz)$/.test(name)).sort();
const [, version] = /^project\(pulsewire VERSION ([\d.]+)/m.exec(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'));

// The names in "libc6 (>= 2.34), libssl3 | libssl4"; of alternatives the first.
const namesIn = (field) => field.split(',').map((one) => one.trim().split(/[\s|(:]/)[0]).filter(Boolean);
const field = (file, name) => run('dpkg-deb', '--field', join(folder, file), name);

function debian(name) {
    const [found, source, architecture] = run('dpkg-query', '--show', '--showformat=${Version}\t${source:Package}\t${Architecture}\n', name).split('\n')[0].split('\t');
    return {
        type: 'library', 'bom-ref': `deb:${name}`, name, version: found,
        purl: `pkg:deb/debian/${name}@${encodeURIComponent(found)}?arch=${architecture}`,
        properties: [{name: 'debian:source', value: source}],
    };
}

// What is linked at the start of a program is required; what only builds and tests need is not in the packages.
function npm(path, {version: found, integrity, dev}) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const [algorithm, hash] = integrity?.split('-') ?? [];
    return {
        type: 'library', 'bom-ref': `npm:${path}`, name, version: found, scope: dev === false ? 'required' : 'excluded',
        purl: `pkg:npm/${name.replace('@', '%40')}@${found}`,
        ...(algorithm === 'sha512' && {hashes: [{alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex')}]}),
    };
}

const shipped = files.map((file) => ({
    type: 'file', 'bom-ref': `file:${file}`, name: file, version, hashes: [{alg: 'SHA-256', content: digest(join(folder, file))}],
}));
const needs = new Map(files.filter((name) => name.endsWith('.deb')).map((file) => [file, namesIn(field(file, 'Depends'))]));
const installed = [...new Set([...needs.values()].flat())].filter((name) => !name.startsWith('pulsewire')).sort().map(debian);
const locked = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.link && entry.version).map(([path, entry]) => npm(path, entry));

const content = {
    metadata: {
        timestamp: new Date(Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1000) * 1000).toISOString(),
        component: {type: 'application', 'bom-ref': 'pulsewire', name: 'pulsewire', version, licenses: [{license: {id: 'MIT'}}]},
    },
    components: [...shipped, ...installed, ...locked],
    dependencies: [
        {ref: 'pulsewire', dependsOn: shipped.map((one) => one['bom-ref'])},
        ...[...needs].map(([file, names]) => ({ref: `file:${file}`, dependsOn: names.filter((name) => !name.startsWith('pulsewire')).map((name) => `deb:${name}`)})),
    ],
};
// The same content has the same number.
const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
const uuid = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
console.log(JSON.stringify({bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: `urn:uuid:${uuid}`, version: 1, ...content}, null, 2));
