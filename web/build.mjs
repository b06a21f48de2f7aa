// Builds the pages into web/dist: TypeScript and CSS through esbuild, HTML from src/shared/layout.html around each
// page's own page.html; the documents of the repository through docs.mjs.
//
//   node build.mjs [--watch]

import {build} from 'esbuild';
import {mkdirSync, readFileSync, rmSync, watch, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {documentPages, pictures} from './docs.mjs';
import {codeBlock, escapeHtml} from './highlight.mjs';
import {pages} from './src/pages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const src = `${here}src/`;
const dist = `${here}dist/`;

const common = {bundle: true, minify: true, sourcemap: 'linked', target: 'es2022', logLevel: 'warning', outdir: dist, outbase: src, write: false};

async function buildAll() {
    const results = await Promise.all([
        build({
            ...common, format: 'esm', splitting: true, chunkNames: 'shared/[name]-[hash]',
            entryPoints: pages.map((page) => ({in: `${src}${page.name}/main.ts`, out: `${page.path}main`})),
        }),
        build({...common, format: 'iife', entryPoints: [{in: `${src}shared/theme.ts`, out: 'theme'}]}),
        build({...common, entryPoints: [{in: `${src}style.css`, out: 'style'}]}),
    ]);
    const files = results.flatMap((result) => result.outputFiles).map(({path, contents}) => [path, contents]);
    for (const page of pages) files.push([`${dist}${page.path}index.html`, html(page)]);
    for (const document of documentPages()) files.push([`${dist}${document.path}index.html`, layout({name: 'docs', ...document})]);
    files.push(...pictures().map(([name, content]) => [`${dist}${name}`, content]));
    files.push([`${dist}favicon.svg`, readFileSync(`${src}shared/favicon.svg`)]);

    // Only what is whole replaces what is there: a server may be serving it.
    rmSync(dist, {recursive: true, force: true});
    for (const [path, contents] of files) {
        mkdirSync(dirname(path), {recursive: true});
        writeFileSync(path, contents);
    }
}

function fill(template, slots) {
    return template.replace(/\{\{([\w:.-]+)\}\}/g, (slot, name) => {
        const value = slots(name);
        if (value === undefined) throw new Error(`nothing to fill ${slot} with`);
        return value;
    });
}

function html(page) {
    const content = fill(readFileSync(`${src}${page.name}/page.html`, 'utf8'), (name) => {
        const [kind, file] = name.split(':');
        return kind === 'code' ? codeBlock(readFileSync(`${src}${page.name}/${file}`, 'utf8'), file) : undefined;
    });
    return layout({...page, content, live: true, source: (page.shown ?? []).map((file) => source(page, file)).join('\n')});
}

// A page that is `live` has a script of its own and a connection; a document has neither.
function layout({name, path, title, description, content, source = '', live = false}) {
    const part = (file) => (live ? readFileSync(`${src}shared/${file}`, 'utf8').trim() : '');
    const values = {
        name, content, source,
        title: escapeHtml(title),
        description: escapeHtml(description),
        script: live ? `<script type="module" src="/${path}main.js"></script>` : '',
        status: part('status.html'),
        noscript: part('noscript.html'),
        nav: navigation(path),
    };
    return fill(readFileSync(`${src}shared/layout.html`, 'utf8'), (slot) => values[slot]);
}

// The bar has room for some demos; all others are on the gallery, under one more entry.
function navigation(path) {
    const unnamed = pages.some((page) => page.path === path && path && !page.nav);
    const entries = [
        ...pages.filter(({nav}) => nav).map((page) => ({...page, current: path === page.path})),
        {path: '#more-demos', nav: 'More demos', current: unnamed}, {path: 'docs/', nav: 'Docs', current: path.startsWith('docs/')},
    ];
    return entries.map((entry) => `<a href="/${entry.path}"${entry.current ? ' aria-current="page"' : ''}>${entry.nav}</a>`).join('\n      ');
}

function source(page, file) {
    const code = readFileSync(`${src}${page.name}/${file}`, 'utf8');
    const lines = code.trimEnd().split('\n').length;
    return `<details class="source"><summary>The code of this page: <code>web/src/${page.name}/${file}</code>, ${lines} lines</summary>${codeBlock(code, file)}</details>`;
}

await buildAll();
if (process.argv.includes('--watch')) {
    let timer;
    for (const folder of [src, `${here}../docs/`]) {
        watch(folder, {recursive: true}, () => {
            clearTimeout(timer);
            timer = setTimeout(() => buildAll().then(() => console.log('built'), (error) => console.error(error.message)), 100);
        });
    }
    console.log('watching web/src and docs');
}
