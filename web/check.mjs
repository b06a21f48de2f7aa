// Checks the pages without a browser: they build, their types hold, the generated messages are current, and nothing in them
// needs what the Content-Security-Policy forbids. The browser tests are in e2e/.

import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {pages} from './src/pages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const gallery = resolve(here, '..', 'build/release/pulsewire-gallery');
const mainLinesMax = 120;

const files = (folder, ends) => readdirSync(here + folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => ends.test(name)).map((name) => `${folder}/${name}`);
const read = (path) => readFileSync(here + path, 'utf8');
const run = (command, ...args) => {
    const {status, stdout, stderr, error} = spawnSync(command, args, {cwd: here, encoding: 'utf8'});
    return {problems: status === 0 ? [] : [error ? error.message : stdout + stderr], stdout};
};
const found = (paths, forbidden) => paths.flatMap((path) => read(path).split('\n').flatMap((line, index) =>
    forbidden.filter((pattern) => pattern.test(line)).map((pattern) => `${path}:${index + 1}: ${pattern}`)));

const checks = {
    'the pages build': () => run(process.execPath, 'build.mjs').problems,
    'their types hold': () => run('npx', '--no-install', 'tsc', '-p', '.').problems,
    'no code writes markup from strings, evaluates text or sets a style attribute': () => found(files('src', /\.ts$/), [
        /\b(innerHTML|outerHTML|insertAdjacentHTML|srcdoc|DOMParser|createContextualFragment)\b/, /document\.write/,
        /\beval\(/, /new Function\(/, /['"]style['"]\s*[,:]/, /cssText/, /\bjavascript:/,
    ]),
    'no page carries an inline script, style or handler, or loads from elsewhere': () => found(files('dist', /\.html$/), [
        /<script(?![^>]*\bsrc=)/, /<style/, /<[^>]+\sstyle=/, /<[^>]+\son\w+=/, /<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?\/\//,
    ]),
    'each demo is short enough to be read': () => pages.flatMap((page) => [page.name, 'main.ts'].join('/'))
        .map((path) => [path, read(`src/${path}`).split('\n').length])
        .filter(([, lines]) => lines > mainLinesMax).map(([path, lines]) => `${path} has ${lines} lines; ${mainLinesMax} are allowed`),
    'the types of the messages are those of the server': () => {
        if (!existsSync(gallery)) return [];
        const {problems, stdout} = run(gallery, '--print-typescript');
        return problems.length || stdout === read('src/messages.ts') ? problems
            : ['src/messages.ts is not current: build/release/pulsewire-gallery --print-typescript > web/src/messages.ts'];
    },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
    const problems = check();
    console.log(`${problems.length ? 'FAILED' : 'ok    '}  ${name}`);
    for (const problem of problems) console.log(problem.replace(/^/gm, '        '));
    if (problems.length) failed += 1;
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
